// Owns the declaration of what becomes of each text in OpenAI's Responses format, field by field as the SDK's types have
// them (openai 7).
import { asObject, fieldsAt, joinFields, type Fields, type OperationCoverage } from './posture.ts'

const outputText: Fields = {
  enforced: [
    'text',
    'annotations[type=file_citation].filename',
    'annotations[type=file_citation].file_id',
    'annotations[type=url_citation].title',
    'annotations[type=url_citation].url',
    'annotations[type=container_file_citation].filename',
  ],
  opaque: {
    'annotations[type=file_citation].file_id': 'file',
    'logprobs[].token': 'logprobs',
    'logprobs[token=a].top_logprobs[].token': 'logprobs',
  },
}

/** What is given to the model: messages, and what a tool gave back. */
const inputContent: Fields = {
  enforced: [
    '[type=input_text].text',
    '[type=input_image].image_url',
    '[type=input_image].file_id',
    '[type=input_file].filename',
    '[type=input_file].file_data',
    '[type=input_file].file_url',
    '[type=input_file].file_id',
    '[type=input_audio].input_audio.data',
  ],
  opaque: {
    '[type=input_image].image_url': 'image',
    '[type=input_image].file_id': 'file',
    '[type=input_file].file_data': 'file',
    '[type=input_file].file_url': 'file',
    '[type=input_file].file_id': 'file',
    '[type=input_audio].input_audio.data': 'audio',
  },
}

/** Items that a response may have, and that the next request may bring back. */
const outputItems = joinFields(fieldsAt('[type=message,role=assistant].content[type=output_text].', outputText), {
  enforced: [
    '[type=message,role=assistant].content[type=refusal].refusal',
    '[type=reasoning].summary[type=summary_text].text',
    '[type=reasoning,summary=[]].content[type=reasoning_text].text',
    '[type=reasoning,summary=[]].encrypted_content',
    '[type=function_call,call_id=c1,arguments="{}"].name',
    '[type=function_call,call_id=c1,name=look].arguments',
    '[type=function_call,call_id=c1,name=look,arguments="{}"].namespace',
    '[type=custom_tool_call,call_id=c1,input=a].name',
    '[type=custom_tool_call,call_id=c1,name=look].input',
    '[type=mcp_call,server_label=a,name=look].arguments',
    '[type=mcp_call,server_label=a,arguments="{}"].name',
    '[type=mcp_call,name=look,arguments="{}"].server_label',
    '[type=mcp_call,server_label=a,name=look,arguments="{}"].output',
    '[type=mcp_call,server_label=a,name=look,arguments="{}"].error.message',
    '[type=mcp_approval_request,server_label=a,name=look].arguments',
    '[type=mcp_list_tools,server_label=a].tools[name=look].description',
    '[type=mcp_list_tools,server_label=a].tools[name=look].input_schema.description',
    '[type=mcp_list_tools,server_label=a,tools=[]].error',
    '[type=code_interpreter_call].code',
    '[type=code_interpreter_call,code=a].outputs[type=logs].logs',
    '[type=code_interpreter_call,code=a].outputs[type=image].url',
    '[type=web_search_call].action(type=search).query',
    '[type=web_search_call].action(type=search).queries[]',
    '[type=web_search_call].action(type=search,query=a).sources[type=url].url',
    '[type=web_search_call].action(type=open_page).url',
    '[type=web_search_call].action(type=find_in_page,url=a).pattern',
    '[type=file_search_call].queries[]',
    '[type=file_search_call,queries=[]].results[].text',
    '[type=file_search_call,queries=[]].results[].filename',
    '[type=file_search_call,queries=[]].results[].attributes.*',
    '[type=computer_call,call_id=c1].action(type=type).text',
    '[type=computer_call,call_id=c1].actions[type=type].text',
    '[type=computer_call,call_id=c1].pending_safety_checks[].message',
    '[type=local_shell_call,call_id=c1].action(type=exec).command[]',
    '[type=local_shell_call,call_id=c1].action(type=exec).env.*',
    '[type=local_shell_call,call_id=c1].action(type=exec).working_directory',
    '[type=shell_call,call_id=c1].action.commands[]',
    '[type=apply_patch_call,call_id=c1].operation(type=update_file,path=a).diff',
    '[type=apply_patch_call,call_id=c1].operation(type=update_file,diff=a).path',
    '[type=image_generation_call].revised_prompt',
    '[type=image_generation_call].result',
    '[type=tool_search_call].arguments.*',
    '[type=program,call_id=c1].code',
    '[type=program,call_id=c1].fingerprint',
    '[type=compaction].encrypted_content',
  ],
  opaque: {
    '[type=reasoning,summary=[]].encrypted_content': 'encrypted',
    '[type=code_interpreter_call,code=a].outputs[type=image].url': 'image',
    '[type=image_generation_call].result': 'image',
    '[type=program,call_id=c1].fingerprint': 'encrypted',
    '[type=compaction].encrypted_content': 'encrypted',
  },
})

/** What tools gave back; a response has such items where the provider runs the tool. */
const toolOutputs = joinFields(
  {
    enforced: [
      '[type=function_call_output,call_id=c1].output',
      '[type=custom_tool_call_output,call_id=c1].output',
      '[type=computer_call_output,call_id=c1].output(type=computer_screenshot).image_url',
      '[type=computer_call_output,call_id=c1].output(type=computer_screenshot).file_id',
      '[type=local_shell_call_output].output',
      '[type=shell_call_output,call_id=c1].output[].stdout',
      '[type=shell_call_output,call_id=c1].output[].stderr',
      '[type=apply_patch_call_output,call_id=c1].output',
      '[type=program_output,call_id=c1].result',
      '[type=tool_search_output].tools[type=function,name=look].description',
    ],
    opaque: {
      '[type=computer_call_output,call_id=c1].output(type=computer_screenshot).image_url': 'image',
      '[type=computer_call_output,call_id=c1].output(type=computer_screenshot).file_id': 'file',
    },
  },
  fieldsAt('[type=function_call_output,call_id=c1].output', inputContent),
  fieldsAt('[type=custom_tool_call_output,call_id=c1].output', inputContent),
)

const items = joinFields(
  { enforced: ['[type=message,role=user].content', '[role=user].content', '[role=developer].content'] },
  fieldsAt('[type=message,role=user].content', inputContent),
  { enforced: ['[type=message,role=system].content[type=input_text].text'] },
  outputItems,
  toolOutputs,
  { enforced: ['[type=mcp_approval_response,approval_request_id=r1].reason'] },
)

/** What an answer says again of its request. */
const settings: Fields = {
  enforced: [
    'instructions',
    'tools[type=function,name=look].description',
    'tools[type=function,name=look].parameters.description',
    'tools[type=function,name=look].parameters.properties.*.description',
    'tools[type=function].name',
    'tools[type=custom,name=look].description',
    'tools[type=custom,name=look].format(type=grammar).definition',
    'tools[type=namespace,name=look,tools=[]].description',
    'tools[type=namespace,name=look].tools[type=function,name=look].description',
    'tools[type=mcp,server_label=a].server_description',
    'tools[type=mcp,server_label=a].server_url',
    'tools[type=mcp,server_label=a].headers.*',
    'tools[type=mcp,server_label=a].authorization',
    'tools[type=mcp].server_label',
    'tools[type=web_search].user_location.city',
    'tools[type=web_search].filters.allowed_domains[]',
    'tools[type=file_search].vector_store_ids[]',
    'tools[type=file_search].filters.value',
    'tools[type=code_interpreter].container(type=auto).file_ids[]',
    'tools[type=image_generation].input_image_mask.image_url',
    'tools[type=shell].environment.skills[type=inline,name=a].description',
    'tools[type=shell].environment.skills[type=inline,name=a].source(type=base64).data',
    'tool_choice(type=function).name',
    'text.format(type=json_schema).name',
    'text.format(type=json_schema,name=a).description',
    'text.format(type=json_schema,name=a).schema.description',
    'metadata.*',
    'metadata.@',
    'user',
    'safety_identifier',
    'prompt_cache_key',
    'model',
  ],
  opaque: {
    'tools[type=image_generation].input_image_mask.image_url': 'image',
    'tools[type=shell].environment.skills[type=inline,name=a].source(type=base64).data': 'file',
  },
}

const request = joinFields({ enforced: ['input'] }, fieldsAt('input', items), settings, {
  enforced: [
    'prompt.id',
    'prompt(id=p1).variables.*',
    'prompt(id=p1).variables.*(type=input_text).text',
    'prompt(id=p1).variables.*(type=input_image).image_url',
    'previous_response_id',
    'conversation',
    'conversation.id',
  ],
  opaque: {
    'prompt.id': 'prompt',
    previous_response_id: 'history',
    conversation: 'history',
    'conversation.id': 'history',
    'input[type=item_reference].id': 'history',
  },
})

const response = joinFields(settings, fieldsAt('output', outputItems), fieldsAt('output', toolOutputs), {
  enforced: ['id', 'output_text', 'error.message', 'incomplete_details.reason', 'instructions[role=user].content'],
})

const answer = response

/** Texts that grow, with the members that say where; the item each belongs to has begun before. */
const growing: Fields = {
  enforced: [
    'response.output_text.delta: (item_id=i1,output_index=0,content_index=0,logprobs=[]).delta +',
    'response.output_text.done: (item_id=i1,output_index=0,content_index=0,logprobs=[]).text',
    'response.refusal.delta: (item_id=i1,output_index=0,content_index=0).delta +',
    'response.refusal.done: (item_id=i1,output_index=0,content_index=0).refusal',
    'response.reasoning_text.delta: (item_id=i1,output_index=0,content_index=0).delta +',
    'response.reasoning_text.done: (item_id=i1,output_index=0,content_index=0).text',
    'response.reasoning_summary_text.delta: (item_id=i1,output_index=0,summary_index=0).delta +',
    'response.reasoning_summary_text.done: (item_id=i1,output_index=0,summary_index=0).text',
    'response.reasoning_part.added: (item_id=i1,output_index=0,content_index=0).part(type=reasoning_text).text',
    'response.reasoning_part.done: (item_id=i1,output_index=0,content_index=0).part(type=reasoning_text).text',
    'response.reasoning_summary_part.added: (item_id=i1,output_index=0,summary_index=0).part(type=summary_text).text',
    'response.reasoning_summary_part.done: (item_id=i1,output_index=0,summary_index=0).part(type=summary_text).text',
    'response.function_call_arguments.delta: (item_id=i1,output_index=0).delta +',
    'response.function_call_arguments.done: (item_id=i1,output_index=0).arguments',
    'response.mcp_call_arguments.delta: (item_id=i1,output_index=0).delta +',
    'response.mcp_call_arguments.done: (item_id=i1,output_index=0).arguments',
    'response.custom_tool_call_input.delta: (item_id=i1,output_index=0).delta +',
    'response.custom_tool_call_input.done: (item_id=i1,output_index=0).input',
    'response.code_interpreter_call_code.delta: (item_id=i1,output_index=0).delta +',
    'response.code_interpreter_call_code.done: (item_id=i1,output_index=0).code',
    'response.apply_patch_call_operation_diff.delta: (item_id=i1,output_index=0).delta +',
    'response.apply_patch_call_operation_diff.done: (item_id=i1,output_index=0).diff',
    'response.shell_call_command.added: (output_index=0,command_index=0).command',
    'response.shell_call_command.done: (output_index=0,command_index=0).command',
    'response.shell_call_output_content.delta: (item_id=i1,output_index=0,command_index=0).delta.stdout +',
    'response.shell_call_output_content.delta: (item_id=i1,output_index=0,command_index=0).delta.stderr +',
    'response.shell_call_output_content.done: (item_id=i1,output_index=0,command_index=0).output[].stdout',
    'response.audio.transcript.delta: delta +',
    'response.output_text.annotation.added: (item_id=i1,output_index=0,content_index=0,annotation_index=0).annotation(type=url_citation).title',
    'response.output_text.annotation.added: (item_id=i1,output_index=0,content_index=0,annotation_index=0).annotation(type=file_citation).filename',
    'error: message',
    'error: param',
  ],
  opaque: {
    'response.audio.delta: delta': 'audio',
    'response.image_generation_call.partial_image: (item_id=i1,output_index=0,partial_image_index=0).partial_image_b64':
      'image',
    'response.output_text.delta: (item_id=i1,output_index=0,content_index=0,delta=a).logprobs[].token': 'logprobs',
  },
}

const stream = joinFields(
  growing,
  fieldsAt(
    'response.content_part.added: (item_id=i1,output_index=0,content_index=0).part(type=output_text).',
    outputText,
  ),
  fieldsAt(
    'response.content_part.done: (item_id=i1,output_index=0,content_index=0).part(type=output_text).',
    outputText,
  ),
  fieldsAt('response.output_item.added: (output_index=0).item', asObject(outputItems)),
  fieldsAt('response.output_item.done: (output_index=0).item', asObject(joinFields(outputItems, toolOutputs))),
  {
    enforced: [
      'response.created: response.instructions',
      'response.in_progress: response.metadata.*',
      'response.queued: response.user',
      'response.failed: response.error.message',
      'response.incomplete: response.incomplete_details.reason',
    ],
  },
  fieldsAt('response.completed: response.', response),
)

const stored = fieldsAt('data', items)

export const responsesCoverage: readonly OperationCoverage[] = [
  { call: 'POST /v1/responses', request, answer, stream },
  { call: 'POST /v1/responses/input_tokens', request, answer: { enforced: ['note'] } },
  { call: 'POST /v1/responses/compact', request, answer: response },
  { call: 'GET /v1/responses/resp_1', answer: response, stream },
  { call: 'POST /v1/responses/resp_1/cancel', answer: response },
  { call: 'GET /v1/responses/resp_1/input_items', answer: stored },
  { call: 'DELETE /v1/responses/resp_1', answer: { enforced: ['id', 'note'] } },
]
