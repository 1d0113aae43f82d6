// What is redacted stays what it was: JSON of the same shape, in strings, too, with every byte in place that is no value. Random documents with planted values, through the edits of a request and through
// the filter of an answer.
import t from 'tap'
import { array, assert, boolean, constantFrom, dictionary, letrec, nat, oneof, property, string } from 'fast-check'
import type { Plan } from '../../proxy/detect/redaction.ts'
import { replace } from '../../proxy/detect/replace.ts'
import { openVault } from '../../proxy/detect/vault.ts'
import { applyEdits } from '../../proxy/lib/edit.ts'
import { parseJsonText } from '../../proxy/lib/json.ts'
import { filterDocument } from '../../proxy/pipeline/filters/document.ts'
import { readPlain } from '../../proxy/pipeline/filters/plain.ts'
import { partEdit } from '../../proxy/pipeline/part-edit.ts'
import { runsOf } from '../support/runs.ts'
import { openBack } from '../unit/pipeline/answered.ts'
import { planOf } from '../support/plan-of.ts'

const detect = ['pii', 'secrets']
const actions = ['mask', 'token', 'remove', 'hash'] as const
const key = Buffer.alloc(32, 9)

/** Put together here, so that nothing takes them for real ones; each is found wherever it stands by itself. */
const secrets = [
  'ada@example.org',
  '378-07-9520',
  '4111 1111 1111 1111',
  'DE89 3704 0044 0532 0130 00',
  '+44 20 7946 0123',
  ['ghp', 'Ab3dE5fG7h'.repeat(3) + 'kLmNoP'].join('_'),
]
const cardNumbers = [4111111111111111, 5555555555554444]
const forbidden = [...secrets, ...cardNumbers.map(String)]

/** Nothing of a value, nor of what stands for one. */
const idle = string({
  unit: constantFrom('a', 'q', ' ', '"', '\\', '\n', '{', '}', '[', ']', ',', ':', '😀', 'é', '\u2028'),
})
const planted = constantFrom(...secrets)
const texts = oneof(
  idle,
  planted,
  planted.map((value) => `say "${value}" \\ twice:\n${value}.`),
  planted.map((value) => `<${value}>`),
)
const keys = oneof(
  idle,
  constantFrom('note', '__proto__', 'to'),
  planted,
  planted.map((value) => `"${value}"`),
)

const { document } = letrec<{ document: unknown }>((tie) => ({
  document: oneof(
    { depthSize: 'small', withCrossShrink: true },
    texts,
    constantFrom<unknown>(...cardNumbers, 0, -1.5e300, true, null),
    array(tie('document'), { maxLength: 4 }),
    dictionary(keys, tie('document'), { maxKeys: 4 }),
    // JSON in a string, and in a string of that.
    tie('document').map((inner) => JSON.stringify(inner)),
    tie('document').map((inner) => JSON.stringify({ inner: JSON.stringify(inner, undefined, 1) })),
  ),
}))

/**
 * Structure down to JSON in strings of JSON in strings; what is deeper is text, and read as one. Of members only how many
 * there are, as their keys may be values.
 */
function shapeOf(value: unknown, depth = 0): unknown {
  if (Array.isArray(value)) return value.map((one) => shapeOf(one, depth))
  if (typeof value === 'object' && value !== null)
    return { members: Object.values(value).map((one) => shapeOf(one, depth)) }
  if (typeof value !== 'string') return typeof value === 'number' ? 'leaf' : value
  const inner = depth === 4 ? undefined : embedded(value)
  return inner === undefined ? 'leaf' : { text: shapeOf(inner, depth + 1) }
}

function embedded(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function judge(source: string, redacted: string): void {
  const before = JSON.stringify(shapeOf(JSON.parse(source)))
  const after = JSON.stringify(shapeOf(JSON.parse(redacted)))
  if (before !== after) throw new Error(`another shape: ${source} to ${redacted}`)
  const left = forbidden.find((value) => redacted.includes(value))
  if (left !== undefined) throw new Error(`${left} survives: ${redacted}`)
  if (forbidden.every((value) => !source.includes(value)) && redacted !== source)
    throw new Error(`changed without need: ${source} to ${redacted}`)
}

const limits = { depthMax: 64, keysMax: 10_000 }

/** As stages/oblige.ts does it. Undefined: the request would be refused. */
function requested(source: string, plan: Plan): string | undefined {
  const parsed = parseJsonText(source, limits)
  if (!parsed.ok) return undefined
  const reading = readPlain(parsed.value, source)
  if (!reading.ok) return undefined
  const vault = openVault(key, 'p')
  const edits = reading.content.parts.flatMap((part) => {
    const found = replace(part.text, plan.scanner.scan(part.text), plan.forForm(part.form), vault, {
      number: part.form === 'number',
    })
    return found.text === part.text ? [] : [partEdit(part, found.text)]
  })
  return applyEdits(source, edits)
}

const plans = actions.map((action) => planOf(action, detect, { direction: 'request' }))
const answers = actions.map((action) =>
  openBack(`redaction: [{ id: back, direction: response, detect: [${detect.join(', ')}], action: ${action} }]`),
)

void t.test('edits of a request', async (t) => {
  let read = 0
  assert(
    property(document, nat(actions.length - 1), boolean(), (value, at, spaced) => {
      const source = JSON.stringify(value, undefined, spaced ? 1 : undefined)
      const redacted = requested(source, plans[at] as Plan)
      if (redacted === undefined) return
      read += 1
      judge(source, redacted)
    }),
    { numRuns: runsOf(2000) },
  )
  t.ok(read > 0)
})

void t.test('the filter of an answer', async (t) => {
  let read = 0
  assert(
    property(document, nat(actions.length - 1), constantFrom(200, 404), (value, at, status) => {
      const source = JSON.stringify({ value })
      const back = answers[at] as (typeof answers)[number]
      const { x } = back.answered('http', [], status)
      judge(source, Buffer.from(filterDocument(x, back.runtime, 'json', Buffer.from(source), true)).toString())
      read += 1
    }),
    { numRuns: runsOf(2000) },
  )
  t.ok(read > 0)
})
