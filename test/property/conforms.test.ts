// Our check against Ajv's, on the schema of the configuration: both take the same documents and fill in the same.
import { isDeepStrictEqual } from 'node:util'
import { Ajv } from 'ajv'
import { assert, integer, property } from 'fast-check'
import t from 'tap'
import { conforms } from '../../proxy/config/conforms.ts'
import { configSchema } from '../../proxy/config/schema.ts'
import type { Json, JsonObject } from '../../proxy/lib/json.ts'
import { runsOf } from '../support/runs.ts'

type Schema = {
  readonly type?: string | readonly string[]
  readonly const?: Json
  readonly enum?: readonly Json[]
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly pattern?: string
  readonly examples?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
}

const schema = configSchema as unknown as Schema
const options = { strict: true, allowUnionTypes: true, allErrors: true, useDefaults: true } as const

const junk: readonly Json[] = [null, true, 0, -1, 1.5, '', 'x', '😀', 'a b', 'y'.repeat(5000), [], {}, [[]], { x: 1 }]
const texts = ['a', 'A-1.b', '10s', '250ms', '1MiB', '64', '60/m', '1000/month', '/a', '/', '127.0.0.1:80', 'X', '4.5']
const names = ['a', 'b', 'id', 'constructor', '__proto__', 'no name', 'x'.repeat(65)]

class Writer {
  #state: number
  readonly #wrongOneIn: number

  constructor(seed: number, wrongOneIn: number) {
    this.#state = seed
    this.#wrongOneIn = wrongOneIn
  }

  write(of: Schema | boolean): Json {
    if (typeof of === 'boolean' || this.#one(this.#wrongOneIn)) return structuredClone(this.#pick(junk))
    if (of.const !== undefined) return of.const
    if (of.enum !== undefined) return this.#pick(of.enum)
    if (of.oneOf !== undefined) return this.write(this.#pick(of.oneOf))
    const type = this.#pick([of.type ?? 'string'].flat())
    if (type === 'object') return this.#object(of)
    if (type === 'array')
      return Array.from({ length: (of.minItems ?? 0) + this.#below(3) }, () => this.write(of.items ?? true))
    if (type === 'boolean') return this.#one(2)
    if (type === 'string') return this.#text(of)
    const [least = 0, most = 1_000_000] = [of.minimum, of.maximum]
    return this.#pick([least, most, least + 1, most - 1, (least + most) / 2])
  }

  #object({ properties = {}, required = [], additionalProperties = true }: Schema): JsonObject {
    const written: JsonObject = {}
    for (const [name, of] of Object.entries(properties)) {
      if (required.includes(name) ? !this.#one(3 * this.#wrongOneIn) : this.#one(3)) written[name] = this.write(of)
    }
    const others = typeof additionalProperties === 'object' ? this.#below(3) : this.#one(3 * this.#wrongOneIn) ? 1 : 0
    for (let count = 0; count < others; count += 1) {
      // An assignment to __proto__ would be another thing.
      const value = this.write(additionalProperties)
      Object.defineProperty(written, this.#pick(names), { value, enumerable: true, writable: true, configurable: true })
    }
    return written
  }

  #text({ pattern, examples = [] }: Schema): Json {
    const all = [...texts, ...examples]
    const fit = all.filter((text) => pattern === undefined || new RegExp(pattern, 'u').test(text))
    return this.#pick(fit.length === 0 ? all : fit)
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T
  }

  #one(inSoMany: number): boolean {
    return this.#below(inSoMany) === 0
  }

  /** mulberry32. */
  #below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

/** Of each section by itself, or hardly any document would be good. */
for (const [name, section] of Object.entries(schema.properties ?? {})) {
  t.test(name, async (t) => {
    const one = { type: 'object', additionalProperties: false, properties: { [name]: section } }
    const validate = new Ajv(options).compile(one)
    const seen = { good: 0, bad: 0 }
    assert(
      property(integer(), integer({ min: 0, max: 4 }), (seed, rigour) => {
        const ours: JsonObject = { [name]: new Writer(seed, 4 ** (rigour + 1)).write(section) }
        const theirs = structuredClone(ours)
        const good = conforms(one, ours)
        seen[good ? 'good' : 'bad'] += 1
        if (good === validate(theirs) && (!good || isDeepStrictEqual(ours, theirs))) return
        throw new Error(
          `${good ? 'good' : 'bad'}, and Ajv says otherwise: ${JSON.stringify(ours)}\n${JSON.stringify(theirs)}`,
        )
      }),
      { numRuns: runsOf(400) },
    )
    t.ok(seen.good > 0 && seen.bad > 0, JSON.stringify(seen))
  })
}

t.test('every keyword at its bounds', async (t) => {
  const values: Json[] = [
    null,
    true,
    false,
    0,
    -0,
    1,
    2,
    3,
    1.5,
    '',
    'a',
    'ab',
    'abc',
    '😀',
    '😀😀',
    '😀😀😀',
    '\ud800',
  ]
  values.push(
    [],
    [1],
    [1, 1],
    [1, 2, 3],
    ['a', 'a'],
    [0, -0],
    [[1], [1]],
    [[1], [2]],
    {},
    { a: 1 },
    { a: 1, b: 2 },
    { b: 'x' },
  )
  const bounded: Record<string, unknown>[] = [
    ...['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'].map((type) => ({ type })),
    ...[1, 2].flatMap((n) => [{ minimum: n }, { maximum: n }, { exclusiveMinimum: n }, { const: n }]),
    ...[1, 2].flatMap((n) => [
      { minLength: n },
      { maxLength: n },
      { minItems: n },
      { maxItems: n },
      { minProperties: n },
    ]),
    ...['^.$', 'a', '^\\p{L}+$'].map((pattern) => ({ pattern })),
    { uniqueItems: true },
    { uniqueItems: false },
    { items: { type: 'integer', minimum: 2 } },
    { enum: ['a', 1, null] },
    { oneOf: [{ type: 'integer' }, { type: 'number' }, { type: 'string', maxLength: 1 }] },
    { required: ['a', 'b'] },
    { properties: { a: false } },
    { properties: { a: true }, additionalProperties: false },
    { properties: { b: {} }, additionalProperties: { type: 'string' } },
    { propertyNames: { enum: ['a'] } },
  ]
  for (const one of bounded) {
    const validate = new Ajv({ strict: false }).compile(one)
    for (const value of values) {
      // What it cannot say it leaves to Ajv.
      const unsaid = one['uniqueItems'] === true && Array.isArray(value) && value.some(Array.isArray)
      t.equal(conforms(one, value), !unsaid && validate(value), `${JSON.stringify(one)}: ${JSON.stringify(value)}`)
    }
  }
})

t.test('what is left out is filled in as Ajv does', async (t) => {
  const validate = new Ajv(options).compile(schema)
  for (const document of [
    { apiVersion: 'gatewright/v1' },
    { apiVersion: 'gatewright/v1', server: { limits: {} } },
    {},
  ]) {
    const ours: JsonObject = structuredClone(document)
    const theirs = structuredClone(ours)
    t.equal(conforms(configSchema, ours), validate(theirs))
    if (ours['apiVersion'] !== undefined) t.same(ours, theirs)
  }
})

t.test('a keyword that is not known is for somebody else', async (t) => {
  t.notOk(conforms({ type: 'string', format: 'email' }, 'ada@example.org'))
})
