import t from 'tap'
import type { Json, JsonObject } from '../../../proxy/lib/json.ts'
import { applyEdits } from '../../../proxy/lib/edit.ts'
import { geminiProtocol } from '../../../proxy/protocol/gemini.ts'
import type { Content } from '../../../proxy/protocol/content.ts'
import type { Reading } from '../../../proxy/protocol/protocol.ts'
import { parsed } from './golden.ts'

function operation(verb: string) {
  const found = geminiProtocol.resolve('POST', `/v1beta/models/gemini-2.5-flash:${verb}`)
  if (found === undefined) throw new Error('an operation is missing')
  return found
}

const request = (body: Json, verb = 'generateContent'): Reading =>
  operation(verb).readRequest(body, JSON.stringify(body))
const answer = (body: Json): Reading => operation('generateContent').readAnswer(body, JSON.stringify(body))

function content(reading: Reading): Content {
  if (!reading.ok) throw new Error(reading.message)
  return reading.content
}

const hello = [{ role: 'user', parts: [{ text: 'hello' }] }]
const config = (generationConfig: Json) => ({ contents: hello, generationConfig })
const ranked = (by: string): Json => ({
  retrieval: { vertexRagStore: { rag_retrieval_config: { ranking: { [by]: { modelName: 'gemini-2.5-pro' } } } } },
})

t.test('requests that have no single meaning are refused', async (t) => {
  const rows: [string, Json, RegExp][] = [
    ['a list', [], /must be an object/],
    ['no contents', {}, /contents is missing/],
    ['contents null', { contents: null }, /contents is missing/],
    ['contents a text', { contents: 'hello' }, /contents must be array or object/],
    ['a content that is a text', { contents: ['hello'] }, /contents\[0\] must be an object/],
    ['parts a text', { contents: [{ parts: 'hello' }] }, /contents\[0\].parts must be array or object/],
    ['a part that is a text', { contents: [{ parts: ['hello'] }] }, /parts\[0\] must be an object/],
    ['a text that is none', { contents: [{ parts: [{ text: ['hello'] }] }] }, /parts\[0\].text must be string/],
    ['a role that is none', { contents: [{ role: 5, parts: [] }] }, /contents\[0\].role must be string/],
    ['a system text', { contents: hello, systemInstruction: 'be good' }, /systemInstruction must be object/],
    [
      'a system text, spelled otherwise',
      { contents: hello, system_instruction: 5 },
      /system_instruction must be object/,
    ],
    ['tools a text', { contents: hello, tools: 'all' }, /tools must be array or object/],
    ['a tool that is none', { contents: hello, tools: ['all'] }, /not a tool/],
    ['a function without name', { contents: hello, tools: [{ functionDeclarations: [{}] }] }, /without a name/],
    ['config a list', config([]), /generationConfig must be object/],
    ['tokens a word', config({ maxOutputTokens: 'many' }), /generationConfig.maxOutputTokens is not a count/],
    ['tokens a list', config({ max_output_tokens: [5] }), /max_output_tokens must be number or string/],
    ['another model', { contents: hello, model: 'models/gemini-2.5-pro' }, /model is another/],
    ['another kind of model', { contents: hello, model: 'tunedModels/gemini-2.5-flash' }, /model is another/],
    ['another model with the same end', { contents: hello, model: 'supermodels/gemini-2.5-flash' }, /model is another/],
    ['another model by routing', config({ routingConfig: { manualMode: { modelName: 'x' } } }), /another model/],
    ['the same, spelled otherwise', config({ routing_config: { autoMode: {} } }), /another model/],
    ['another model by selection', config({ modelConfig: {} }), /another model/],
    ['another model for a tool', { contents: hello, tools: [ranked('llmRanker')] }, /another model/],
    ['the same, spelled otherwise', { contents: hello, tools: ranked('llm_ranker') }, /another model/],
    [
      'arguments in pieces',
      { contents: hello, tool_config: { functionCallingConfig: { streamFunctionCallArguments: true } } },
      /leave out streamFunctionCallArguments/,
    ],
  ]
  for (const [name, body, message] of rows) t.match(request(body), { ok: false, message }, name)
})

t.test('the requests inside a request are held to the same', async (t) => {
  const counted = (inner: Json) => request({ generateContentRequest: inner }, 'countTokens')
  t.match(counted({ contents: 'x' }), { ok: false, message: /generateContentRequest.contents must be/ })
  t.match(counted({ model: 'models/other', contents: hello }), { ok: false, message: /generateContentRequest.model/ })
  t.match(counted([]), { ok: false, message: /generateContentRequest must be object/ })
  t.match(request({}, 'countTokens'), { ok: false, message: /contents or generateContentRequest is missing/ })
  t.match(request({ contents: hello }, 'countTokens'), { ok: true, content: { messages: 1 } })
  const batch = (requests: Json) => request({ requests }, 'batchEmbedContents')
  t.match(batch([{ model: 'models/other', content: {} }]), { ok: false, message: /requests\[0\].model is another/ })
  t.match(batch([{ content: { parts: [{ text: 5 }] } }]), {
    ok: false,
    message: /requests\[0\].content.parts\[0\].text/,
  })
  t.match(batch({ content: {} }), { ok: false, message: /requests must be array/ })
  t.match(batch([5]), { ok: false, message: /requests\[0\] must be an object/ })
  t.match(request({ content: 'x' }, 'embedContent'), { ok: false, message: /content must be object/ })
})

t.test('the model may be repeated in any of its names', async (t) => {
  const name = 'gemini-2.5-flash'
  for (const model of [name, `models/${name}`, `projects/p/locations/l/publishers/google/models/${name}`, null, ''])
    t.match(request({ contents: hello, model }), { ok: true, content: { model: name } }, String(model))
})

/** Every key that can be written in the other way, at every depth outside what is the client's own. */
function snaked(value: Json): Json {
  if (Array.isArray(value)) return value.map((item) => snaked(item))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, member]) => [
    key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    ['args', 'response', 'parameters', 'labels'].includes(key) ? member : snaked(member),
  ])
  return Object.fromEntries(entries) as JsonObject
}

t.test('a field is read the same under both spellings', async (t) => {
  const shape = ({ parts, tools, uninspected, maxTokens, messages, toolCalls, usage }: Content) => ({
    parts: parts.map(({ text, role, form }) => ({ text, role, form })),
    tools: tools.map(({ name, description }) => ({ name, description })),
    calls: toolCalls.map(({ name, id, args }) => ({ name, id, args })),
    uninspected,
    maxTokens,
    messages,
    usage,
  })
  const [sent] = parsed('gemini/generate-request.json')
  t.same(shape(content(request(snaked(sent)))), shape(content(request(sent))))
  const [said] = parsed('gemini/generate-answer.json')
  t.same(shape(content(answer(snaked(said)))), shape(content(answer(said))))
})

t.test('a field in both spellings is refused, wherever it stands', async (t) => {
  const both = (place: RegExp, body: Json) =>
    t.match(request(body), { ok: false, message: new RegExp(`${place.source} has a field in both`) }, place.source)
  both(/^The document/, { contents: hello, systemInstruction: { parts: [] }, system_instruction: { parts: [] } })
  both(/^The document/, { contents: hello, systemInstruction: null, system_instruction: { parts: [] } })
  both(/^\/generationConfig/, config({ maxOutputTokens: 5, max_output_tokens: 50_000 }))
  both(/^\/tools\/0/, { contents: hello, tools: [{ functionDeclarations: [], function_declarations: [] }] })
  both(/^\/contents\/0\/parts\/0/, { contents: [{ parts: [{ inlineData: {}, inline_data: {} }] }] })
  const part = { functionCall: { name: 'a' }, function_call: { name: 'b' } }
  t.match(answer({ candidates: [{ content: { parts: [part] } }] }), { ok: false, message: /both of its spellings/ })
  const args = { userId: 'a', user_id: 'b' }
  t.ok(request({ contents: [{ parts: [{ functionCall: { name: 'f', args } }] }] }).ok, 'arguments are the client’s own')
})

t.test('what is offered can be taken out where it stands', async (t) => {
  const [body, text] = parsed('gemini/generate-request.json')
  const { tools } = content(request(body))
  const kept = (names: readonly string[]) => {
    const edits = tools
      .filter(({ name }) => !names.includes(name))
      .map(({ address }) => ({ address, remove: true }) as const)
    return (JSON.parse(applyEdits(text, edits)) as { tools: Json }).tools
  }
  t.match(kept(['find_person', 'googleSearch']), [
    { functionDeclarations: [{ name: 'find_person' }] },
    { googleSearch: {} },
    {},
  ])
  t.match(kept(['delete_person']), [{ functionDeclarations: [{ name: 'delete_person' }] }, {}, {}])
  t.same(content(request({ contents: hello, tools: { google_search: {} } })).tools, [
    { address: { path: ['tools', 'google_search'] }, name: 'googleSearch' },
  ])
})

t.test('answers', async (t) => {
  const parts = (...list: Json[]) => ({ candidates: [{ content: { parts: list } }] })
  const call = (functionCall: Json) => parts({ functionCall })
  const rows: [string, Json, RegExp][] = [
    ['a text', 'hello', /must be an object/],
    ['a stream as a list', [parts({ text: 'hello' })], /alt=sse/],
    ['candidates that are none', { candidates: {} }, /candidates must be array/],
    ['a candidate that is none', { candidates: ['x'] }, /candidates\[0\] must be an object/],
    ['content that is none', { candidates: [{ content: 'x' }] }, /candidates\[0\].content must be object/],
    ['parts that are none', { candidates: [{ content: { parts: {} } }] }, /content.parts must be array/],
    ['a call that is none', call('find'), /calls no tool by name/],
    ['a call of nothing', call({ args: {} }), /calls no tool by name/],
    ['a call of a number', call({ name: 5 }), /calls no tool by name/],
    ['a call in pieces', call({ name: 'f', partialArgs: [{ jsonPath: '$.a', stringValue: 'x' }] }), /in pieces/],
    ['a call to be continued', call({ name: 'f', willContinue: true }), /in pieces/],
    ['the same, spelled otherwise', parts({ function_call: { name: 'f', will_continue: true } }), /in pieces/],
  ]
  for (const [name, body, message] of rows) t.match(answer(body), { ok: false, message }, name)
  const args = (reading: Reading) => content(reading).toolCalls.map((made) => made.args)
  t.same(args(answer(call({ name: 'f', args: { a: 1 } }))), [{ a: 1 }])
  t.same(args(answer(call({ name: 'f' }))), [{}])
  t.same(args(answer(call({ name: 'f', args: null }))), [{}])
  t.same(args(answer(call({ name: 'f', args: ['a'] }))), [undefined], 'of these nothing may be assumed')
  t.match(content(answer({})), { toolCalls: [], parts: [] })
  t.match(content(answer({ candidates: null, promptFeedback: { blockReason: 'SAFETY' } })), { toolCalls: [] })
  const server = parts({ toolCall: { toolType: 'URL_CONTEXT' } }, { toolCall: { toolType: 'GOOGLE_SEARCH_IMAGE' } })
  t.match(content(answer(server)).toolCalls, [{ name: 'urlContext' }, { name: 'googleSearch' }])
})

t.test('a signature that is none is read', async (t) => {
  const signed = (thoughtSignature: string) => content(request({ contents: [{ parts: [{ thoughtSignature }] }] }))
  t.match(signed('write to ada@example.org'), { parts: [{ text: 'write to ada@example.org' }] })
  t.same(signed('CpwBAdHtim9Kz0Vw').parts, [])
  t.same(signed('CpwBAdHtim9Kz0Vw').uninspected, ['encrypted'])
})
