// Whatever the splits, of the text into deltas and of the stream into chunks, the client assembles the redaction of the
// whole text; nothing of a value is written before it is known to be none; and a stream that was cut off never looks
// whole.
import t from 'tap'
import { array, assert, asyncProperty, boolean, constantFrom, nat, record, tuple } from 'fast-check'
import { Fault } from '../../proxy/errors.ts'
import { filterStream } from '../../proxy/pipeline/filters/stream.ts'
import { chunks, openBack, type Answering, type Back } from '../unit/pipeline/answered.ts'
import { anthropic, openai, parseEvents, type Format, type Said } from '../unit/pipeline/stream-formats.ts'

const formats = { openai, anthropic } as const
type Name = keyof typeof formats

const masked = openBack("redaction: [{ id: back, direction: response, detect: [pii, secrets], action: mask }]")
const tokens = openBack('redaction: [{ id: out, direction: request, detect: [pii, secrets], action: token }]')
const both = openBack(`
redaction:
  - { id: out, direction: request, detect: [pii, secrets], action: token }
  - { id: back, direction: response, detect: [us-ssn, payment-card, email], action: remove }
rules: [{ id: judged, effect: deny, actions: [tool.call], tools: [forbidden] }]`)

const utf8 = new TextEncoder()

/** Everything that was written, in the pieces in which it was. */
async function filtered({ x, redaction }: Answering, back: Back, pieces: readonly Uint8Array[]): Promise<{ written: string[]; fault: string | undefined }> {
  const written: string[] = []
  try {
    for await (const text of filterStream(x, back.runtime, redaction, chunks(pieces))) written.push(text)
    return { written, fault: undefined }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { written, fault: error.code }
  }
}

/** What the client should have in the end: each text as a whole, each argument by its own. */
function expected({ redaction }: Answering, said: readonly Said[]): Map<string, string> {
  return new Map(said.map((one) => {
    const text = one.pieces.join('')
    if (one.kind === 'text') return [`text:${one.at}`, redaction.whole(text)]
    const each = (value: unknown): unknown => {
      if (typeof value === 'string') return redaction.whole(value)
      if (Array.isArray(value)) return value.map(each)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, each(member)]))
    }
    return [`arguments:${one.at}`, JSON.stringify(each(JSON.parse(text)))]
  }))
}

/** Undefined when all is as it should be. */
async function wrong(name: Name, back: Back, given: Parameters<Back['answered']>[1], make: (tokens: readonly string[]) => Said[], split: Split, order?: readonly number[]): Promise<string | undefined> {
  const format: Format = formats[name]
  const answering = back.answered(name, given)
  const said = make(answering.tokens)
  const want = expected(back.answered(name, given), said)
  const body = utf8.encode(format.write(said, order).join(''))
  const { written, fault } = await filtered(answering, back, split(body))
  if (fault !== undefined) return `fault ${fault}`
  const all = written.join('')
  if (!all.endsWith('\n\n')) return 'the last event is not whole'
  const events = parseEvents(all)
  if (events.filter((event) => format.isTerminal(event)).length !== 1 || !format.isTerminal(events.at(-1) ?? { event: '', data: '' })) return 'the terminal event is not the last'
  return differs(format.assemble(all), want) ?? leaks(format, written, want)
}

function differs(got: Map<string, string>, want: Map<string, string>): string | undefined {
  for (const [channel, text] of want) {
    const have = got.get(channel) ?? ''
    const same = channel.startsWith('text') ? have === text : JSON.stringify(JSON.parse(have)) === text
    if (!same) return `${channel}: ${JSON.stringify(have)} instead of ${JSON.stringify(text)}`
  }
  return undefined
}

/** At every moment what the client has is a beginning of what it may have; of arguments it has all or nothing. */
function leaks(format: Format, written: readonly string[], want: Map<string, string>): string | undefined {
  let sofar = ''
  for (const piece of written) {
    sofar += piece
    for (const [channel, text] of format.assemble(sofar)) {
      const may = want.get(channel) ?? ''
      if (channel.startsWith('text') ? !may.startsWith(text) : text !== '' && JSON.stringify(JSON.parse(text)) !== may) return `early on ${channel}: ${JSON.stringify(text)}`
    }
  }
  return undefined
}

type Split = (body: Uint8Array) => Uint8Array[]
const whole: Split = (body) => [body]
const single: Split = (body) => Array.from(body, (_, i) => body.subarray(i, i + 1))
const cutAt = (...cuts: readonly number[]): Split => (body) => {
  const at = [0, ...[...cuts].map((cut) => cut % (body.length + 1)).sort((a, b) => a - b), body.length]
  return at.slice(1).map((end, i) => body.subarray(at[i] ?? 0, end))
}

/** Between characters: no upstream writes half of one into a JSON string, and the parser would refuse it. */
function twoPieces(text: string): string[][] {
  const characters = Array.from(text)
  return characters.map((_, i) => [characters.slice(0, i).join(''), characters.slice(i).join('')])
}

const value = { entity: 'email', value: 'own@value.org' }
const sample = 'ssn 378-07-9520, é😀電 mail ada@example.org. Ring +44 20 7946 0958!'
const args = '{"to":"ada@example.org","deep":[{"é":"ssn 378-07-9520"},7,null],"note":"😀"}'

for (const name of ['openai', 'anthropic'] as const) {
  t.test(`${name}: every split of the text into two deltas, and single characters`, async (t) => {
    for (const pieces of [...twoPieces(sample), Array.from(sample), [sample]]) {
      const result = await wrong(name, masked, [], () => [{ kind: 'text', at: 0, pieces }], whole)
      if (result !== undefined) t.fail(`${JSON.stringify(pieces)}: ${result}`)
    }
  })

  t.test(`${name}: every split of the arguments`, async (t) => {
    for (const pieces of [...twoPieces(args), Array.from(args), [args]]) {
      const result = await wrong(name, masked, [], () => [{ kind: 'arguments', at: 0, name: 'send', pieces }], whole)
      if (result !== undefined) t.fail(`${JSON.stringify(pieces)}: ${result}`)
    }
  })

  t.test(`${name}: every split of a token that was given out`, async (t) => {
    for (const back of [tokens, both]) {
      const text = ([token = '']: readonly string[]): string => `To ${token}, not EMAIL_ or EMAIL_0123456789 but ${token}`
      const length = Array.from(text(back.answered(name, [value]).tokens)).length
      for (let i = 0; i < length; i++) {
        const make = (given: readonly string[]): Said[] => [{ kind: 'text', at: 0, pieces: twoPieces(text(given))[i] ?? [] }]
        const result = await wrong(name, back, [value], make, whole)
        if (result !== undefined) t.fail(`at ${i}: ${result}`)
      }
      const inArguments = await wrong(name, back, [value], (given) => [{ kind: 'arguments', at: 0, name: 'send', pieces: Array.from(`{"to":"${given[0]}"}`) }], whole)
      t.equal(inArguments, undefined)
    }
    const { redaction, tokens: given } = tokens.answered(name, [value])
    t.equal(redaction.whole(`To ${given[0]}.`), 'To own@value.org.', 'and it really is restored')
  })

  t.test(`${name}: every split of the bytes into two chunks, and single bytes`, async (t) => {
    const said: Said[] = [
      { kind: 'text', at: 0, pieces: ['ssn 378-0', '7-9520 é', '😀電 ada@exa', 'mple.org. '] },
      { kind: 'arguments', at: 1, name: 'send', pieces: ['{"to":"ada@', 'example.org"}'] },
      { kind: 'text', at: 2, pieces: ['Ring +44 20 79', '46 0958'] },
    ]
    const order = [0, 1, 2, 0, 1, 2, 0, 2, 1, 0]
    const { length } = utf8.encode(formats[name].write(said, order).join(''))
    for (let i = 0; i <= length; i++) {
      const result = await wrong(name, masked, [], () => said, cutAt(i), order)
      if (result !== undefined) t.fail(`at ${i}: ${result}`)
    }
    t.equal(await wrong(name, masked, [], () => said, single, order), undefined)
  })

  t.test(`${name}: a stream that is cut anywhere never ends cleanly`, async (t) => {
    const format: Format = formats[name]
    const said: Said[] = [
      { kind: 'text', at: 0, pieces: ['mail ada@exa', 'mple.org. '] },
      { kind: 'arguments', at: 1, name: 'send', pieces: ['{"to":"ada@', 'example.org"}'] },
    ]
    const body = utf8.encode(format.write(said).join(''))
    const want = expected(masked.answered(name), said)
    for (const back of [masked, both]) {
      for (let end = 0; end < body.length; end++) {
        const { written, fault } = await filtered(back.answered(name), back, [body.subarray(0, end)])
        if (fault !== 'upstream-truncated') t.fail(`cut at ${end} gives ${fault}`)
        if (parseEvents(written.join('')).some((event) => format.isTerminal(event))) t.fail(`cut at ${end} has its end`)
        const leak = back === masked ? leaks(format, written, want) : undefined
        if (leak !== undefined) t.fail(`cut at ${end}: ${leak}`)
      }
    }
    t.equal((await filtered(masked.answered(name), masked, [body])).fault, undefined)
  })
}

const atoms = [
  'ada@example.org', 'own@value.org', '378-07-9520', '4111 1111 1111 1111', '+44 20 7946 0958', 'GB82 WEST 1234 5698 7654 32', '10.20.30.40',
  `ghp_${'a1B2c3D4e5F6'.repeat(3)}`, 'TOKEN', 'TOKEN@', 'EMAIL_', 'é', '😀', '電', '"', '\\', '\n', '\u2028', 'data: ', '[DONE]', 'x', '1', '@', '.', '-', '{',
  'the quick brown fox', '-----BEGIN RSA PRIVATE KEY-----\nMIIE',
]
const text = array(tuple(constantFrom(...atoms), constantFrom('', ' ', ' ', '\n', '.')), { maxLength: 8 }).map((parts) => parts.flat().join(''))
const cuts = array(nat(400), { maxLength: 6 })
const channel = record({ text, cuts, isCall: boolean() })

/** Between characters, some pieces empty. */
function cutText(whole: string, at: readonly number[]): string[] {
  const characters = Array.from(whole)
  const ends = [...at.map((cut) => cut % (characters.length + 1)).sort((a, b) => a - b), characters.length]
  return ends.map((end, i) => characters.slice(ends[i - 1] ?? 0, end).join(''))
}

t.test('random texts on random channels in random pieces', async (t) => {
  const runs = Number(process.env['RUNS'] ?? 1500)
  const channels = array(channel, { minLength: 1, maxLength: 3 })
  const holds = assert(
    asyncProperty(constantFrom<Name>('openai', 'anthropic'), nat(2), channels, array(nat(5), { maxLength: 30 }), cuts, async (name, which, drawn, order, byteCuts) => {
      const back = [masked, tokens, both][which] ?? masked
      const make = ([token = '']: readonly string[]): Said[] =>
        drawn.map(({ text, cuts, isCall }, at) => {
          const full = text.replaceAll('TOKEN', token)
          if (isCall) return { kind: 'arguments', at, name: 'send', pieces: cutText(JSON.stringify({ to: full, list: [full] }), cuts) }
          return { kind: 'text', at, pieces: cutText(full, cuts) }
        })
      const result = await wrong(name, back, [value], make, cutAt(...byteCuts.map((cut) => cut * 11)), order)
      if (result !== undefined) throw new Error(result)
    }),
    { numRuns: runs },
  )
  await t.resolves(holds)
})
