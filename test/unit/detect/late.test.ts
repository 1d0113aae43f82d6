// What is looked at for too long, where few characters are many units: it is hidden, and nothing else is.
import t from 'tap'
import type { Candidate } from '../../../proxy/detect/candidate.ts'
import { joinLate } from '../../../proxy/detect/late.ts'
import { scanText } from '../../../proxy/detect/scan-text.ts'
import { openVault } from '../../../proxy/detect/vault.ts'
import { disguises } from '../../support/disguises.ts'
import { inPieces, steps, whole } from '../../support/in-pieces.ts'
import { planOf } from '../../support/plan-of.ts'
import { Dice } from '../../support/planted-values.ts'
import { ways } from '../../support/ways.ts'

const escaped = disguises['unicode escapes'] as (text: string) => string

/** What is left of the text as it is read, with the entities that were found. */
function left(text: string, detect: readonly string[]): string {
  let output = ''
  let from = 0
  for (const { entity, start, end } of scanText(text, detect)) {
    output += `${text.slice(from, start)}[${entity}]`
    from = end
  }
  return (output + text.slice(from)).replaceAll(/\\u([\da-f]{4})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

void t.test('values that are told soon are found as they are', async (t) => {
  const text = escaped('mail ada@example.org, or call +44 20 7946 0958 now')
  t.equal(left(text, ['email', 'phone']), 'mail [email], or call [phone] now')
})

void t.test('of a value that takes long to tell nothing is left', async (t) => {
  const key = `sk-ant-api03-${'aB3xY7'.repeat(15)}-${'c'.repeat(3)}AA`
  const domain = `${'mail.'.repeat(20)}example.org`
  t.notMatch(left(escaped(`key ${key} and so on`), ['secrets']), /aB3xY7/)
  t.equal(left(escaped(`see ada@${domain} and so on`), ['email']), 'see [email] and so on')
})

void t.test(
  'what gives a value away may be as long as it likes, and the value is found from where a stream still has it',
  async (t) => {
    const spread = (text: string, count: number): string =>
      Array.from(text, (unit) => unit + '\u200b'.repeat(count)).join('')
    const found = (text: string, count: number) => {
      const [one, ...more] = scanText(`${spread(text, count)} and so on`, ['secrets', 'email'])
      t.equal(more.length, 0, text)
      t.equal(one?.end, text.length * (count + 1), text)
      return { of: one?.entity, from: Math.ceil((one?.start ?? 0) / (count + 1)) }
    }
    t.same(found(`ghp_${'aB3dE5fG7h'.repeat(3)}aB3dE5`, 100), { of: 'github-token', from: 1 })
    t.same(found('password=hunter2Zq9x', 100), { of: 'generic-secret', from: 1 })
    t.same(found('firstname.lastname@example.org', 20), { of: 'email', from: 6 })
  },
)

void t.test('text that is hardly escaped is looked at as far as plain text is', async (t) => {
  const domain = `${'mail.'.repeat(48)}example.org`
  t.equal(left(`see %61da@${domain}, and so on`, ['email']), 'see [email], and so on')
})

void t.test('words that are escaped are no values', async (t) => {
  const text = 'The second copy of each invoice may go, on Monday or later; the password is in the vault. '.repeat(4)
  t.equal(left(escaped(text), ['pii', 'secrets']), text)
})

void t.test('what has no end hides all that follows', async (t) => {
  const text = escaped(`token=${new Dice(3).of('A-Za-z0-9', 11_000)} and so on`)
  t.ok(left(text, ['secrets']) === 'token=[generic-secret]')
})

const found = (entity: string, start: number, end: number, more: Partial<Candidate> = {}): Candidate => ({
  entity,
  group: 'pii',
  start,
  end,
  validated: false,
  ...more,
})
const late = { isLate: true, foreseen: 256 } as const

void t.test('a late value takes in what overlaps it, and is called by what begins first', async (t) => {
  const all = [found('a', 0, 20), found('b', 10, 300, late), found('c', 290, 310), found('d', 310, 320)]
  const joined = joinLate(all, 1000, undefined)
  t.match(joined, [
    { entity: 'a', start: 0, end: 310, joinedFrom: 10 },
    { entity: 'd', start: 310, end: 320 },
  ])
  t.equal(joined.length, 2)
})

void t.test('what nothing is done about stays as it is', async (t) => {
  const all = [found('a', 0, 20), found('b', 10, 300, late)]
  t.same(joinLate([...all], 1000, ({ entity }) => entity !== 'b').length, 2)
  t.match(
    joinLate([...all], 1000, ({ entity }) => entity !== 'a'),
    [
      { entity: 'a', start: 0, end: 20 },
      { entity: 'b', start: 10, end: 300 },
    ],
  )
})

void t.test(
  'of two that begin together the one that is known first, then the certain one gives the name',
  async (t) => {
    const later = found('a', 5, 400, { ...late, foreseen: 300 })
    const certain = found('z', 5, 300, { foreseen: 256 })
    t.match(joinLate([later, found('b', 5, 300, late), certain], 1000, undefined), [
      { entity: 'z', start: 5, end: 400 },
    ])
  },
)

void t.test('a number of which a stream does not see the end in time is what it is in the whole', async (t) => {
  const plan = planOf('mask')
  const vault = openVault(Buffer.alloc(32, 7), 'p')
  const unseen = '\u200b'.repeat(700)
  const phone = ways['longest references']?.('call: +44 20 7946 0958, ') ?? ''
  for (const text of [`0${unseen} and then`, `see 0${unseen}1 a`, phone.repeat(3)])
    for (const length of [1, 7])
      t.equal(inPieces(steps(text, length), plan, vault), whole(text, plan, vault), `${text.slice(0, 9)} by ${length}`)
})
