// Owns the declaration of what becomes of each text in Ollama's format, field by field as its client's types have them
// (ollama 0.6).
import { fieldsAt, joinFields, type Fields, type OperationCoverage } from './posture.ts'

const settings: Fields = { enforced: ['model', 'keep_alive', 'options.stop[]', 'options.note'] }

const chat = joinFields(settings, {
  enforced: [
    'messages[role=system].content',
    'messages[role=user].content',
    'messages[role=user,content=a].images[]',
    'messages[role=assistant].content',
    'messages[role=assistant].thinking',
    'messages[role=assistant].tool_calls[].function(name=look).arguments.*',
    'messages[role=assistant].tool_calls[].function(name=look).arguments.@',
    'messages[role=assistant].tool_calls[].function(arguments={}).name',
    'messages[role=tool].content',
    'messages[role=tool,content=a].tool_name',
    'tools[type=function].function.name',
    'tools[type=function].function(name=look).description',
    'tools[type=function].function(name=look).parameters.description',
    'tools[type=function].function(name=look).parameters.properties.*.description',
    'tools[type=function].function(name=look).parameters.properties.@',
    'format',
    'format.description',
  ],
  opaque: { 'messages[role=user,content=a].images[]': 'image' },
})

const generate = joinFields(settings, {
  enforced: ['prompt', 'suffix', 'system', 'template', 'images[]', 'format.description'],
  opaque: { 'images[]': 'image', context: 'context' },
})

const call: Fields = {
  enforced: ['tool_calls[].function(name=look).arguments.*', 'tool_calls[].function(arguments={}).name'],
}
const figures: Fields = { enforced: ['model', 'done_reason'] }

const chatAnswer = joinFields(
  figures,
  { enforced: ['message(role=assistant).content', 'message(role=assistant,content=a).thinking'] },
  fieldsAt('message(role=assistant,content=a).', call),
  { opaque: { 'logprobs[].token': 'logprobs' } },
)
const generateAnswer = joinFields(figures, {
  enforced: ['response', 'thinking'],
  opaque: { 'logprobs[].token': 'logprobs' },
})

const model: Fields = { enforced: ['name', 'model', 'details.parent_model', 'details.family', 'details.families[]'] }

export const ollamaCoverage: readonly OperationCoverage[] = [
  {
    call: 'POST /api/chat',
    request: chat,
    answer: chatAnswer,
    stream: joinFields(chatAnswer, {
      enforced: ['message(role=assistant).content +', 'message(role=assistant).thinking +', 'error'],
    }),
  },
  {
    call: 'POST /api/generate',
    request: generate,
    answer: generateAnswer,
    stream: joinFields(generateAnswer, { enforced: ['response +', 'thinking +', 'error'] }),
  },
  { call: 'POST /api/embed', request: joinFields(settings, { enforced: ['input', 'input[]'] }), answer: figures },
  {
    call: 'POST /api/embeddings',
    request: joinFields(settings, { enforced: ['prompt'] }),
    answer: { enforced: ['note'] },
  },
  {
    call: 'POST /api/show',
    request: { enforced: ['model', 'system', 'template'] },
    answer: {
      enforced: [
        'license',
        'modelfile',
        'parameters',
        'template',
        'system',
        'messages[role=user].content',
        'model_info.*',
        'details.parent_model',
        'capabilities[]',
      ],
    },
  },
  { call: 'GET /api/tags', answer: fieldsAt('models[].', model) },
  { call: 'GET /api/ps', answer: fieldsAt('models[].', model) },
  { call: 'GET /api/version', answer: { enforced: ['version'] } },
]
