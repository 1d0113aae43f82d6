// Owns the declaration of what becomes of each text in OpenAI chat completions, field by field as the SDK's types have
// them (openai 7), and of what vendors of the format add.
import { fieldsAt, joinFields, type Fields, type OperationCoverage } from './posture.ts'

const textPart: Fields = { enforced: ['[type=text].text'] }

const userContent = joinFields(textPart, {
  enforced: [
    '[type=image_url].image_url.url',
    '[type=input_audio].input_audio.data',
    '[type=file].file.filename',
    '[type=file].file.file_data',
    '[type=file].file.file_id',
  ],
  opaque: {
    '[type=image_url].image_url.url': 'image',
    '[type=input_audio].input_audio.data': 'audio',
    '[type=file].file.file_data': 'file',
    '[type=file].file.file_id': 'file',
  },
})

const messages = joinFields(
  ...['system', 'developer'].map((role) =>
    joinFields(
      { enforced: [`messages[role=${role}].content`, `messages[role=${role}].name`] },
      fieldsAt(`messages[role=${role}].content`, textPart),
    ),
  ),
  { enforced: ['messages[role=user].content', 'messages[role=user].name'] },
  fieldsAt('messages[role=user].content', userContent),
  { enforced: ['messages[role=tool].content', 'messages[role=tool].tool_call_id'] },
  fieldsAt('messages[role=tool].content', textPart),
  { enforced: ['messages[role=function].content', 'messages[role=function].name'] },
  fieldsAt('messages[role=assistant].', {
    enforced: [
      'content',
      'content[type=text].text',
      'content[type=refusal].refusal',
      'name',
      'refusal',
      'reasoning_content',
      'reasoning',
      'reasoning_details[type=reasoning.text].text',
      'audio.id',
      'function_call.name',
      'function_call.arguments',
      'tool_calls[type=function].id',
      'tool_calls[type=function].function.name',
      'tool_calls[type=function].function.arguments',
      'tool_calls[type=custom].custom.name',
      'tool_calls[type=custom].custom.input',
    ],
  }),
)

const request = joinFields(messages, {
  enforced: [
    'tools[type=function].function.name',
    'tools[type=function].function(name=look).description',
    'tools[type=function].function(name=look).parameters.description',
    'tools[type=function].function(name=look).parameters.properties.*.description',
    'tools[type=function].function(name=look).parameters.properties.@',
    'tools[type=custom].custom.name',
    'tools[type=custom].custom(name=look).description',
    'tools[type=custom].custom(name=look).format.grammar.definition',
    'functions[].name',
    'functions[name=look].description',
    'functions[name=look].parameters.description',
    'tool_choice(type=function).function.name',
    'tool_choice(type=allowed_tools).allowed_tools.tools[type=function].function.name',
    'function_call.name',
    'response_format(type=json_schema).json_schema.name',
    'response_format(type=json_schema).json_schema.description',
    'response_format(type=json_schema).json_schema.schema.description',
    'prediction(type=content).content',
    'prediction(type=content).content[type=text].text',
    'web_search_options.user_location.approximate.city',
    'web_search_options.user_location.approximate.region',
    'web_search_options.user_location.approximate.timezone',
    'audio.voice',
    'metadata.*',
    'metadata.@',
    'stop',
    'stop[]',
    'user',
    'safety_identifier',
    'prompt_cache_key',
    'model',
    'extra_body.*',
  ],
})

const moderation: Fields = {
  enforced: ['moderation.input(type=error).message', 'moderation.output(type=error).message'],
}

const answer = joinFields(moderation, {
  enforced: [
    ...[
      'content',
      'refusal',
      'reasoning_content',
      'reasoning',
      'reasoning_details[type=reasoning.text].text',
      'annotations[type=url_citation].url_citation.title',
      'annotations[type=url_citation].url_citation.url',
      'audio.transcript',
      'audio.data',
      'function_call.name',
      'function_call(name=look).arguments',
      'tool_calls[type=function].function.name',
      'tool_calls[type=function].function(name=look).arguments',
      'tool_calls[type=custom].custom.name',
      'tool_calls[type=custom].custom(name=look).input',
    ].map((field) => `choices[index=0].message.${field}`),
    'choices[index=1].message.content',
    'id',
    'model',
    'system_fingerprint',
    'metadata.*',
  ],
  opaque: {
    'choices[index=0].message.audio.data': 'audio',
    'choices[index=0].logprobs.content[].token': 'logprobs',
    'choices[index=0].logprobs.refusal[].token': 'logprobs',
    'choices[index=0].logprobs.content[token=a].top_logprobs[].token': 'logprobs',
    'choices[index=0].token_ids[]': 'tokens',
    'prompt_token_ids[]': 'tokens',
    'prompt_logprobs[].*.decoded_token': 'logprobs',
  },
})

const stream = joinFields(moderation, {
  enforced: [
    ...[
      'content +',
      'refusal +',
      'reasoning_content +',
      'reasoning +',
      'reasoning_details[type=reasoning.text,index=0].text +',
      'reasoning_details[type=reasoning.summary,index=0].summary +',
      'content[type=text].text +',
      'content[type=thinking].thinking[type=text].text +',
      'note +',
      'annotations[type=url_citation].url_citation.title',
      'audio.transcript +',
      'audio.data',
      'function_call.name',
      'function_call(name=look).arguments +',
      'tool_calls[index=0,type=function].function.name',
      'tool_calls[index=0,id=call_1,type=function].function(name=look).arguments +',
      'tool_calls[index=0,id=call_1,type=custom].custom.name',
      'tool_calls[index=0,id=call_1,type=custom].custom(name=look).input +',
    ].map((field) => `choices[index=0].delta.${field}`),
    'choices[index=1].delta.content +',
    'choices[index=0].message.content',
    'id',
    'model',
    'system_fingerprint',
    'obfuscation',
    'error.message',
    'error: message',
  ],
  opaque: {
    'choices[index=0].delta.audio.data': 'audio',
    'choices[index=0].logprobs.content[].token': 'logprobs',
    'choices[index=0].token_ids[]': 'tokens',
    'prompt_token_ids[]': 'tokens',
  },
})

export const chatCoverage: readonly OperationCoverage[] = [
  { call: 'POST /v1/chat/completions', request, answer, stream },
]

/** A model as a listing shows it. */
const model: Fields = { enforced: ['id', 'owned_by', 'description'] }

/** The same in every format that has them. */
export const listingCoverage: readonly OperationCoverage[] = [
  { call: 'GET /v1/models', answer: fieldsAt('data[].', model) },
  { call: 'GET /v1/models/gpt-5.1', answer: model },
]
