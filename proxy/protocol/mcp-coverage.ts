// Owns the declaration of what becomes of each text in MCP messages, field by field as the SDK's types have them
// (@modelcontextprotocol/sdk 1 and 2). Before the colon stands the method; results and errors have none.
import { fieldsAt, joinFields, type Fields, type OperationCoverage } from './posture.ts'

const resource: Fields = {
  enforced: ['[].uri', '[uri=note:1].text', '[uri=note:1].blob', '[uri=note:1]._meta.*'],
  opaque: { '[uri=note:1].blob': 'blob' },
}

const content: Fields = {
  enforced: [
    '[type=text].text',
    '[type=text,text=a]._meta.*',
    '[type=image,mimeType=image/png].data',
    '[type=audio,mimeType=audio/wav].data',
    '[type=resource].resource.uri',
    '[type=resource].resource(uri=note:1).text',
    '[type=resource].resource(uri=note:1).blob',
    '[type=resource_link,name=a].uri',
    '[type=resource_link,uri=note:1].name',
    '[type=resource_link,uri=note:1,name=a].title',
    '[type=resource_link,uri=note:1,name=a].description',
    '[type=tool_use,id=t1,input={}].name',
    '[type=tool_use,id=t1,name=look].input.*',
    '[type=tool_result,toolUseId=t1].content[type=text].text',
    '[type=tool_result,toolUseId=t1,content=[]].structuredContent.*',
  ],
  opaque: {
    '[type=image,mimeType=image/png].data': 'image',
    '[type=audio,mimeType=audio/wav].data': 'audio',
    '[type=resource].resource(uri=note:1).blob': 'blob',
  },
}

const failure: Fields = {
  enforced: ['error(code=-1).message', 'error(code=-1,message=a).data.*', 'error(code=-1,message=a).data'],
}
const meta: Fields = { enforced: ['_meta.*', '_meta.@'] }

const request = joinFields(
  fieldsAt('initialize: params(protocolVersion=2025-11-25,capabilities={}).', {
    enforced: [
      'clientInfo(version=a).name',
      'clientInfo(name=a,version=a).title',
      'clientInfo(name=a,version=a).description',
      'clientInfo(name=a,version=a).websiteUrl',
      'clientInfo(name=a).version',
    ],
  }),
  {
    enforced: [
      'initialize: params(protocolVersion=2025-11-25,clientInfo={}).capabilities.experimental.*',
      'tools/call: params.name',
      'tools/call: params(name=look).arguments.*',
      'tools/call: params(name=look).arguments.*.*[]',
      'tools/call: params(name=look).arguments.@',
      'tools/call: params(name=look).inputResponses.*(action=accept).content.*',
      'tools/call: params(name=look).requestState',
      'resources/read: params.uri',
      'resources/subscribe: params.uri',
      'prompts/get: params.name',
      'prompts/get: params(name=look).arguments.*',
      'completion/complete: params(argument={}).ref(type=ref/prompt).name',
      'completion/complete: params(argument={}).ref(type=ref/resource).uri',
      'tools/list: params.cursor',
      'subscriptions/listen: params.notifications.resourceSubscriptions[]',
      'tasks/get: params.taskId',
      'logging/setLevel: params.level',
      'notifications/cancelled: params(requestId=1).reason',
      'notifications/progress: params(progressToken=1,progress=1).message',
      'notifications/note: params.*',
      'result(role=assistant,model=m,content=[]).stopReason',
      'result(role=assistant,content=[]).model',
      'result(action=accept).content.*',
      'result.roots[].uri',
      'result.roots[uri=file].name',
    ],
    opaque: {
      'tools/list: params.cursor': 'cursor',
      'tools/call: params(name=look).requestState': 'request-state',
    },
  },
  fieldsAt('completion/complete: params(ref={"type":"ref/prompt","name":"a"}).', {
    enforced: ['argument(name=a).value', 'argument(value=a).name', 'context.arguments.*'],
  }),
  fieldsAt('tools/call: params(name=look).', meta),
  fieldsAt('result(role=assistant,model=m).content', content),
  failure,
)

const tool: Fields = {
  enforced: [
    'title',
    'description',
    'inputSchema(type=object).description',
    'inputSchema(type=object).properties.*.description',
    'inputSchema(type=object).properties.@',
    'outputSchema(type=object).description',
    'annotations.title',
    'icons[].src',
    '_meta.*',
  ],
  opaque: { 'icons[].src': 'image' },
}

const served = joinFields(
  fieldsAt('result.content', content),
  fieldsAt('result.contents', resource),
  fieldsAt('result(content=[]).', joinFields(meta, { enforced: ['structuredContent.*', 'structuredContent.@'] })),
  fieldsAt('result.tools[name=look].', tool),
  fieldsAt('result(protocolVersion=2025-11-25,capabilities={},serverInfo={}).', { enforced: ['instructions'] }),
  fieldsAt('result.messages[role=user].', {
    enforced: ['content(type=text).text', 'content(type=resource).resource(uri=note:1).text'],
  }),
  {
    enforced: [
      'result.tools[].name',
      'result(protocolVersion=2025-11-25,capabilities={}).serverInfo.title',
      'result(protocolVersion=2025-11-25,serverInfo={}).capabilities.experimental.*',
      'result.resources[name=a].uri',
      'result.resources[uri=note:1].name',
      'result.resources[uri=note:1].title',
      'result.resources[uri=note:1].description',
      'result.resourceTemplates[name=a].uriTemplate',
      'result.resourceTemplates[uriTemplate=note].description',
      'result.prompts[].name',
      'result.prompts[name=look].title',
      'result.prompts[name=look].description',
      'result.prompts[name=look].arguments[name=a].description',
      'result.description',
      'result.completion.values[]',
      'result(tools=[]).nextCursor',
      'result(taskId=t1,status=working).statusMessage',
      'result(resultType=input_required).requestState',
      'result(resultType=input_required).inputRequests.*(method=elicitation/create).params.message',
    ],
    opaque: {
      'result(tools=[]).nextCursor': 'cursor',
      'result(resultType=input_required).requestState': 'request-state',
    },
  },
  failure,
)

/** What a server sends that is no answer: events only, as an answer is to a question. */
const sent = joinFields(
  {
    enforced: [
      'notifications/progress: params(progressToken=1,progress=1).message',
      'notifications/message: params(level=info).data',
      'notifications/message: params(level=info).data.*',
      'notifications/message: params(level=info,data=a).logger',
      'notifications/resources/updated: params.uri',
      'notifications/note: params.*',
      'elicitation/create: params(requestedSchema={}).message',
      'elicitation/create: params(message=a).requestedSchema.properties.*.description',
      'elicitation/create: params(mode=url,url=https://a.example,elicitationId=e1).message',
      'elicitation/create: params(mode=url,message=a,elicitationId=e1).url',
    ],
  },
  fieldsAt('sampling/createMessage: params(maxTokens=9,messages=[]).', {
    enforced: [
      'systemPrompt',
      'stopSequences[]',
      'metadata.*',
      'modelPreferences.hints[].name',
      'tools[name=look,inputSchema={}].description',
    ],
  }),
  fieldsAt('sampling/createMessage: params(maxTokens=9).messages[role=user].content', content),
)

export const mcpCoverage: readonly OperationCoverage[] = [
  { call: 'POST /', request, answer: served, stream: joinFields(served, sent) },
  { call: 'GET /', stream: joinFields(served, sent) },
  { call: 'DELETE /' },
]
