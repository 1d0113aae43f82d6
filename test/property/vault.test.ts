// Restoring undoes tokens exactly, and nothing else.
import t from 'tap'
import {
  array,
  assert,
  boolean,
  constant,
  constantFrom,
  integer,
  oneof,
  property,
  string,
  tuple,
  uniqueArray,
  type Arbitrary,
} from 'fast-check'
import { openVault, type Vault } from '../../proxy/detect/vault.ts'
import type { TokenForm } from '../../proxy/detect/vault-memory.ts'
import { openVaultStore } from '../../proxy/detect/vault-store.ts'
import { openWindow } from '../../proxy/detect/window.ts'
import { systemClock } from '../../proxy/lib/clock.ts'

const key = Buffer.alloc(32, 9)
const entity = constantFrom('email', 'us-ssn', 'jwt', 'aws-secret-access-key', 'iban')
const value = string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const between = string({ unit: constantFrom('a', 'E', 'M', '_', ' ', 'EMAIL_', 'é', '"'), maxLength: 6 })

type Datum = { readonly entity: string; readonly value: string; readonly form: TokenForm }

/** Values in the form that they are given a token of. */
const datum: Arbitrary<Datum> = oneof(
  tuple(entity, value).map(([entity, value]): Datum => ({ entity, value, form: 'word' })),
  value.map((local): Datum => ({ entity: 'email', value: `${local}@example.org`, form: 'mail' })),
  tuple(integer({ min: 1e8, max: 9e15 }), boolean()).map(([number, isSpaced]): Datum => ({
    entity: 'payment-card',
    value: isSpaced ? String(number).replaceAll(/(\d{4})(?=\d)/g, '$1 ') : String(number),
    form: 'number',
  })),
)

void t.test('restoring gives back every value, whatever stands between', async () => {
  assert(
    property(array(tuple(entity, value, between), { maxLength: 10 }), (parts) => {
      const vault = openVault(key, 'p')
      const sent = parts.map(([e, v, b]) => vault.tokenFor(e, v) + b).join('')
      return vault.restore(sent) === parts.map(([, v, b]) => v + b).join('')
    }),
  )
})

void t.test('a text without issued tokens stays as it is', async () => {
  assert(
    property(array(tuple(entity, value, between), { maxLength: 10 }), (parts) => {
      const foreign = openVault(key, 'q')
      const vault = openVault(key, 'p')
      for (const [e, v] of parts) vault.tokenFor(e, v)
      const text = parts.map(([e, v, b]) => foreign.tokenFor(e, v) + b).join('')
      return vault.restore(text) === text
    }),
  )
})

void t.test('tokens are equal exactly when entity and value are', async () => {
  assert(
    property(tuple(entity, value), tuple(entity, value), (a, b) => {
      const vault = openVault(key, 'p')
      const isSame = a[0] === b[0] && a[1] === b[1]
      return (vault.tokenFor(...a) === vault.tokenFor(...b)) === isSame
    }),
  )
})

void t.test('no two values share a token, in any form, in any exchange of a caller', async () => {
  const store = openVaultStore({ ttlMs: 60_000, entriesMax: 1e6, isShared: false }, systemClock)
  t.teardown(() => store.close())
  const tokens = new Map<string, string>()
  assert(
    property(
      uniqueArray(datum, { minLength: 40, maxLength: 80, selector: ({ entity, value }) => `${entity} ${value}` }),
      (data) => {
        const vault = openVault(key, 'p', { kept: store.of('p'), allows: () => true })
        return data.every(({ entity, value, form }) => {
          const token = vault.tokenFor(entity, value, undefined, form)
          const digits = form === 'number' ? token.replaceAll(' ', '') : token
          const meant = form === 'number' ? `${entity} ${value}` : `${entity} ${value} ${form}`
          const before = tokens.get(digits) ?? meant
          tokens.set(digits, meant)
          return before === meant
        })
      },
    ),
  )
})

/** What a text goes through on its way to a model, from it, and into a tool; each with the way back. */
const ways: Record<string, { readonly there: (text: string) => string; readonly back: (text: string) => string }> = {
  'as it is': { there: (text) => text, back: (text) => text },
  'a JSON string': { there: (text) => JSON.stringify(text), back: (text) => JSON.parse(text) as string },
  'arguments in a JSON string': {
    there: (text) => JSON.stringify({ arguments: JSON.stringify({ text }) }),
    back: (text) => (JSON.parse((JSON.parse(text) as { arguments: string }).arguments) as { text: string }).text,
  },
  'a URL': { there: encodeURIComponent, back: decodeURIComponent },
  HTML: {
    there: (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'),
    back: (text) => text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&amp;', '&'),
  },
  'a word of a shell': {
    there: (text) => `'${text.replaceAll("'", `'\\''`)}'`,
    back: (text) => text.slice(1, -1).replaceAll(`'\\''`, "'"),
  },
}

const prose = string({ unit: constantFrom('a', 'Z', ' ', '"', '&', '<', "'", '\n', 'ü', '%', '\\'), maxLength: 8 })

for (const [name, { there, back }] of Object.entries(ways)) {
  void t.test(`tokens go through ${name}`, async () => {
    assert(
      property(array(tuple(datum, prose), { minLength: 1, maxLength: 6 }), (parts) => {
        const vault = openVault(key, 'p')
        const sent = parts
          .map(([{ entity, value, form }, text]) => `${text} ${vault.tokenFor(entity, value, undefined, form)} x`)
          .join('')
        return vault.restore(back(there(sent))) === parts.map(([{ value }, text]) => `${text} ${value} x`).join('')
      }),
    )
  })
}

void t.test('a model may write letters in another case, and escape underscores as Markdown does', async () => {
  const written: Arbitrary<(token: string) => string> = constantFrom(
    (token: string) => token.toLowerCase(),
    (token: string) => token.toUpperCase(),
    (token: string) => token.replaceAll('_', '\\_'),
    (token: string) => `**${token}**`,
    (token: string) => `\`${token}\``,
    (token: string) => `[${token}](mailto:${token})`,
  )
  assert(
    property(tuple(entity, value, written), ([e, v, write]) => {
      const vault = openVault(key, 'p')
      const token = vault.tokenFor(e, v)
      return vault.restore(write(token)) === write('\0').replaceAll('\0', () => v)
    }),
  )
})

void t.test('however a stream is split, it is restored as the whole would be', async () => {
  const lookAlike = constantFrom(
    'EMAIL_',
    'EMAIL_k7q2m9xd4r',
    'k7q2m9xd4r@redacted.invalid',
    '123456789',
    '66',
    '@',
    '\\_',
  )
  const piece = oneof(prose, lookAlike, constant(undefined))
  assert(
    property(
      array(tuple(datum, piece, boolean()), { minLength: 1, maxLength: 6 }),
      array(integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 40 }),
      (parts, sizes) => {
        const vault = openVault(key, 'p')
        const text = parts
          .map(([{ entity, value, form }, text, isMangled]) => {
            const token = vault.tokenFor(entity, value, undefined, form)
            return (text ?? '') + (isMangled ? token.toLowerCase().replace('_', '\\_') : token)
          })
          .join('')
        return pieced(text, sizes, vault) === vault.restore(text)
      },
    ),
    { numRuns: 1000 },
  )
})

function pieced(text: string, sizes: readonly number[], vault: Vault): string {
  const window = openWindow({ vault })
  let out = ''
  let at = 0
  for (let turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    out += window.push(text.slice(at, at + size))
    at += size
  }
  return out + window.end()
}

void t.test('planted look-alikes stay', async () => {
  const symbols = string({
    unit: constantFrom(...Array.from('0123456789abcdefghjkmnpqrstvwxyz')),
    minLength: 10,
    maxLength: 10,
  })
  assert(
    property(array(datum, { maxLength: 6 }), array(symbols, { minLength: 1, maxLength: 6 }), (data, bodies) => {
      const vault = openVault(key, 'p')
      for (const { entity, value, form } of data) vault.tokenFor(entity, value, undefined, form)
      const text = bodies.map((body) => `EMAIL_${body} ${body}@redacted.invalid IBAN_${body} 666${body}`).join(' ')
      return vault.restore(text) === text && pieced(text, [3, 1, 7], vault) === text
    }),
  )
})
