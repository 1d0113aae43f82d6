// Whatever the pieces of a streamed response and however its items interleave, what the client gathers from deltas, from
// each item's last event and from the whole response is the same redaction of the same text; a denied call leaves nothing.
import t from 'tap'
import { array, asyncProperty, assert, boolean, constantFrom, nat, record } from 'fast-check'
import { grow } from '../../proxy/pipeline/exchange.ts'
import { filterStream } from '../support/filter-stream.ts'
import { interleaved } from '../support/interleaved.ts'
import { openaiProtocol } from '../../proxy/protocol/openai.ts'
import { chunks, openBack } from '../unit/pipeline/answered.ts'
import { parseEvents } from '../unit/pipeline/stream-formats.ts'

const back = openBack(`
redaction: [{ id: back, direction: response, detect: [email, us-ssn], action: mask }]
rules: [{ id: judged, effect: deny, actions: [tool.call], tools: [forbidden] }]`)
const operation = openaiProtocol.resolve('POST', '/v1/responses')
if (operation === undefined) throw new Error('no operation')
const responses = operation

const word = constantFrom('ada@example.org', '123-45-6789', 'ada@', 'example.org', '-', ' ', 'x', '😀', '"', '\n', '7')
const spoken = record({ tool: constantFrom('', '', 'allowed', 'forbidden'), words: array(word, { maxLength: 6 }) })
type Spoken = { readonly tool: string; readonly words: readonly string[] }
type Event = { readonly [name: string]: unknown }

/** The item as it is at the end. */
function itemOf({ tool, words }: Spoken, index: number): Event {
  const text = words.join('')
  if (tool === '') {
    const content = [{ type: 'output_text', text, annotations: [] }]
    return { type: 'message', id: `msg_${index}`, role: 'assistant', content }
  }
  const args = JSON.stringify({ secret: `planted ${text}` })
  return { type: 'function_call', id: `fc_${index}`, call_id: `call_${index}`, name: tool, arguments: args }
}

function eventsOf(item: Event, output_index: number, size: number): Event[] {
  const at = { item_id: item['id'], output_index }
  const isCall = typeof item['arguments'] === 'string'
  const text = isCall ? (item['arguments'] as string) : ((item['content'] as { text: string }[])[0]?.text ?? '')
  const name = isCall ? 'response.function_call_arguments' : 'response.output_text'
  const index = isCall ? {} : { content_index: 0 }
  const pieces = Array.from(text).flatMap((_, from, all) =>
    from % size === 0 ? [all.slice(from, from + size).join('')] : [],
  )
  return [
    {
      type: 'response.output_item.added',
      output_index,
      item: { ...item, ...(isCall ? { arguments: '' } : { content: [] }) },
    },
    ...pieces.map((delta) => ({ type: `${name}.delta`, ...at, ...index, delta })),
    { type: `${name}.done`, ...at, ...index, [isCall ? 'arguments' : 'text']: text },
    { type: 'response.output_item.done', output_index, item },
  ]
}

function textOf(item: Event): string {
  return typeof item['arguments'] === 'string'
    ? item['arguments']
    : ((item['content'] as { text: string }[])[0]?.text ?? '')
}

/** As OpenAI numbers its events, and makes those that grow a text alike in length. */
function numbered(events: readonly Event[]): Event[] {
  return events.map((event, sequence_number) => {
    const isDelta = String(event['type']).endsWith('.delta')
    const padding = isDelta ? { obfuscation: 'a1B2c3D4'.slice(0, (sequence_number * 5) % 9) } : {}
    return { type: event['type'], sequence_number, ...event, ...padding }
  })
}

function numbersOf(events: readonly Event[]): number[] {
  return events.map((event) => event['sequence_number'] as number)
}

async function through(events: readonly Event[]): Promise<Event[]> {
  const sent = events.map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join('')
  const { x, redaction } = back.answered('openai')
  const bytes = chunks([new TextEncoder().encode(sent)])
  let written = ''
  for await (const text of filterStream(grow(x, { operation: responses }), back.runtime, redaction, bytes))
    written += text
  return parseEvents(written).map(({ data }) => JSON.parse(data) as Event)
}

t.test('what grows and what is said again are one', async (t) => {
  await assert(
    asyncProperty(
      record({
        said: array(spoken, { minLength: 1, maxLength: 4 }),
        size: nat(6),
        picks: array(nat(9), { minLength: 1 }),
        isNumbered: boolean(),
      }),
      async ({ said, size, picks, isNumbered }) => {
        const items = said.map(itemOf)
        const all = interleaved(
          items.map((item, index) => eventsOf(item, index, size + 1)),
          picks,
        )
        const events = [...all, { type: 'response.completed', response: { id: 'resp_1', output: items } }]
        const { redaction } = back.answered('openai')
        const got = await through(isNumbered ? numbered(events) : events)
        const numbers = numbersOf(got)
        const isPlain = said.every(({ tool }) => tool === '')
        if (isNumbered && isPlain && numbers.some((one, at) => !(one >= (numbers[at - 1] ?? 0)))) return false
        const last = got.at(-1)?.['response'] as { output: Event[] }
        for (const [index, one] of said.entries()) {
          const own = got.filter((event) => event['output_index'] === index)
          const grown = own.map((event) => (typeof event['delta'] === 'string' ? event['delta'] : '')).join('')
          const done = own.find((event) => event['type'] === 'response.output_item.done')?.['item'] as Event
          const text = textOf(done)
          if (grown !== text || textOf(last.output[index] ?? {}) !== text) return false
          const whole = redaction.whole(one.words.join(''))
          if (one.tool === '' && text !== whole) return false
          if (
            one.tool === 'allowed' &&
            (JSON.parse(text) as Event)['secret'] !== redaction.whole(`planted ${one.words.join('')}`)
          )
            return false
          if (one.tool === 'forbidden' && JSON.stringify(own).includes('planted')) return false
        }
        return true
      },
    ),
    { numRuns: 300 },
  )
  t.pass('for every trial')
})

t.test('a denied call stays away, whatever item says it again', async (t) => {
  const call = itemOf({ tool: 'forbidden', words: ['a'] }, 0)
  const other = { ...call, id: 'fc_other' }
  for (const output of [[call], [other], [call, other], [other, call]]) {
    const events = [...eventsOf(call, 0, 5), { type: 'response.completed', response: { id: 'resp_1', output } }]
    const got = JSON.stringify(await through(events))
    t.notMatch(got, 'planted')
    t.notMatch(got, '"function_call"')
  }
})
