// However long values are written, a stream of them gives the whole, and of plain text little is held back.
import t from 'tap'
import { array, assert, constantFrom, integer, nat, property, tuple } from 'fast-check'
import { openVault } from '../../proxy/detect/vault.ts'
import { openWindow } from '../../proxy/detect/window.ts'
import { inPieces, steps, whole } from '../support/in-pieces.ts'
import { planOf } from '../support/plan-of.ts'
import { Dice } from '../support/planted-values.ts'
import { runsOf } from '../support/runs.ts'
import { ways } from '../support/ways.ts'

const plan = planOf('token')
const vault = openVault(Buffer.alloc(32, 7), 'p')
const dice = new Dice(3)
const random = (length: number): string => dice.of('A-Za-z0-9', length)
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const jwt = (length: number): string =>
  [{ alg: 'RS256' }, { data: random(length) }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .concat(random(86))
    .join('.')
const many = (count: number, make: (at: number) => string, between = '\n'): string =>
  Array.from({ length: count }, (_, at) => make(at)).join(between)

const values = {
  addresses: many(20, (at) => `ada${at}@example.org`, ', '),
  'a long address': `${'a'.repeat(60)}@${'mail.'.repeat(30)}example.org`,
  'addresses in one another': 'ada.b@mail.org.'.repeat(40),
  cards: '4111-1111-1111-1111-'.repeat(30),
  numbers: '020 7946 0958'.repeat(40),
  'a long jwt': jwt(500),
  'jwts in one another': `token: ${jwt(100)}.${jwt(100)}.${jwt(100)}`,
  'a jwt in base64 after a name': `text: token: ${base64(jwt(400))}`,
  'a key': [
    '-----BEGIN RSA PRIV',
    `ATE KEY-----\n${many(16, () => random(64))}\n-----END RSA PRIV`,
    'ATE KEY-----',
  ].join(''),
  'a header': `authorization: bearer ${random(700)}`,
  'a long password': `password = "${'correct horse battery '.repeat(40)}"`,
  'a list under a name': `passwords: [${many(40, (at) => `"${random(12 + at)}"`, ', ')}]`,
  'a list in lines': `passwords:\n${many(40, (at) => `  - ${random(12 + at)}`)}`,
  'many names': many(20, (at) => `SECRET_KEY_${at}=${random(30 + at)}`),
  'lines of JSON': many(12, (at) => JSON.stringify({ password: random(40 + at), at })),
  'a form of secrets': `password=${random(300)}&token=${random(500)}&x=1`,
  xml: `<password>${random(400)}</password><token>${random(600)}</token>`,
  words: 'the words of a person who says '.repeat(20),
  'one letter': 'a'.repeat(400),
  'no letter': '%&\\'.repeat(200),
}

/** How much is held where each unit is read as one, and long values overlap. */
const heldMax = 700
const plainWays = ['plain', 'full-width', 'JSON in JSON in JSON']

/** Fed a few units at a time. */
function heldOf(text: string): number {
  const window = openWindow({ plan, vault })
  let held = 0
  for (const piece of steps(text, 5)) {
    window.push(piece)
    held = Math.max(held, window.held - piece.length)
  }
  window.end()
  return held
}

void t.test('values of every kind, however they are written, give the whole', async (t) => {
  for (const [name, value] of Object.entries(values)) {
    for (const [way, write] of Object.entries(ways)) {
      const before = 'see '.repeat(dice.below(40))
      const text = `${before}${write(value).slice(0, 1300)} and so on, with some words.`
      const expected = whole(text, plan, vault)
      for (const length of [50, 701])
        if (inPieces(steps(text, length), plan, vault) !== expected) t.fail(`${name} in ${way} by ${length}`)
    }
    for (const way of plainWays) {
      const held = heldOf(`see ${ways[way]?.(value)} and so on, with some words.`)
      if (held > heldMax) t.fail(`${held} units of ${name} in ${way} are held`)
    }
  }
})

const written = array(
  tuple(constantFrom(...Object.values(values), random(60)), constantFrom(...Object.values(ways)), nat(400)),
  { minLength: 1, maxLength: 3 },
)

void t.test('random texts that are written in several ways give the whole', async () => {
  assert(
    property(written, integer({ min: 1, max: 700 }), (parts, length) => {
      const text = parts.map(([value, write, size]) => write(value.slice(0, size))).join(' and then ')
      return inPieces(steps(text, length), plan, vault) === whole(text, plan, vault)
    }),
    { numRuns: runsOf(200) },
  )
})
