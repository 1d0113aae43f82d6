// Whatever calls a model makes, in whatever pieces and order, the official SDKs' own accumulators read the filtered
// stream to its end: the allowed calls as they were made, text in the place of the denied ones, and a fitting reason.
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream'
import { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream'
import { array, asyncProperty, boolean, check, constantFrom, nat, record } from 'fast-check'
import t from 'tap'
import { filterStream } from '../support/filter-stream.ts'
import { interleaved } from '../support/interleaved.ts'
import { chunks, openBack, type Way } from '../unit/pipeline/answered.ts'
import { parseEvents } from '../unit/pipeline/stream-formats.ts'

const judged = openBack('rules: [{ id: no, effect: deny, actions: [tool.call], tools: [denied] }]')
const redacting = openBack(`
redaction: [{ id: back, direction: response, detect: [us-ssn], action: mask }]
rules: [{ id: no, effect: deny, actions: [tool.call], tools: [denied] }]`)

const sentence = '[Gatewright denied the tool call denied by rule no: Denied by rule no.]'
const runs = Number(process.env['RUNS'] ?? 150)

type Said = { readonly text: string } | { readonly name: string; readonly args: string }

async function filtered(back: typeof judged, way: Way, events: readonly string[], size: number): Promise<string> {
  const { x, redaction } = back.answered(way)
  const bytes = Buffer.from(events.join(''))
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  )
  let written = ''
  for await (const text of filterStream(x, back.runtime, redaction, chunks(pieces))) written += text
  return written
}

/** What the SDKs read instead of a response: a line for each event. */
function asLines(stream: string): ReadableStream {
  const lines = parseEvents(stream).flatMap(({ data }) => (data === '[DONE]' ? [] : [`${data}\n`]))
  return ReadableStream.from(lines.map((line) => Buffer.from(line)))
}

function pieces(text: string): string[] {
  return text.match(/[^]{1,5}/g) ?? []
}

function anthropicEvents(said: readonly Said[], turns: readonly number[]): string[] {
  const event = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`
  const blocks = said.map((one, index) => {
    const block =
      'text' in one ? { type: 'text', text: '' } : { type: 'tool_use', id: `toolu_${index}`, name: one.name, input: {} }
    const deltas =
      'text' in one
        ? pieces(one.text).map((text) => ({ type: 'text_delta', text }))
        : pieces(one.args).map((partial_json) => ({ type: 'input_json_delta', partial_json }))
    return [
      event('content_block_start', { index, content_block: block }),
      ...deltas.map((delta) => event('content_block_delta', { index, delta })),
      event('content_block_stop', { index }),
    ]
  })
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  }
  const stop = said.some((one) => 'name' in one) ? 'tool_use' : 'end_turn'
  return [
    event('message_start', { message }),
    ...interleaved(blocks, turns),
    event('message_delta', { delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 9 } }),
    event('message_stop', {}),
  ]
}

function openaiEvents(said: readonly Said[], turns: readonly number[]): string[] {
  const chunk = (delta: object, finish_reason: string | null = null): string =>
    `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] })}\n\n`
  const calls = said.filter((one) => 'name' in one)
  const lists = said.map((one) => {
    if ('text' in one) return pieces(one.text).map((content) => chunk({ content }))
    const index = calls.indexOf(one)
    const first = { index, id: `call_${index}`, type: 'function', function: { name: one.name, arguments: '' } }
    return [
      chunk({ tool_calls: [first] }),
      ...pieces(one.args).map((piece) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] })),
    ]
  })
  return [
    chunk({ role: 'assistant', content: null }),
    ...interleaved(lists, turns),
    chunk({}, calls.length > 0 ? 'tool_calls' : 'stop'),
    'data: [DONE]\n\n',
  ]
}

const callOf = (name: string): Said => ({ name, args: '{"id": 7, "note": "é😀"}' })
const drawn = record({
  said: array(
    constantFrom<Said>({ text: 'Some words, é😀. ' }, callOf('allowed'), callOf('denied'), {
      name: 'denied',
      args: '{',
    }),
    {
      minLength: 1,
      maxLength: 5,
    },
  ).map((all) => all.map((one) => ({ ...one }))),
  turns: array(nat(9), { maxLength: 40 }),
  size: constantFrom(1, 7, 64, 10_000),
  redacts: boolean(),
})

t.test('Anthropic: every block in its place', async (t) => {
  const outcome = await check(
    asyncProperty(drawn, async ({ said, turns, size, redacts }) => {
      const stream = MessageStream.fromReadableStream(
        asLines(await filtered(redacts ? redacting : judged, 'anthropic', anthropicEvents(said, turns), size)),
      )
      const message = await stream.finalMessage()
      const want = said.map((one) =>
        'text' in one ? one.text : one.name === 'denied' ? sentence : JSON.stringify(JSON.parse(one.args)),
      )
      const got = message.content.map((block) =>
        block.type === 'text' ? block.text : block.type === 'tool_use' ? JSON.stringify(block.input) : block.type,
      )
      if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(JSON.stringify(got))
      const left = said.some((one) => 'name' in one && one.name === 'allowed')
      if (message.stop_reason !== (left ? 'tool_use' : 'end_turn')) throw new Error(String(message.stop_reason))
    }),
    { numRuns: runs },
  )
  t.notOk(outcome.failed, `${outcome.seed} ${JSON.stringify(outcome.counterexample)}: ${String(outcome.errorInstance)}`)
})

t.test('OpenAI: the calls that are left, and the text', async (t) => {
  const outcome = await check(
    asyncProperty(drawn, async ({ said, turns, size, redacts }) => {
      const stream = ChatCompletionStream.fromReadableStream(
        asLines(await filtered(redacts ? redacting : judged, 'openai', openaiEvents(said, turns), size)),
      )
      const [choice] = (await stream.finalChatCompletion()).choices
      const calls = said.filter((one) => 'name' in one)
      const left = calls.filter((one) => one.name === 'allowed')
      const got = (choice?.message.tool_calls ?? []).map((one) =>
        one.type === 'function' ? one.function.arguments : one.type,
      )
      if (JSON.stringify(got) !== JSON.stringify(left.map((one) => one.args))) throw new Error(JSON.stringify(choice))
      const denials = (choice?.message.content ?? '').split(sentence).length - 1
      if (denials !== calls.length - left.length) throw new Error(String(choice?.message.content))
      if (choice?.finish_reason !== (left.length > 0 ? 'tool_calls' : 'stop'))
        throw new Error(String(choice?.finish_reason))
    }),
    { numRuns: runs },
  )
  t.notOk(outcome.failed, `${outcome.seed} ${JSON.stringify(outcome.counterexample)}: ${String(outcome.errorInstance)}`)
})
