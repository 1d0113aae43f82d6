// Owns random values of every entity that is looked for by default, put together here, so that nothing takes them for
// real ones. `before` and `behind` are what must stand
// beside a value that looks like nothing by itself.
import { characterClass } from '../../proxy/detect/characters.ts'
import { aiRows } from '../../proxy/detect/detectors/secrets/ai.ts'
import { cloudRows } from '../../proxy/detect/detectors/secrets/cloud.ts'
import { codeRows } from '../../proxy/detect/detectors/secrets/code.ts'
import type { Row } from '../../proxy/detect/detectors/secrets/formats.ts'
import { serviceRows } from '../../proxy/detect/detectors/secrets/services.ts'

export type Planted = {
  readonly entity: string
  readonly before: string
  readonly value: string
  readonly behind: string
}

export class Dice {
  #seed: number
  readonly #units = new Map<string, readonly string[]>()

  constructor(seed: number) {
    this.#seed = seed
  }

  below(bound: number): number {
    this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) >>> 0
    return (this.#seed >>> 8) % bound
  }

  pick<One>(from: readonly One[]): One {
    return from[this.below(from.length)] as One
  }

  /** `9` becomes a digit, `a` a letter, `x` a hexadecimal digit. */
  fill(shape: string): string {
    return shape.replaceAll(/[9ax]/g, (kind) => this.pick(Array.from(alphabets[kind] ?? kind)))
  }

  of(spec: string, length: number): string {
    let chosen = this.#units.get(spec)
    if (chosen === undefined) {
      const { ascii } = characterClass(spec)
      const units = Array.from(ascii.keys(), (code) => String.fromCharCode(code))
      chosen = units.filter((unit, code) => ascii[code] === 1 && /[A-Za-z0-9]/.test(unit))
      this.#units.set(spec, chosen)
    }
    return Array.from({ length }, () => this.pick(chosen)).join('')
  }
}

const alphabets: Readonly<Record<string, string>> = {
  '9': '0123456789',
  a: 'abcdefghijklmnopqrstuvwxyz',
  x: '0123456789abcdef',
}

type Make = (dice: Dice) => Omit<Planted, 'entity'>

const alone =
  (make: (dice: Dice) => string): Make =>
  (dice) => ({ before: '', value: make(dice), behind: '' })
const after =
  (before: string, make: (dice: Dice) => string): Make =>
  (dice) => ({ before, value: make(dice), behind: '' })

/** With the last digit that makes the sum of Luhn right. */
function withLuhn(digits: string): string {
  const sum = Array.from(digits)
    .toReversed()
    .map((digit, at) => (at % 2 === 0 ? ((2 * Number(digit)) % 10) + (digit > '4' ? 1 : 0) : Number(digit)))
    .reduce((total, one) => total + one, 0)
  return `${digits}${(10 - (sum % 10)) % 10}`
}

function card(dice: Dice): string {
  const digits = withLuhn(dice.fill(`4${dice.pick(['1', '5', '9'])}9999999999999`))
  const separator = dice.pick(['', ' ', '-'])
  return digits.replaceAll(/\d{4}(?=\d)/g, `$&${separator}`)
}

function iban(dice: Dice): string {
  const account = dice.fill('999999999999999999')
  return `DE${String(98n - (BigInt(`${account}131400`) % 97n)).padStart(2, '0')}${account}`
}

const personal: Readonly<Record<string, Make>> = {
  email: alone((dice) => dice.fill('aaaa.aaaa9@aaaaaaa.') + dice.pick(['org', 'com', 'co.uk', 'de'])),
  iban: alone(iban),
  'payment-card': alone(card),
  'us-ssn': alone((dice) => `378-0${1 + dice.below(9)}-${1000 + dice.below(9000)}`),
  'us-itin': alone((dice) => `9${dice.fill('99')}-7${dice.below(9)}-${1000 + dice.below(9000)}`),
  'ip-address': alone((dice) => `10.${dice.below(256)}.${10 + dice.below(90)}.${1 + dice.below(254)}`),
  phone: alone((dice) => `+44 20 7946 0${dice.fill('999')}`),
  'crypto-address': alone(() => ['1A1zP1eP5QGefi2D', 'MPTfTL5SLmv7DivfNa'].join('')),
  'mac-address': alone((dice) => dice.fill('00:1b:xx:xx:xx:xx')),
  'date-of-birth': after(
    'date of birth: ',
    (dice) => `19${70 + dice.below(30)}-0${1 + dice.below(9)}-1${dice.below(9)}`,
  ),
  passport: after('passport number ', (dice) => dice.fill('599999999')),
  'driving-licence': after('driving licence number: ', (dice) => dice.fill('D9999999')),
  'medical-record': after('medical record number: ', (dice) => dice.fill('79999999')),
  'medical-licence': after('DEA number: ', () => ['BB13', '88568'].join('')),
  'bank-account': after('account number: ', (dice) => dice.fill('7999999999')),
  'bank-routing': after('routing number: ', () => ['12100', '0358'].join('')),
}

const secret: Readonly<Record<string, Make>> = {
  jwt: alone((dice) => {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: dice.fill('aaaaaaaa9999') })}.${dice.of('A-Za-z0-9', 43)}`
  }),
  'private-key': alone((dice) => {
    const lines = Array.from({ length: 6 }, () => dice.of('A-Za-z0-9', 64)).join('\n')
    return ['-----BEGIN RSA PRIV', `ATE KEY-----\nMII${lines}\n-----END RSA PRIV`, 'ATE KEY-----'].join('')
  }),
  'url-credentials': (dice) => ({
    before: 'postgres://',
    value: `app:${dice.of('A-Za-z0-9', 14)}`,
    behind: `@db.${dice.fill('aaaaaa')}.net/app`,
  }),
}

const keyRows: readonly Row[] = [...aiRows, ...cloudRows, ...codeRows, ...serviceRows]

/** A key of a random row of the tables; some forms cannot be met by chance. */
function vendorKey(dice: Dice): Planted {
  for (;;) {
    const [entity, prefixes, body, lengths, , form] = dice.pick(keyRows)
    const value = dice.of(body, lengths[0])
    if (form === undefined || form.test(value))
      return { entity, before: '', behind: '', value: dice.pick(prefixes.split(' ')) + value }
  }
}

const made: readonly (readonly [string, Make])[] = [...Object.entries(personal), ...Object.entries(secret)]

export const plantedEntities: ReadonlySet<string> = new Set([
  ...made.map(([entity]) => entity),
  ...keyRows.map(([entity]) => entity),
])

export function plantedValue(dice: Dice): Planted {
  const at = dice.below(made.length + 8)
  const [entity, make] = made[at] ?? []
  return entity === undefined || make === undefined ? vendorKey(dice) : { entity, ...make(dice) }
}
