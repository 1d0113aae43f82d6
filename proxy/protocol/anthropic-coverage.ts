// Owns the declaration of what becomes of each text in Anthropic messages, field by field as the SDK's types have them
// (@anthropic-ai/sdk 1).
import { listingCoverage } from './openai-chat-coverage.ts'
import { asObject, fieldsAt, joinFields, type Fields, type OperationCoverage } from './posture.ts'

const citation: Fields = {
  enforced: [
    '[type=char_location].cited_text',
    '[type=char_location].document_title',
    '[type=page_location].cited_text',
    '[type=content_block_location].cited_text',
    '[type=search_result_location].cited_text',
    '[type=search_result_location].source',
    '[type=search_result_location].title',
    '[type=web_search_result_location].cited_text',
    '[type=web_search_result_location].title',
    '[type=web_search_result_location].url',
    '[type=web_search_result_location].encrypted_index',
  ],
  opaque: { '[type=web_search_result_location].encrypted_index': 'encrypted' },
}

/** Blocks that stand in requests and answers alike; in a request they are what was answered before. */
const said = joinFields({ enforced: ['[type=text].text'] }, fieldsAt('[type=text,text=a].citations', citation), {
  enforced: [
    '[type=tool_use,id=t1,input={}].name',
    '[type=tool_use,id=t1,name=look].input.*',
    '[type=tool_use,id=t1,name=look].input.@',
    '[type=tool_use,id=t1,name=look].input.*.*[]',
    '[type=server_tool_use,id=t1,name=web_search].input.query',
    '[type=mcp_tool_use,id=t1,name=look].input.*',
    '[type=mcp_tool_use,id=t1,name=look,input={}].server_name',
    '[type=mcp_tool_result,tool_use_id=t1].content[type=text].text',
    '[type=web_search_tool_result,tool_use_id=t1].content[type=web_search_result].title',
    '[type=web_search_tool_result,tool_use_id=t1].content[type=web_search_result].url',
    '[type=web_search_tool_result,tool_use_id=t1].content[type=web_search_result].page_age',
    '[type=web_search_tool_result,tool_use_id=t1].content[type=web_search_result].encrypted_content',
    '[type=web_fetch_tool_result,tool_use_id=t1].content(type=web_fetch_result).url',
    '[type=web_fetch_tool_result,tool_use_id=t1].content(type=web_fetch_result).content(type=document).title',
    '[type=web_fetch_tool_result,tool_use_id=t1].content(type=web_fetch_result).content(type=document).source(type=text).data',
    '[type=code_execution_tool_result,tool_use_id=t1].content(type=code_execution_result).stdout',
    '[type=code_execution_tool_result,tool_use_id=t1].content(type=code_execution_result).stderr',
    '[type=bash_code_execution_tool_result,tool_use_id=t1].content(type=bash_code_execution_result).stdout',
    '[type=bash_code_execution_tool_result,tool_use_id=t1].content(type=bash_code_execution_result).stderr',
    '[type=bash_code_execution_tool_result,tool_use_id=t1].content(type=bash_code_execution_result).content[type=bash_code_execution_output].file_id',
    '[type=text_editor_code_execution_tool_result,tool_use_id=t1].content(type=text_editor_code_execution_view_result).content',
    '[type=text_editor_code_execution_tool_result,tool_use_id=t1].content(type=text_editor_code_execution_str_replace_result).lines[]',
    '[type=text_editor_code_execution_tool_result,tool_use_id=t1].content(type=text_editor_code_execution_tool_result_error).error_message',
    '[type=tool_search_tool_result,tool_use_id=t1].content(type=tool_search_tool_search_result).tool_references[type=tool_reference].tool_name',
    '[type=container_upload].file_id',
    '[type=compaction].content',
    '[type=compaction].signature',
  ],
  opaque: {
    '[type=thinking,signature=c2ln].thinking': 'thinking',
    '[type=thinking,thinking=a].signature': 'thinking',
    '[type=redacted_thinking].data': 'thinking',
    '[type=compaction].signature': 'encrypted',
    '[type=web_search_tool_result,tool_use_id=t1].content[type=web_search_result].encrypted_content': 'encrypted',
    '[type=code_execution_tool_result,tool_use_id=t1].content(type=encrypted_code_execution_result).encrypted_stdout':
      'encrypted',
    '[type=bash_code_execution_tool_result,tool_use_id=t1].content(type=bash_code_execution_result).content[type=bash_code_execution_output].file_id':
      'file',
    '[type=container_upload].file_id': 'file',
  },
})

const document: Fields = {
  enforced: [
    '[type=document,source={}].title',
    '[type=document,source={}].context',
    '[type=document].source(type=text,media_type=text/plain).data',
    '[type=document].source(type=base64,media_type=application/pdf).data',
    '[type=document].source(type=content).content',
    '[type=document].source(type=content).content[type=text].text',
    '[type=document].source(type=url).url',
    '[type=document].source(type=file).file_id',
    '[type=image].source(type=url).url',
    '[type=image].source(type=base64,media_type=image/png).data',
    '[type=image].source(type=file).file_id',
    '[type=search_result,source=a,title=a].content[type=text].text',
    '[type=search_result,content=[]].source',
    '[type=search_result,content=[]].title',
  ],
  opaque: {
    '[type=document].source(type=base64,media_type=application/pdf).data': 'file',
    '[type=document].source(type=url).url': 'file',
    '[type=document].source(type=file).file_id': 'file',
    '[type=image].source(type=url).url': 'image',
    '[type=image].source(type=base64,media_type=image/png).data': 'image',
    '[type=image].source(type=file).file_id': 'image',
  },
}

const request = joinFields(
  { enforced: ['system', 'system[type=text].text', 'messages[role=user].content', 'messages[role=assistant].content'] },
  fieldsAt('system[type=text,text=a].citations', citation),
  { enforced: ['messages[role=user].content[type=text].text'] },
  fieldsAt('messages[role=user].content', document),
  { enforced: ['messages[role=user].content[type=tool_result,tool_use_id=t1].content'] },
  fieldsAt('messages[role=user].content[type=tool_result,tool_use_id=t1].content', {
    ...document,
    enforced: ['[type=text].text', ...(document.enforced ?? [])],
  }),
  fieldsAt('messages[role=assistant].content', said),
  {
    enforced: [
      'tools[input_schema={}].name',
      'tools[name=look,input_schema={}].description',
      'tools[name=look].input_schema.description',
      'tools[name=look].input_schema.properties.*.description',
      'tools[name=look].input_schema.properties.@',
      'tools[name=look,input_schema={}].input_examples[].*',
      'tools[type=web_search_20250305,name=web_search].user_location(type=approximate).city',
      'tools[type=web_search_20250305,name=web_search].allowed_domains[]',
      'tools[type=web_search_20250305,name=web_search].blocked_domains[]',
      'tool_choice(type=tool).name',
      'mcp_servers[type=url,name=a].url',
      'mcp_servers[type=url,name=a].authorization_token',
      'metadata.user_id',
      'stop_sequences[]',
      'container',
      'output_config.format(type=json_schema).schema.description',
      'fallback_credit_token',
      'fallback_credit_token.token',
      'thread(type=continue).previous_message_id',
      'model',
    ],
    opaque: {
      fallback_credit_token: 'encrypted',
      'fallback_credit_token.token': 'encrypted',
      'thread(type=continue).previous_message_id': 'history',
    },
  },
)

const answer = joinFields(fieldsAt('content', said), {
  enforced: [
    'id',
    'model',
    'stop_sequence',
    'stop_details.explanation',
    'stop_details.fallback_credit_token',
    'container.id',
    'usage.service_tier',
  ],
  opaque: { 'stop_details.fallback_credit_token': 'encrypted' },
})

/** A block as it begins, and as the beginning may hold it whole. */
const blockStart = fieldsAt('content_block_start: (index=0).content_block', asObject(said))

const delta: Fields = {
  enforced: ['(type=text_delta).text +', '(type=input_json_delta).partial_json +', '(type=compaction_delta).content'],
  opaque: {
    '(type=thinking_delta).thinking': 'thinking',
    '(type=signature_delta).signature': 'thinking',
  },
}

const stream = joinFields(
  blockStart,
  fieldsAt('content_block_delta: (index=0).delta', delta),
  fieldsAt('content_block_delta: (index=0).delta(type=citations_delta).citation', asObject(citation)),
  {
    enforced: [
      'message_start: message(role=assistant,content=[]).id',
      'message_start: message(role=assistant,content=[]).model',
      'message_start: message(role=assistant).content[type=text].text',
      'message_delta: delta.stop_sequence',
      'message_delta: delta.container.id',
      'error: error(type=api_error).message',
      'ping: note',
    ],
  },
)

export const anthropicCoverage: readonly OperationCoverage[] = [
  { call: 'POST /v1/messages', request, answer, stream },
  { call: 'POST /v1/messages/count_tokens', request, answer: { enforced: ['note'] } },
  ...listingCoverage,
]
