import { existsSync, readFileSync } from 'node:fs'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import t from 'tap'
import { decodableOf, decodeBody, decodePieces, openDecoder } from '../../../proxy/lib/encoding.ts'

const plain = Buffer.from('{"model":"denied-model"}')
const bytesMax = 10_000
const code = async (bytes: Uint8Array, coding?: string) => {
  const decoded = await decodeBody(bytes, coding, bytesMax)
  return decoded.ok ? Buffer.from(decoded.bytes).toString() : decoded.code
}

const codings: [string, (bytes: Buffer) => Buffer][] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['GZip ', gzipSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
]

t.test('one layer is decoded', async (t) => {
  t.equal(await code(plain), plain.toString())
  t.equal(await code(plain, ' Identity'), plain.toString())
  for (const [coding, encode] of codings) t.equal(await code(encode(plain), coding), plain.toString(), coding)
})

t.test('damaged, cut off, followed by something, or not encoded at all', async (t) => {
  for (const [coding, encode] of codings) {
    const whole = encode(plain)
    t.equal(await code(whole.subarray(0, -1), coding), 'body-malformed', `${coding} cut`)
    t.equal(await code(Buffer.concat([whole, Buffer.from('x')]), coding), 'body-malformed', `${coding} junk`)
    t.equal(await code(Buffer.concat([whole, Buffer.alloc(4)]), coding), 'body-malformed', `${coding} zeros`)
    t.equal(await code(plain, coding), 'body-malformed', `${coding} plain`)
    t.equal(await code(Buffer.alloc(0), coding), 'body-malformed', `${coding} empty`)
  }
})

t.test('all members of a gzip are decoded', async (t) => {
  const members = Buffer.concat([gzipSync(plain.subarray(0, 9)), gzipSync(plain.subarray(9))])
  t.equal(await code(members, 'gzip'), plain.toString())
})

t.test('the decoded size is limited, whatever the ratio', async (t) => {
  t.equal(await code(Buffer.alloc(bytesMax + 1)), 'body-too-large')
  for (const [coding, encode] of codings) {
    t.equal((await code(encode(Buffer.alloc(bytesMax, 0x20)), coding)).length, bytesMax, coding)
    t.equal(await code(encode(Buffer.alloc(bytesMax + 1)), coding), 'body-too-large', coding)
    t.equal(await code(encode(Buffer.alloc(4_000_000)), coding), 'body-too-large', coding)
  }
})

t.test('everything else is unsupported', async (t) => {
  for (const coding of [
    'deflate',
    'compress',
    'gzip, gzip',
    'identity, gzip',
    'gzip,',
    'rot13',
    'utf-8',
    '__proto__',
  ]) {
    t.equal(await code(gzipSync(plain), coding), 'encoding-unsupported', coding)
  }
  t.equal(await code(deflateSync(plain), 'deflate'), 'encoding-unsupported')
  t.equal(await code(deflateRawSync(plain), 'deflate'), 'encoding-unsupported')
})

t.test('piece by piece', async (t) => {
  const decoded = async (bytes: Uint8Array, coding: string, size: number) => {
    const open = openDecoder(coding)
    if (open === undefined) return 'unknown'
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    }
    let length = 0
    let text = ''
    try {
      for await (const piece of decodePieces(pieces(), open, bytesMax, (flaw) => new Error(flaw))) {
        length += piece.length
        if (length <= bytesMax) text += Buffer.from(piece).toString()
      }
      return length <= bytesMax ? text : length
    } catch (error) {
      return `${(error as Error).message} ${length <= bytesMax}`
    }
  }
  for (const [name, encode] of codings) {
    const coding = name.trim().toLowerCase()
    const whole = encode(plain)
    for (const size of [1, 7, 1000])
      t.equal(await decoded(whole, coding, size), plain.toString(), `${coding} by ${size}`)
    t.equal(await decoded(whole.subarray(0, -1), coding, 7), 'malformed true', `${coding} cut`)
    t.equal(await decoded(Buffer.concat([whole, Buffer.from('x')]), coding, 7), 'malformed true', `${coding} junk`)
    t.equal(await decoded(plain, coding, 7), 'malformed true', `${coding} plain`)
    t.equal(await decoded(Buffer.alloc(0), coding, 7), '', `${coding} empty`)
    t.match(await decoded(encode(Buffer.alloc(64_000_000)), coding, 1000), /^too-large/, `${coding} bomb`)
    const large = Buffer.from(Array.from({ length: 40_000 }, (_, at) => at).join())
    t.equal(await decoded(encode(large), coding, 1000), large.length, `${coding} in proportion`)
  }
  t.equal(await decoded(deflateSync(plain), 'deflate', 7), 'unknown')
})

t.test('what the body throws comes through', async (t) => {
  const failed = new Error('broken off')
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield gzipSync(plain).subarray(0, 20)
    throw failed
  }
  const reading = decodePieces(pieces(), openDecoder('gzip') as never, bytesMax, () => new Error('malformed'))
  await t.rejects(async () => {
    for await (const piece of reading) t.ok(piece)
  }, failed)
})

t.test('only what can be decoded is accepted', async (t) => {
  for (const [accepted, expected] of [
    ['gzip, deflate, br, zstd', 'gzip, br, zstd'],
    ['deflate;q=1, GZip;q=0.5, *', 'GZip;q=0.5'],
    ['deflate, *;q=0', 'identity'],
    ['', 'identity'],
  ] as const)
    t.equal(decodableOf(accepted), expected)
})

const vectors = new URL('../../../../shared/vectors/http/body-encoding-cases.jsonl', import.meta.url)

t.test('recorded bodies', { skip: existsSync(vectors) ? false : 'shared/ is absent' }, async (t) => {
  const expected = new Map([
    ...['gzip', 'x-gzip', 'br', 'multi-member', 'case', 'gzip-twice-one-label'].map((id) => [id, 'ok'] as const),
    ...['deflate-zlib', 'deflate-raw', 'double-gzip', 'identity-gzip', 'unknown', 'bomb-nested-gzip'].map(
      (id) => [id, 'encoding-unsupported'] as const,
    ),
    ...['label-but-plain', 'trailing-junk', 'truncated', 'zstd-label'].map((id) => [id, 'body-malformed'] as const),
    ...['bomb-gzip-64MiB', 'bomb-br-64MiB'].map((id) => [id, 'body-too-large'] as const),
  ])
  for (const line of readFileSync(vectors, 'utf8').trim().split('\n')) {
    const row = JSON.parse(line) as { id: string; headers: Record<string, string>; body_b64: string }
    const outcome = expected.get(row.id)
    if (outcome === undefined) continue
    const coding = row.headers['content-encoding'] ?? row.headers['Content-Encoding']
    const decoded = await decodeBody(Buffer.from(row.body_b64, 'base64'), coding, bytesMax)
    t.equal(decoded.ok ? 'ok' : decoded.code, outcome, row.id)
  }
})
