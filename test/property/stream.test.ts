// Whatever the splits, of the text into deltas and of the stream into chunks, the client assembles the redaction of the
// whole text; nothing of a value is written before it is known to be none; and a stream that was cut off never looks
// whole.
import t, { type Test } from 'tap'
import { array, asyncProperty, check, boolean, constantFrom, nat, record, tuple } from 'fast-check'
import { Fault } from '../../proxy/errors.ts'
import { filterStream } from '../support/filter-stream.ts'
import { chunks, openBack, type Answering, type Back } from '../unit/pipeline/answered.ts'
import { anthropic, openai, parseEvents, type Ending, type Format, type Said } from '../unit/pipeline/stream-formats.ts'

const formats = { openai, anthropic } as const
type Name = keyof typeof formats

const masked = openBack('redaction: [{ id: back, direction: response, detect: [pii, secrets], action: mask }]')
const tokens = openBack('redaction: [{ id: out, direction: request, detect: [pii, secrets], action: token }]')
const both = openBack(`
redaction:
  - { id: out, direction: request, detect: [pii, secrets], action: token }
  - { id: back, direction: response, detect: [us-ssn, payment-card, email], action: remove }
rules: [{ id: judged, effect: deny, actions: [tool.call], tools: [forbidden] }]`)

const utf8 = new TextEncoder()

/** Everything that was written, in the pieces in which it was. */
async function filtered(
  { x, redaction }: Answering,
  back: Back,
  pieces: readonly Uint8Array[],
): Promise<{ written: string[]; fault: string | undefined }> {
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
  return new Map(
    said.map((one) => {
      const text = one.pieces.join('')
      if (one.kind === 'text') return [`text:${one.at}`, redaction.whole(text)]
      const each = (value: unknown): unknown => {
        if (typeof value === 'string') return redaction.whole(value)
        if (Array.isArray(value)) return value.map(each)
        if (typeof value !== 'object' || value === null) return value
        return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, each(member)]))
      }
      return [`arguments:${one.at}`, JSON.stringify(each(JSON.parse(text)))]
    }),
  )
}

type Trial = {
  readonly name: Name
  readonly back: Back
  /** Given the token that stands for a value of the request. */
  readonly make: (token: string) => Said[]
  readonly split?: Split
  readonly order?: readonly number[]
  readonly ending?: Ending
  readonly crlf?: boolean
}

const given = { entity: 'email', value: 'own@value.org' }

/** Undefined when all is as it should be. */
async function wrong({ name, back, make, split = whole, order, ending, crlf }: Trial): Promise<string | undefined> {
  const format: Format = formats[name]
  const answering = back.answered(name, [given])
  const said = make(answering.tokens[0] ?? '')
  const want = expected(back.answered(name, [given]), said)
  const stream = format.write(said, order, ending).join('')
  const body = utf8.encode(crlf === true ? stream.replaceAll('\n', '\r\n') : stream)
  const { written, fault } = await filtered(answering, back, split(body))
  if (fault !== undefined) return `fault ${fault}`
  const all = written.join('')
  if (!/(\n|\r)\r?\n?$/.test(all)) return 'the last event is not whole'
  const events = parseEvents(all)
  if (
    events.filter((event) => format.isTerminal(event)).length !== 1 ||
    !format.isTerminal(events.at(-1) ?? { event: '', data: '' })
  )
    return 'the terminal event is not the last'
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
      if (channel.startsWith('text') ? !may.startsWith(text) : text !== '' && JSON.stringify(JSON.parse(text)) !== may)
        return `early on ${channel}: ${JSON.stringify(text)}`
    }
  }
  return undefined
}

type Split = (body: Uint8Array) => Uint8Array[]
const whole: Split = (body) => [body]
const single: Split = (body) => Array.from(body, (_, i) => body.subarray(i, i + 1))
const cutAt =
  (...cuts: readonly number[]): Split =>
  (body) => {
    const at = [0, ...[...cuts].map((cut) => cut % (body.length + 1)).sort((a, b) => a - b), body.length]
    return at.slice(1).map((end, i) => body.subarray(at[i] ?? 0, end))
  }

/** Between characters: no upstream writes half of one into a JSON string, and the parser would refuse it. */
function twoPieces(text: string): string[][] {
  const characters = Array.from(text)
  return characters.map((_, i) => [characters.slice(0, i).join(''), characters.slice(i).join('')])
}

const sample = 'ssn 378-07-9520, é😀電 mail ada@example.org. Ring +44 20 7946 0958!'
const args = '{"to":"ada@example.org","deep":[{"é":"ssn 378-07-9520"},7,null],"note":"😀"}'
const mixed: Said[] = [
  { kind: 'text', at: 0, pieces: ['ssn 378-0', '7-9520 é', '😀電 ada@exa', 'mple.org. '] },
  { kind: 'arguments', at: 1, name: 'send', pieces: ['{"to":"ada@', 'example.org"}'] },
  { kind: 'text', at: 2, pieces: ['Ring +44 20 79', '46 0958'] },
]
const order = [0, 1, 2, 0, 1, 2, 0, 2, 1, 0]
const endings = ['own', 'with-last', 'none'] as const

/** One assertion for many trials, that names those which failed. */
async function none(t: Test, trials: readonly Trial[]): Promise<void> {
  const failures: string[] = []
  for (const [index, trial] of trials.entries()) {
    const result = await wrong(trial)
    if (result !== undefined) failures.push(`${index}: ${result}`)
  }
  t.same(failures, [], `${trials.length} splits`)
  t.ok(trials.length > 0)
}

for (const name of ['openai', 'anthropic'] as const) {
  t.test(`${name}: every split of the text into two deltas, and single characters`, async (t) => {
    const splits = [...twoPieces(sample), Array.from(sample), [sample]]
    await none(
      t,
      splits.flatMap((pieces) =>
        endings.map(
          (ending) => ({ name, back: masked, ending, make: () => [{ kind: 'text', at: 0, pieces }] }) as const,
        ),
      ),
    )
  })

  t.test(`${name}: every split of the arguments`, async (t) => {
    const splits = [...twoPieces(args), Array.from(args), [args]]
    await none(
      t,
      splits.flatMap((pieces) =>
        endings.map(
          (ending) =>
            ({ name, back: masked, ending, make: () => [{ kind: 'arguments', at: 0, name: 'send', pieces }] }) as const,
        ),
      ),
    )
  })

  t.test(`${name}: every split of a token that was given out`, async (t) => {
    for (const back of [tokens, both]) {
      const text = (token: string): string => `To ${token}, not EMAIL_ or EMAIL_0123456789 but ${token}`
      const length = Array.from(text('EMAIL_0123456789')).length
      await none(
        t,
        Array.from(
          { length },
          (_, i) =>
            ({
              name,
              back,
              make: (token: string) => [{ kind: 'text', at: 0, pieces: twoPieces(text(token))[i] ?? [] }],
            }) as const,
        ),
      )
      await none(t, [
        {
          name,
          back,
          make: (token) => [{ kind: 'arguments', at: 0, name: 'send', pieces: Array.from(`{"to":"${token}"}`) }],
        },
      ])
    }
    const answering = tokens.answered(name, [given])
    t.equal(answering.redaction.whole(`To ${answering.tokens[0]}.`), 'To own@value.org.', 'and it really is restored')
  })

  t.test(`${name}: every split of the bytes into two chunks, and single bytes`, async (t) => {
    const { length } = utf8.encode(formats[name].write(mixed, order).join(''))
    const frame = { name, back: masked, make: () => mixed, order }
    await none(
      t,
      Array.from({ length }, (_, i) => ({ ...frame, split: cutAt(i) })),
    )
    await none(t, [
      { ...frame, split: single },
      { ...frame, split: single, crlf: true },
    ])
    await none(
      t,
      Array.from({ length: 200 }, (_, i) => ({ ...frame, crlf: true, split: cutAt(i) })),
    )
  })

  t.test(`${name}: a stream that is cut anywhere never ends cleanly`, async (t) => {
    const format: Format = formats[name]
    const body = utf8.encode(format.write(mixed, order).join(''))
    // What is missing then is a line end, and all has been said.
    const whole = body.length - 2
    const want = expected(masked.answered(name), mixed)
    const failures: string[] = []
    for (const back of [masked, both]) {
      for (let end = 0; end < whole; end++) {
        const { written, fault } = await filtered(back.answered(name), back, [body.subarray(0, end)])
        if (fault !== 'upstream-truncated') failures.push(`cut at ${end} gives ${fault}`)
        if (parseEvents(written.join('')).some((event) => format.isTerminal(event)))
          failures.push(`cut at ${end} has its end`)
        const leak = back === masked ? leaks(format, written, want) : undefined
        if (leak !== undefined) failures.push(`cut at ${end}: ${leak}`)
      }
    }
    t.same(failures, [])
    const { written, fault } = await filtered(masked.answered(name), masked, [body])
    t.equal(fault, undefined)
    for (let end = whole; end < body.length; end++) {
      const cut = await filtered(masked.answered(name), masked, [body.subarray(0, end)])
      t.same([cut.fault, cut.written.join('')], [undefined, written.join('')], `cut at ${end}`)
    }
  })
}

const atoms = [
  'ada@example.org',
  'own@value.org',
  '378-07-9520',
  '4111 1111 1111 1111',
  '+44 20 7946 0958',
  'GB82 WEST 1234 5698 7654 32',
  '10.20.30.40',
  `ghp_${'a1B2c3D4e5F6'.repeat(3)}`,
  'TOKEN',
  'TOKEN@',
  'EMAIL_',
  'é',
  '😀',
  '電',
  '"',
  '\\',
  '\n',
  '\u2028',
  'data: ',
  '[DONE]',
  'x',
  '1',
  '@',
  '.',
  '-',
  '{',
  'the quick brown fox',
  '-----BEGIN RSA PRIVATE KEY-----\nMIIE',
]
const text = array(tuple(constantFrom(...atoms), constantFrom('', ' ', ' ', '\n', '.')), { maxLength: 8 }).map(
  (parts) => parts.flat().join(''),
)
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
  const drawn = record({
    name: constantFrom<Name>('openai', 'anthropic'),
    which: nat(2),
    channels: array(channel, { minLength: 1, maxLength: 3 }),
    order: array(nat(5), { maxLength: 30 }),
    ending: constantFrom(...endings),
    byteCuts: cuts,
    crlf: boolean(),
  })
  const outcome = await check(
    asyncProperty(drawn, async ({ name, which, channels, order, ending, byteCuts, crlf }) => {
      const back = [masked, tokens, both][which] ?? masked
      const make = (token: string): Said[] =>
        channels.map(({ text, cuts, isCall }, at) => {
          const full = text.replaceAll('TOKEN', token)
          if (isCall)
            return {
              kind: 'arguments',
              at,
              name: 'send',
              pieces: cutText(JSON.stringify({ to: full, list: [full] }), cuts),
            }
          return { kind: 'text', at, pieces: cutText(full, cuts) }
        })
      const result = await wrong({
        name,
        back,
        make,
        split: cutAt(...byteCuts.map((cut) => cut * 11)),
        order,
        ending,
        crlf,
      })
      if (result !== undefined) throw new Error(result)
    }),
    { numRuns: runs },
  )
  t.notOk(
    outcome.failed,
    `${outcome.seed} ${outcome.counterexamplePath} ${JSON.stringify(outcome.counterexample)}: ${String(outcome.errorInstance)}`,
  )
})
