// Whatever the splits, of the text into lines and of the stream into chunks: the client assembles the redaction of the
// whole text, reads nothing of a denied call, and a stream that was cut off never looks whole.
import t from 'tap'
import { array, asyncProperty, boolean, check, constantFrom, nat, record } from 'fast-check'
import { Fault } from '../../proxy/errors.ts'
import { filterStream } from '../support/filter-stream.ts'
import { chunks, openBack } from '../unit/pipeline/answered.ts'

const back = openBack(`
redaction: [{ id: back, direction: response, detect: [us-ssn, email], action: mask }]
rules: [{ id: no, effect: deny, actions: [tool.call], tools: [denied] }]`)
const runs = Number(process.env['RUNS'] ?? 600)
/** Each line has a time of its own. */
let written = 0
const head = () => ({ model: 'm', created_at: `2026-08-04T08:52:19.${(written += 7919)}Z` })

type Line = {
  readonly model: string
  readonly message: {
    readonly content?: string
    readonly thinking?: string
    readonly tool_calls?: readonly { readonly function: { readonly name: string; readonly arguments: object } }[]
  }
  readonly done: boolean
}

function lineOf(message: object, done = false): string {
  return JSON.stringify({ ...head(), message: { role: 'assistant', content: '', ...message }, done })
}

async function filtered(pieces: readonly Uint8Array[]): Promise<{ written: string; fault: string | undefined }> {
  const { x, redaction } = back.answered('ollama')
  let written = ''
  try {
    for await (const text of filterStream(x, back.runtime, redaction, chunks(pieces))) written += text
    return { written, fault: undefined }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { written, fault: error.code }
  }
}

function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, i) => bytes.subarray(at[i] ?? 0, end))
}

/** Between characters. */
function piecesOf(text: string, size: number): string[] {
  const characters = Array.from(text)
  return Array.from({ length: Math.ceil(characters.length / size) }, (_, i) =>
    characters.slice(i * size, (i + 1) * size).join(''),
  )
}

const said = array(constantFrom('ada@example.org', '378-07-9520', 'é😀 ', '"\\\n', 'plain words ', '. '), {
  maxLength: 6,
})
const drawn = record({
  thought: said.map((parts) => parts.join(' ')),
  spoken: said.map((parts) => parts.join(' ')),
  calls: array(constantFrom('allowed', 'denied'), { maxLength: 3 }),
  size: constantFrom(1, 3, 8, 1000),
  cuts: array(nat(4000), { maxLength: 6 }),
  lineEnd: constantFrom('\n', '\r\n', '\n\n'),
  atOnce: boolean(),
})

t.test('any stream of any split', async (t) => {
  const whole = back.answered('ollama').redaction
  const outcome = await check(
    asyncProperty(drawn, async ({ thought, spoken, calls, size, cuts, lineEnd, atOnce }) => {
      const made = calls.map((name) => ({ function: { name, arguments: { to: 'ada@example.org' } } }))
      const lines = [
        ...piecesOf(thought, size).map((thinking) => lineOf({ thinking })),
        ...piecesOf(spoken, size).map((content) => lineOf({ content })),
        ...(atOnce ? [lineOf({ tool_calls: made })] : made.map((one) => lineOf({ tool_calls: [one] }))),
        lineOf({}, true),
      ]
      const bytes = Buffer.from(lines.map((line) => line + lineEnd).join(''))
      const { written, fault } = await filtered(cutAt(bytes, cuts))
      if (fault !== undefined || !written.endsWith('\n')) throw new Error(`${fault} ${written}`)
      const read = written
        .trimEnd()
        .split(/\r?\n/)
        .map((line) => JSON.parse(line) as Line)
      if (read.filter((line) => line.done).length !== 1 || read.at(-1)?.done !== true) throw new Error('no end')
      if (!read.every((line) => line.model === 'm')) throw new Error('a line without its head')
      const text = (of: 'content' | 'thinking'): string => read.map(({ message }) => message[of] ?? '').join('')
      if (text('thinking') !== whole.whole(thought)) throw new Error(text('thinking'))
      if (!text('content').startsWith(whole.whole(spoken))) throw new Error(text('content'))
      const denied = calls.filter((name) => name === 'denied').length
      if (text('content').split('[Gatewright denied').length - 1 !== denied) throw new Error(text('content'))
      const left = read.flatMap(({ message }) => message.tool_calls ?? [])
      if (left.length !== calls.length - denied) throw new Error(JSON.stringify(left))
      if (left.some((one) => JSON.stringify(one) !== '{"function":{"name":"allowed","arguments":{"to":"[EMAIL]"}}}'))
        throw new Error(JSON.stringify(left))
    }),
    { numRuns: runs },
  )
  t.notOk(outcome.failed, `${outcome.seed} ${JSON.stringify(outcome.counterexample)}: ${String(outcome.errorInstance)}`)
})

t.test('a stream that is cut anywhere never ends cleanly', async (t) => {
  const body = Buffer.from(
    `${lineOf({ content: 'mail ada@' })}\n${lineOf({ content: 'example.org.' })}\n${lineOf({}, true)}\n`,
  )
  // What is missing then is a line end, and all has been said.
  const whole = body.length - 1
  for (let end = 0; end < whole; end += 1) {
    const { written, fault } = await filtered([body.subarray(0, end)])
    if (fault !== 'upstream-truncated' || written.includes('"done":true')) t.fail(`cut at ${end}: ${fault} ${written}`)
  }
  const { written, fault } = await filtered([body])
  t.equal(fault, undefined)
  t.same(await filtered([body.subarray(0, whole)]), { written: written.trimEnd(), fault: undefined })
})
