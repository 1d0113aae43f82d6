// What is reserved for a request before anybody knows, and what is counted where nobody was told.
import t from 'tap'
import { Fault, type FaultCode } from '../../../proxy/errors.ts'
import { parseJson, type Json, type JsonObject } from '../../../proxy/lib/json.ts'
import { demandOf, spentOf } from '../../../proxy/pipeline/consumption.ts'
import type { Answered, Ended } from '../../../proxy/pipeline/exchange.ts'
import { outcomeFields, type Ending } from '../../../proxy/pipeline/outcome.ts'
import { letGo } from '../../../proxy/pipeline/let-go.ts'
import type { Attempt } from '../../../proxy/upstream/answer.ts'
import { openBack } from './answered.ts'

const { answered, runtime } = openBack('')

const ending: Ending = { decision: 'allow', end: 'complete', totalMs: 1, bytesIn: 0, bytesOut: 0 }

/** An exchange whose body was read. */
function asked(path: string, value: JsonObject, method = 'POST'): Answered {
  const { x } = answered('openai')
  const operation = x.route.protocol.resolve(method, path, '')
  if (operation === undefined) throw new Error(`no operation ${path}`)
  const text = JSON.stringify(value)
  const bytes = Buffer.from(text)
  const parsed = parseJson(bytes, { depthMax: 64, keysMax: 1000 })
  if (!parsed.ok) throw new Error(parsed.message)
  const reading = operation.readRequest(parsed.value, text, [])
  if (!reading.ok) throw new Error(reading.message)
  const body = { form: 'json' as const, bytes, text, value: parsed.value }
  return Object.assign(x, {
    operation,
    body,
    content: reading.content,
    actions: [{ type: 'model.call', stream: false }],
  })
}

t.test('completions write every prompt of a list, as often as they are tried', async (t) => {
  const of = (more: JsonObject): unknown => {
    const { outputTokensMax, answers } = demandOf(asked('/v1/completions', { model: 'm', max_tokens: 100, ...more }))
    return [outputTokensMax, answers]
  }
  t.same(of({ prompt: 'one' }), [100, 1])
  t.same(of({ prompt: ['one', 'two', 'three'] }), [300, 3])
  t.same(of({ prompt: [1, 2, 3] }), [100, 1], 'tokens of one prompt')
  t.same(of({ prompt: [[1, 2], [3]], n: 2, best_of: 5 }), [1000, 10])
})

t.test('each image counts, and tokens that are written as numbers', async (t) => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
  const seen = (images: number): number =>
    demandOf(
      asked('/v1/chat/completions', {
        model: 'm',
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'what?' }, ...Array.from({ length: images }, () => image)] },
        ],
      }),
    ).inputTokens
  t.equal(seen(5) - seen(1), 4 * (seen(1) - seen(0)))
  t.ok(seen(1) - seen(0) >= 5000, 'as much as the largest')
  const numbers = Array(3000).fill(5)
  for (const input of [numbers, [numbers.slice(0, 1000), numbers.slice(1000)]]) {
    const few = demandOf(asked('/v1/embeddings', { model: 'm', input: [1] })).inputTokens
    t.equal(demandOf(asked('/v1/embeddings', { model: 'm', input })).inputTokens - few, 2999)
    t.ok(demandOf(asked('/v1/completions', { model: 'm', prompt: input })).inputTokens >= 3000)
  }
})

t.test('nothing that a model reads is free', async (t) => {
  const tokens = (content: Json, more: JsonObject = {}): number =>
    demandOf(asked('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content }], ...more })).inputTokens
  const none = tokens('x')
  const numbers = JSON.stringify(Array.from({ length: 2000 }, (_, n) => n % 10))
  t.ok(tokens(numbers) - none >= 3900, 'numbers of JSON within a text')
  t.ok(tokens(JSON.stringify({ a: Array(500).fill(true) })) - none >= 990)
  const schema = {
    type: 'object',
    properties: Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`name_${n}`, {}])),
  }
  const tool = { type: 'function', function: { name: 'f', parameters: schema } }
  t.ok(tokens('x', { tools: [tool] }) - none >= 200, 'names of a schema')
  const file = (data: JsonObject): number => tokens([{ type: 'file', file: data }]) - none
  const pdf = Buffer.alloc(300_000, 7).toString('base64')
  t.ok(file({ filename: 'a.pdf', file_data: `data:application/pdf;base64,${pdf}` }) >= 100_000, 'a document')
  t.ok(file({ file_id: 'file-1' }) >= 20_000, 'one that is elsewhere')
  t.ok(tokens([{ type: 'input_audio', input_audio: { format: 'mp3', data: pdf } }]) - none >= 100_000)
})

t.test('a maximum beyond all sense does not get out of hand', async (t) => {
  const chat = { model: 'm', messages: [{ role: 'user', content: 'x' }], max_tokens: 1e300, n: 3 }
  t.equal(demandOf(asked('/v1/chat/completions', chat)).outputTokensMax, 3e9)
})

t.test('what cannot be told how long it may be is not taken at its word', async (t) => {
  const input = { model: 'm', input: 'hi', max_output_tokens: 1 }
  t.equal(demandOf(asked('/v1/responses/compact', input)).unbounded, true)
  t.equal(demandOf(asked('/v1/images/generations', { model: 'm', prompt: 'hi', n: 2 })).unbounded, true)
  for (const path of ['/v1/responses', '/v1/responses/input_tokens', '/v1/embeddings'])
    t.equal(demandOf(asked(path, input)).unbounded, undefined, path)
})

t.test('counting takes nothing', async (t) => {
  const counting = asked('/v1/responses/input_tokens', { model: 'm', input: 'x'.repeat(300) })
  t.match(demandOf(counting), { inputTokens: 0, outputTokensMax: 0 })
  t.match(spentOf(counting, 7), { input: 0, output: 0, bytes: 7 })
})

t.test('who does not wait for the head of an answer pays for the prompt', async (t) => {
  const left = (code: FaultCode, attempts: readonly Attempt[]): number => {
    const x: Ended = asked('/v1/chat/completions', {
      model: 'm',
      messages: [{ role: 'user', content: 'x'.repeat(300) }],
    })
    Object.assign(x, { answer: undefined })
    x.trace.fault = new Fault(code)
    x.trace.attempts = attempts
    return spentOf(x, 0).input
  }
  const sent: Attempt = { outcome: 'upstream-timeout', connectMs: 1, waitedMs: 0 }
  t.ok(left('upstream-timeout', [sent]) >= 100)
  t.ok(left('client-aborted', []) >= 100)
  t.equal(left('upstream-timeout', [{ outcome: 'upstream-timeout', waitedMs: 0 }]), 0, 'no connection was made')
  t.equal(left('breaker-open', [sent]), 0, 'another upstream was not asked')
  t.equal(left('upstream-unreachable', [{ outcome: 'upstream-unreachable', connectMs: 1, waitedMs: 0 }]), 0)
})

t.test('a stream that begins with an error takes nothing, one that says so later what came', async (t) => {
  const x = asked('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: 'hi' }], stream: true })
  x.trace.upstreamError = true
  x.trace.attempts = [{ outcome: 'answered', status: 200, waitedMs: 0 }]
  t.ok(spentOf(x, 0).input > 0)
  x.trace.attempts = [...x.trace.attempts, { outcome: 'error-event', status: 200, waitedMs: 0 }]
  t.match(spentOf(x, 7), { input: 0, output: 0, bytes: 7 })
})

t.test('a report that leaves out what was written does not say that nothing was', async (t) => {
  const x = asked('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: 'hi' }] })
  Object.assign(x.trace, { usage: { input: 5 }, end: 'complete', answerTextBytes: 300 })
  t.match(spentOf(x, 0), { input: 5, output: 100 })
  t.match(outcomeFields(x, runtime, ending), { usage: { input: 5, output: 100, estimated: true } })
  Object.assign(x.trace, { usage: { input: 5, output: 0 } })
  t.match(spentOf(x, 0), { input: 5, output: 0 }, 'what is said holds')
  const embedded = asked('/v1/embeddings', { model: 'm', input: 'hi' })
  Object.assign(embedded.trace, { usage: { input: 5 }, end: 'complete', answerTextBytes: 300 })
  t.match(spentOf(embedded, 0), { input: 5, output: 0 }, 'who only reads says nothing of it')
  t.same(outcomeFields(embedded, runtime, ending)['usage'], { input: 5 })
})

t.test('what is made in the background keeps its reservation until somebody says what it took', async (t) => {
  const make = (more: JsonObject): Answered => asked('/v1/responses', { model: 'm', input: 'hi', ...more })
  t.equal(spentOf(make({ background: true }), 0).unfinished, true)
  t.equal(spentOf(make({}), 0).unfinished, undefined)
  const whole = make({ background: true })
  Object.assign(whole.trace, { usage: { input: 5, output: 7 }, end: 'complete' })
  t.match(spentOf(whole, 0), { input: 5, output: 7, unfinished: undefined })
  const left = make({ background: true })
  Object.assign(left.trace, { usage: { input: 5, output: 7 }, end: undefined })
  t.equal(spentOf(left, 0).unfinished, true, 'it goes on without its client')
})

t.test('what is let go of while an answer streams is settled as if it were there', async (t) => {
  const long = 'x'.repeat(300)
  const all: readonly [string, JsonObject, number][] = [
    ['/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: long }], stream: true }, 100],
    ['/v1/responses', { model: 'm', input: long, stream: true, background: true }, 100],
  ]
  for (const [path, value, tokens] of all) {
    const x = asked(path, value)
    Object.assign(x, { route: { ...x.route, limitsBody: true } })
    const before = spentOf(x, 7)
    t.ok(before.input >= tokens, path)
    letGo(x, runtime)
    t.same(spentOf(x, 7), before)
    t.equal((x as Ended).content?.model, 'm')
    t.notMatch(JSON.stringify([(x as Ended).body, x.content, x.outgoing]), long)
  }
})
