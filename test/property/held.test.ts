// Long values of every kind one behind the other or one in the other, however they are written: a stream gives the whole
// and holds little back.
import t from 'tap'
import { openVault } from '../../proxy/detect/vault.ts'
import { openWindow } from '../../proxy/detect/window.ts'
import { whole } from '../support/in-pieces.ts'
import { planOf } from '../support/plan-of.ts'
import { Dice } from '../support/planted-values.ts'
import { runsOf } from '../support/runs.ts'
import { ways } from '../support/ways.ts'

const plan = planOf('mask')
const vault = openVault(Buffer.alloc(32, 7), 'p')
const heldMax = 512

const lengths = [4, 12, 24, 40, 64, 100, 160, 200, 250, 290, 319, 330, 352, 400, 700]
const names = ['password', 'pw', 'token', 'api_key', 'client-secret', '"id_token"', 'x-api-key', 'passwords', 'dsn']
const signs = [': ', '=', ' = ', '="', '": "', ' ', ': [', ':\n  - ']
const gaps = [' ', '\n', ', ', ' and then ', '" ', '"\n', "', '"]

function jwtOf(dice: Dice, length: number): string {
  const parts = [{ alg: 'RS256' }, { sub: 'ada', data: dice.of('A-Za-z0-9', length) }]
  const encoded = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  return [...encoded, dice.of('A-Za-z0-9', 86)].join('.')
}

function keyOf(dice: Dice): string {
  const lines = Array.from({ length: 8 }, () => dice.of('A-Za-z0-9', 64))
  return ['-----BEGIN PRIV', `ATE KEY-----\n${lines.join('\n')}\n-----END PRIV`, 'ATE KEY-----'].join('')
}

const same = (text: string): string => text

type Make = (dice: Dice, length: number) => string
const random: Make = (dice, length) => dice.of('A-Za-z0-9', length)
const makes: readonly Make[] = [
  random,
  random,
  (dice, length) => `${random(dice, length)}${dice.pick(['pw', 'key', 'Token', '-password', '_secret'])}`,
  jwtOf,
  (dice) => `${jwtOf(dice, 100)}.${jwtOf(dice, 100)}.${jwtOf(dice, 100)}`,
  keyOf,
  (dice, length) => `authorization: bearer ${random(dice, length)}`,
  (dice, length) => `https://ada:${random(dice, length)}@example.org/x`,
  (dice, length) => `postgres://ada:${random(dice, length)}@db.example.org:5432/x?password=${random(dice, 40)}`,
  (dice, length) => `Server=db;User Id=ada;Password=${random(dice, length)};Database=x`,
  (dice, length) => `pypi-AgEIcHlwaS5vcmc${random(dice, length)}`,
  (dice, length) => `ya29.${random(dice, length)}`,
  (dice) => `sk-proj-${random(dice, 160)}`,
  (_, length) => `ada@${'mail.'.repeat(length % 40)}example.org`,
  () => '4111 1111 1111 1111 '.repeat(6),
  (dice) => Array.from({ length: 8 }, () => `"${random(dice, 8 + dice.below(60))}"`).join(', '),
]

function textOf(dice: Dice): string {
  const parts = Array.from({ length: 2 + dice.below(5) }, () => {
    const name = dice.below(2) === 0 ? dice.pick(names) + dice.pick(signs) : ''
    return name + dice.pick(makes)(dice, dice.pick(lengths) + dice.below(4)) + dice.pick(gaps)
  })
  return `see ${parts.join('')}`.slice(0, 3000)
}

/** Fed in pieces of one length, or of random ones up to it. */
function streamed(
  text: string,
  length: number,
  dice?: Dice,
  by = plan,
): { readonly output: string; readonly held: number } {
  const window = openWindow({ plan: by, vault })
  let output = ''
  let held = 0
  for (let at = 0; at < text.length;) {
    const size = dice === undefined ? length : 1 + dice.below(length)
    output += window.push(text.slice(at, at + size))
    held = Math.max(held, window.held - size)
    at += size
  }
  return { output: output + window.end(), held }
}

void t.test('little is held of long values in a row, and all of it is as in the whole', async (t) => {
  const worst = { held: 0, text: '' }
  for (let seed = 1; seed <= runsOf(250); seed++) {
    const dice = new Dice(seed)
    const text = textOf(dice)
    const expected = whole(text, plan, vault)
    for (const { output, held } of [streamed(text, 5), streamed(text, 300, dice)]) {
      if (output !== expected) t.fail(`seed ${seed} differs`)
      if (held > worst.held) Object.assign(worst, { held, text })
    }
  }
  t.ok(worst.held <= heldMax, `${worst.held} of ${worst.text}`)
})

void t.test('what a value wins over is not waited for, nor is what a name gives away', async (t) => {
  const dice = new Dice(7)
  const three = [100, 100, 100].map((length) => jwtOf(dice, length)).join('.')
  const texts = {
    'three web tokens in a row after a name': `token: ${three} and so on`,
    'the end of one value is a name of the next': `${jwtOf(dice, 400)}Opw" client-secret=${random(dice, 900)} and so on`,
    'a long list': `passwords: [${Array.from({ length: 40 }, () => `"${random(dice, 14)}"`).join(', ')}] and so on`,
  }
  for (const [name, text] of Object.entries(texts)) {
    const { output, held } = streamed(text, 3)
    t.equal(output, whole(text, plan, vault), name)
    t.ok(held <= heldMax, `${held} of ${name}`)
  }
})

void t.test(
  'however it is written, no more than 512 units of a text are held, and all of it is as in the whole',
  async (t) => {
    const worst = { held: 0, of: '' }
    for (const [way, write] of Object.entries(ways)) {
      for (let seed = 1; seed <= runsOf(5); seed++) {
        const dice = new Dice(1000 + seed)
        const text = `${'see '.repeat(dice.below(40))}${write(textOf(dice)).slice(0, 3000)} and so on, with some words.`
        const expected = whole(text, plan, vault)
        for (const { output, held } of [streamed(text, 5), streamed(text, 300, dice)]) {
          if (output !== expected) t.fail(`seed ${seed} in ${way} differs`)
          if (held > worst.held) Object.assign(worst, { held, of: `seed ${seed} in ${way}` })
        }
      }
    }
    t.ok(worst.held <= heldMax, `${worst.held} of ${worst.of}`)
  },
)

const links: readonly ((dice: Dice) => string)[] = [
  () => '',
  (dice) => random(dice, 4 + dice.below(20)),
  (dice) => random(dice, 300),
  (dice) => `sk-proj-${random(dice, 60)}`,
  () => '4111 1111 1111 1111',
  () => 'ada@example.org',
  () => '+44 20 7946 0958',
  () => 'eyJhbGciOiJIUzI1NiJ9.',
  () => 'https://a:b@',
]
const linkSigns = ['=', ': ', '="', ':\n ', "='", ' = ']
const linkGaps = ['', ' ', ',', '&', ';', '"', '\n', '.', '-', '_']

/** The same few values over and over, each with the name of the next in it or right behind it. */
function chainOf(dice: Dice): string {
  const link = (): string => dice.pick(names) + dice.pick(linkSigns) + dice.pick(links)(dice) + dice.pick(linkGaps)
  const some = Array.from({ length: 1 + dice.below(4) }, link)
  const length = 1500 + dice.below(3000)
  let text = ''
  while (text.length < length) text += dice.below(12) === 0 ? link() : dice.pick(some)
  return text
}

void t.test('nor of values in chains that have no end', async (t) => {
  const worst = { held: 0, of: '' }
  const allWays = [...Object.entries(ways), ...Object.keys(ways).map((way) => [`plain, not ${way}`, same] as const)]
  for (let seed = 1; seed <= runsOf(50); seed++) {
    const dice = new Dice(3000 + seed)
    const [way, write] = dice.pick(allWays)
    const text = `${write(chainOf(dice)).slice(0, 8000)} and so on, with some words.`
    const expected = whole(text, plan, vault)
    for (const { output, held } of [streamed(text, 7), streamed(text, 300, dice)]) {
      if (output !== expected) t.fail(`seed ${seed} in ${way} differs`)
      if (held > worst.held) Object.assign(worst, { held, of: `seed ${seed} in ${way}` })
    }
  }
  t.ok(worst.held <= heldMax, `${worst.held} of ${worst.of}`)
})

void t.test('nor where nobody looks for numbers', async (t) => {
  const secrets = planOf('mask', ['secrets'])
  const text = ways['many named spaces between']?.('"keys": "4111 1111 1111 1111, and so on') ?? ''
  const { output, held } = streamed(text, 11, undefined, secrets)
  t.equal(output, whole(text, secrets, vault))
  t.ok(held <= heldMax, `${held}`)
})

void t.test('values in a chain that has no end take no time in the square of them, nor more room', async (t) => {
  for (const link of ['password=', `api_key='_secret="NoGyfKDt6wiBfDV2oQpYTjp,`]) {
    const text = link.repeat(Math.ceil(36_000 / link.length))
    const { output, held } = streamed(text, 40)
    t.equal(output, whole(text, plan, vault))
    t.ok(held <= heldMax, `${held} of ${link}`)
  }
})
