// Whatever the pieces of a realtime answer and however its items interleave, what the client gathers from deltas, from each
// item's last events and from the whole answer is the same redaction of the same text; a denied call leaves nothing.
import t from 'tap'
import { array, asyncProperty, assert, boolean, constantFrom, nat, record } from 'fast-check'
import { grow } from '../../proxy/pipeline/exchange.ts'
import { filterStream } from '../support/filter-stream.ts'
import { interleaved } from '../support/interleaved.ts'
import { openaiProtocol } from '../../proxy/protocol/openai.ts'
import { messagesOf } from '../../proxy/protocol/socket.ts'
import { chunks, openBack } from '../unit/pipeline/answered.ts'

const back = openBack(`
redaction: [{ id: back, direction: response, detect: [email, us-ssn], action: mask }]
rules: [{ id: judged, effect: deny, actions: [tool.call], tools: [forbidden] }]`)
const found = openaiProtocol.resolveSocket?.('/v1/realtime', 'model=gpt-realtime-2')
if (found?.ok !== true) throw new Error('no operation')
const { operation } = found

const word = constantFrom('ada@example.org', '123-45-6789', 'ada@', 'example.org', '-', ' ', 'x', '😀', '"', '\n', '7')
const spoken = record({
  kind: constantFrom('text', 'audio', 'allowed', 'forbidden'),
  words: array(word, { maxLength: 6 }),
})
type Spoken = { readonly kind: string; readonly words: readonly string[] }
type Event = { readonly [name: string]: unknown }

/** The item as it is at the end. */
function itemOf({ kind, words }: Spoken, index: number, old: boolean): Event {
  const text = words.join('')
  const head = { id: `item_${index}`, object: 'realtime.item', status: 'completed' }
  if (kind === 'text')
    return { ...head, type: 'message', role: 'assistant', content: [{ type: old ? 'text' : 'output_text', text }] }
  if (kind === 'audio') {
    const part = { type: old ? 'audio' : 'output_audio', transcript: text }
    return { ...head, type: 'message', role: 'assistant', content: [part] }
  }
  const args = JSON.stringify({ secret: `planted ${text}` })
  return { ...head, type: 'function_call', call_id: `call_${index}`, name: kind, arguments: args }
}

function textOf(item: Event): string {
  if (typeof item['arguments'] === 'string') return item['arguments']
  const [part] = item['content'] as { text?: string; transcript?: string }[]
  return part?.text ?? part?.transcript ?? ''
}

function namesOf(kind: string, old: boolean): { readonly name: string; readonly whole: string } {
  if (kind === 'text') return { name: old ? 'response.text' : 'response.output_text', whole: 'text' }
  if (kind === 'audio')
    return { name: old ? 'response.audio_transcript' : 'response.output_audio_transcript', whole: 'transcript' }
  return { name: 'response.function_call_arguments', whole: 'arguments' }
}

type Saying = { readonly kind: string; readonly item: Event; readonly index: number }

function eventsOf({ kind, item, index }: Saying, size: number, old: boolean): Event[] {
  const text = textOf(item)
  const isCall = item['type'] === 'function_call'
  const answer = { response_id: 'resp_1', output_index: index }
  const at = { ...answer, item_id: item['id'], ...(isCall ? {} : { content_index: 0 }) }
  const { name, whole } = namesOf(kind, old)
  const begun = { ...item, status: 'in_progress', ...(isCall ? { arguments: '' } : { content: [] }) }
  const part = { type: kind, [whole]: '' }
  const pieces = Array.from(text).flatMap((_, from, all) =>
    from % size === 0 ? [all.slice(from, from + size).join('')] : [],
  )
  return [
    { type: 'response.output_item.added', ...answer, item: begun },
    { type: old ? 'conversation.item.created' : 'conversation.item.added', previous_item_id: null, item: begun },
    ...(isCall ? [] : [{ type: 'response.content_part.added', ...at, part }]),
    ...pieces.map((delta) => ({ type: `${name}.delta`, ...at, delta })),
    { type: `${name}.done`, ...at, [whole]: text },
    ...(isCall ? [] : [{ type: 'response.content_part.done', ...at, part: { ...part, [whole]: text } }]),
    ...(old ? [] : [{ type: 'conversation.item.done', previous_item_id: null, item }]),
    { type: 'response.output_item.done', ...answer, item },
  ]
}

/** What reaches the client. An error of the upstream's ends the sample, for conversations have no end of their own. */
async function through(events: readonly Event[]): Promise<Event[]> {
  const sent = [...events, { type: 'error', error: { type: 'server_error', message: 'over' } }]
  const { x, redaction } = back.answered('openai')
  const on = grow(x, { operation: { ...operation, openStream: () => operation.openSocket() } })
  const lines = sent.map((event, at) => `${JSON.stringify({ event_id: `event_${at}`, ...event })}\n`).join('')
  let written = ''
  for await (const text of filterStream(on, back.runtime, redaction, chunks([Buffer.from(lines)]))) written += text
  return messagesOf(written).map((line) => JSON.parse(line) as Event)
}

function isRight({ kind, item, index }: Saying, said: Spoken, got: readonly Event[]): boolean {
  const { redaction } = back.answered('openai')
  const own = got.filter(
    (event) =>
      event['output_index'] === index ||
      (typeof event['item'] === 'object' && (event['item'] as Event)['id'] === item['id']),
  )
  const grown = own.map((event) => (typeof event['delta'] === 'string' ? event['delta'] : '')).join('')
  const wholes = own
    .filter((event) => /^(response\.output|conversation)\.?_?item\.done$/.test(String(event['type'])))
    .map((event) => textOf(event['item'] as Event))
  const last = got.findLast((event) => event['type'] === 'response.done')?.['response'] as { output: Event[] }
  if ([...wholes, textOf(last.output[index] ?? {})].some((text) => text !== grown)) return false
  const parts = own.flatMap((event) => ['text', 'transcript', 'arguments'].flatMap((name) => event[name] ?? []))
  if (parts.some((text) => text !== grown)) return false
  if (kind === 'forbidden') return !JSON.stringify([own, last.output[index]]).includes('planted')
  const text = said.words.join('')
  return kind === 'allowed'
    ? (JSON.parse(grown) as Event)['secret'] === redaction.whole(`planted ${text}`)
    : grown === redaction.whole(text)
}

t.test('what grows and what is said again are one', async (t) => {
  await assert(
    asyncProperty(
      record({
        said: array(spoken, { minLength: 1, maxLength: 4 }),
        size: nat(6),
        picks: array(nat(9), { minLength: 1 }),
        old: boolean(),
      }),
      async ({ said, size, picks, old }) => {
        const items = said.map((one, index) => ({ kind: one.kind, item: itemOf(one, index, old), index }))
        const all = interleaved(
          items.map((one) => eventsOf(one, size + 1, old)),
          picks,
        )
        const output = items.map(({ item }) => item)
        const got = await through([...all, { type: 'response.done', response: { id: 'resp_1', output } }])
        return said.every((one, index) => isRight(items[index] as Saying, one, got))
      },
    ),
    { numRuns: 300 },
  )
  t.pass('for every trial')
})

t.test('a denied call stays away, whatever else says it', async (t) => {
  const call = itemOf({ kind: 'forbidden', words: ['a'] }, 0, false)
  const again = { ...call, id: 'item_other' }
  const response = { id: 'resp_1', output: [call] }
  for (const events of [
    [{ type: 'conversation.item.added', item: call }],
    [{ type: 'conversation.item.retrieved', item: call }],
    [{ type: 'response.done', response }],
    [{ type: 'response.created', response }],
    [
      ...eventsOf({ kind: 'forbidden', item: call, index: 0 }, 5, false),
      { type: 'conversation.item.done', item: again },
      { type: 'response.done', response: { ...response, output: [again] } },
    ],
    [
      { type: 'conversation.item.created', item: { ...call, status: 'in_progress', arguments: '' } },
      { type: 'conversation.item.done', item: call },
    ],
    [
      { type: 'response.output_item.added', response_id: 'resp_1', output_index: 0, item: { ...call, arguments: '' } },
      {
        type: 'response.function_call_arguments.delta',
        response_id: 'resp_1',
        item_id: 'item_0',
        output_index: 0,
        delta: 'planted',
      },
      { type: 'response.done', response: { ...response, status: 'cancelled', output: [] } },
    ],
  ]) {
    const got = JSON.stringify(await through(events))
    t.notMatch(got, 'planted')
    t.notMatch(got, '"function_call"')
    t.match(got, 'Gatewright denied the tool call forbidden')
  }
})
