// Whatever the pieces a body arrives in, the upstream's secret is gone from it and nothing else is changed.
import t from 'tap'
import { array, assert, asyncProperty, constantFrom, nat } from 'fast-check'
import { scrubBody } from '../../proxy/upstream/scrub.ts'

// Ones that begin again inside themselves, that repeat, and that a key looks like.
const secrets = ['abababac', 'aaaaaaaa', 'aabaabaaab', 'sk-live-0123456789']

async function* pieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Uint8Array, undefined> {
  let from = 0
  for (const to of [...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]) {
    yield bytes.subarray(from, to)
    from = to
  }
  return undefined
}

async function scrubbed(secret: string, bytes: Buffer, cuts: readonly number[]): Promise<string> {
  const read: Uint8Array[] = []
  const credential = { name: 'x-key', value: secret, secret, forms: [secret] }
  for await (const chunk of scrubBody(pieces(bytes, cuts), credential)) read.push(chunk)
  return Buffer.concat(read).toString()
}

t.test('every split of a body gives the same bytes', async () => {
  const text = array(constantFrom('a', 'b', 'aab', 'é', 'sk-', ...secrets, ...secrets.map((one) => one.slice(0, -1))))
  const property = asyncProperty(constantFrom(...secrets), text, array(nat()), async (secret, parts, cuts) => {
    const whole = parts.join('')
    const expected = whole.replaceAll(secret, '*'.repeat(secret.length))
    return (await scrubbed(secret, Buffer.from(whole), cuts)) === expected
  })
  await assert(property, { numRuns: 1000 })
})

t.test('each byte on its own, too', async (t) => {
  for (const secret of secrets) {
    const bytes = Buffer.from(`{"é":"${secret}","b":"${secret.slice(0, 5)}${secret}"}`)
    const cuts = Array.from(bytes, (_, index) => index)
    t.equal(await scrubbed(secret, bytes, cuts), await scrubbed(secret, bytes, []))
  }
})
