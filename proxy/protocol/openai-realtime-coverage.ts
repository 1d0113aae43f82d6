// Owns the declaration of what becomes of each text in OpenAI's realtime conversations, field by field as the SDK's types
// have them (openai 7), those of the interface's beta included. The client's events stand as the request, the server's as
// the stream.
import { asObject, fieldsAt, joinFields, type Fields, type OperationCoverage } from './posture.ts'

const content: Fields = {
  enforced: [
    '[type=input_text].text',
    '[type=output_text].text',
    '[type=text].text',
    '[type=input_audio].transcript',
    '[type=input_audio].audio',
    '[type=output_audio].transcript',
    '[type=input_image].image_url',
  ],
  opaque: {
    '[type=input_audio].audio': 'audio',
    '[type=output_audio].audio': 'audio',
    '[type=input_image].image_url': 'image',
  },
}

const items = joinFields(
  fieldsAt('[id=i1,type=message,role=user].content', content),
  fieldsAt('[id=i1,type=message,role=assistant].content', content),
  {
    enforced: [
      '[id=i1,type=message,role=system].content[type=input_text].text',
      '[id=i1,type=function_call,call_id=c1,name=look].arguments',
      '[id=i1,type=function_call,call_id=c1,arguments="{}"].name',
      '[type=function_call_output,call_id=c1].output',
      '[type=mcp_approval_response,approval_request_id=r1,approve=true].reason',
      '[id=i1,type=mcp_approval_request,server_label=a,name=look].arguments',
      '[id=i1,type=mcp_call,server_label=a,name=look].arguments',
      '[id=i1,type=mcp_call,server_label=a,arguments="{}"].name',
      '[id=i1,type=mcp_call,name=look,arguments="{}"].server_label',
      '[id=i1,type=mcp_call,server_label=a,name=look,arguments="{}"].output',
      '[id=i1,type=mcp_call,server_label=a,name=look,arguments="{}"].error.message',
      '[type=mcp_list_tools,server_label=a].tools[name=look].description',
      '[type=mcp_list_tools,server_label=a].tools[name=look].input_schema.description',
      '[type=mcp_list_tools,server_label=a].tools[name=look].annotations.title',
      '[type=mcp_list_tools,server_label=a].tools[].name',
      '[type=mcp_list_tools,tools=[]].server_label',
    ],
  },
)

const item = asObject(items)

/** Of a session as of one answer. */
const settings: Fields = {
  enforced: [
    'instructions',
    'tools[type=function,name=look].description',
    'tools[type=function,name=look].parameters.description',
    'tools[type=function,name=look].parameters.properties.*.description',
    'tools[type=function].name',
    'tools[type=mcp,server_label=a].server_description',
    'tools[type=mcp,server_label=a].server_url',
    'tools[type=mcp,server_label=a].headers.*',
    'tools[type=mcp,server_label=a].headers.@',
    'tools[type=mcp,server_label=a].authorization',
    'tools[type=mcp,server_label=a].connector_id',
    'tools[type=mcp,server_label=a].tunnel_id',
    'tools[type=mcp,server_label=a].allowed_tools[]',
    'tools[type=mcp,server_label=a].allowed_tools.tool_names[]',
    'tools[type=mcp,server_label=a].require_approval.always.tool_names[]',
    'tools[type=mcp].server_label',
    'tool_choice',
    'tool_choice(type=function).name',
    'tool_choice(type=mcp,server_label=a).name',
    'tool_choice(type=mcp).server_label',
    'audio.output.voice',
    'audio.output.voice.id',
    'voice',
    'prompt.id',
    'prompt(id=p1).version',
    'prompt(id=p1).variables.*',
    'prompt(id=p1).variables.*(type=input_text).text',
    'prompt(id=p1).variables.*(type=input_image).image_url',
  ],
  opaque: {
    'prompt.id': 'prompt',
    'prompt(id=p1).variables.*(type=input_image).image_url': 'image',
  },
}

const transcription = ['prompt', 'language', 'languages[]', 'keywords[]', 'model']

const session = joinFields(settings, {
  enforced: [
    'model',
    'tracing',
    'tracing.workflow_name',
    'tracing.group_id',
    'tracing.metadata.*',
    'include[]',
    'audio.output.language',
    ...transcription.map((field) => `audio.input.transcription.${field}`),
    ...transcription.map((field) => `input_audio_transcription.${field}`),
  ],
})

const clientEvents = joinFields(
  fieldsAt('session.update: (event_id=e1).session(type=realtime).', session),
  fieldsAt('session.update: session(type=transcription).', {
    enforced: transcription.map((field) => `audio.input.transcription.${field}`),
  }),
  fieldsAt('transcription_session.update: session.', {
    enforced: transcription.map((field) => `input_audio_transcription.${field}`),
  }),
  fieldsAt('conversation.item.create: item', item),
  fieldsAt('response.create: response.', settings),
  fieldsAt('response.create: response.input', items),
  {
    enforced: [
      'conversation.item.create: (item={"type":"message","content":[]}).previous_item_id',
      'response.create: response.input[type=item_reference].id',
      'response.create: response.metadata.*',
      'response.create: response.metadata.@',
      'response.create: response.conversation',
      'response.create: event_id',
      'response.cancel: response_id',
      'conversation.item.retrieve: item_id',
      'conversation.item.truncate: item_id',
      'conversation.item.delete: item_id',
      'input_audio_buffer.append: audio',
      'input_audio_buffer.commit: event_id',
      'input_audio_buffer.clear: event_id',
      'output_audio_buffer.clear: event_id',
      'session.input_audio_buffer.append: audio',
      'session.close: event_id',
    ],
    opaque: {
      'input_audio_buffer.append: audio': 'audio',
      'session.input_audio_buffer.append: audio': 'audio',
    },
  },
)

const part = '(response_id=r1,item_id=i1,output_index=0,content_index=0)'
const call = '(response_id=r1,item_id=i1,output_index=0)'

/** Texts that grow, with the members that say where; the item each belongs to has begun before. */
const growing: Fields = {
  enforced: [
    ...['response.output_text', 'response.text'].flatMap((name) => [
      `${name}.delta: ${part}.delta +`,
      `${name}.done: ${part}.text`,
    ]),
    ...['response.output_audio_transcript', 'response.audio_transcript'].flatMap((name) => [
      `${name}.delta: ${part}.delta +`,
      `${name}.done: ${part}.transcript`,
    ]),
    ...['response.function_call_arguments', 'response.mcp_call_arguments'].flatMap((name) => [
      `${name}.delta: ${call}.delta +`,
      `${name}.done: ${call}.arguments`,
    ]),
    ...['added', 'done'].flatMap((step) => [
      `response.content_part.${step}: ${part}.part(type=text).text`,
      `response.content_part.${step}: ${part}.part(type=audio).transcript`,
      `response.content_part.${step}: ${part}.part(type=audio).audio`,
    ]),
    'conversation.item.input_audio_transcription.delta: (item_id=i1,content_index=0).delta +',
    'conversation.item.input_audio_transcription.completed: (item_id=i1,content_index=0).transcript',
    'conversation.item.input_audio_transcription.completed: (item_id=i1,content_index=0).languages[].code',
    'conversation.item.input_audio_transcription.segment: (item_id=i1,content_index=0).text',
    'conversation.item.input_audio_transcription.segment: (item_id=i1,content_index=0).speaker',
    'conversation.item.input_audio_transcription.failed: (item_id=i1,content_index=0).error.message',
    'conversation.item.input_audio_transcription.failed: (item_id=i1,content_index=0).error.param',
    'session.input_transcript.delta: delta +',
    'session.output_transcript.delta: delta +',
  ],
  opaque: {
    [`response.output_audio.delta: ${part}.delta`]: 'audio',
    [`response.audio.delta: ${part}.delta`]: 'audio',
    'session.output_audio.delta: delta': 'audio',
    [`response.content_part.added: ${part}.part(type=audio).audio`]: 'audio',
    [`response.content_part.done: ${part}.part(type=audio).audio`]: 'audio',
    'conversation.item.input_audio_transcription.delta: (item_id=i1,content_index=0,delta=a).logprobs[].token':
      'logprobs',
    'conversation.item.input_audio_transcription.completed: (item_id=i1,content_index=0).logprobs[].token': 'logprobs',
    'input_audio_buffer.dtmf_event_received: event': 'dtmf',
  },
}

const said = asObject(joinFields(fieldsAt('[id=i1,type=message,role=assistant].content', content), calls()))

/** What a model does, or the provider for it. */
function calls(): Fields {
  return {
    enforced: (items.enforced ?? []).filter((field) =>
      /type=(?:function_call|mcp_call|mcp_approval_request),/.test(field),
    ),
  }
}

const serverEvents = joinFields(
  growing,
  fieldsAt('session.created: session(type=realtime).', session),
  fieldsAt('session.updated: session(type=realtime).', session),
  fieldsAt('transcription_session.updated: session.', {
    enforced: transcription.map((field) => `input_audio_transcription.${field}`),
  }),
  ...['created', 'added', 'done', 'retrieved'].map((step) => fieldsAt(`conversation.item.${step}: item`, item)),
  fieldsAt('response.output_item.added: (response_id=r1,output_index=0).item', said),
  fieldsAt('response.output_item.done: (response_id=r1,output_index=0).item', said),
  fieldsAt('response.done: response(id=r1).output', items),
  {
    enforced: [
      'response.created: response.metadata.*',
      'response.done: response.metadata.*',
      'response.done: response.status_details.error.message',
      'response.done: response.audio.output.voice',
      'rate_limits.updated: rate_limits[].name',
      'error: error.message',
      'error: error.param',
      'error: error.code',
      'error: error.event_id',
    ],
  },
)

export const realtimeCoverage: readonly OperationCoverage[] = [
  { call: 'WEBSOCKET /v1/realtime', request: clientEvents, stream: serverEvents },
  { call: 'WEBSOCKET /v1/realtime/translations', request: clientEvents, stream: serverEvents },
]
