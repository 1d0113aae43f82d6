// Bodies that hide what they say: by an encoding, by a second meaning, by size. Each is read as the upstream would read
// it, or refused before anything is sent.
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { jsonAnswer } from '../support/scripted-upstream.ts'
import { agentKey, openFortress, talk, type Fortress } from './fortress.ts'

const redacting = 'redaction: [{ id: all, direction: request, detect: [pii], action: mask }]'
const denied = Buffer.from('{"model":"forbidden-1","messages":[{"role":"user","content":"hi"}]}')
const allowed = Buffer.from('{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}')

async function open(t: Test, extra = redacting): Promise<Fortress> {
  const fortress = await openFortress(extra)
  t.teardown(() => fortress.close())
  fortress.upstream.always(jsonAnswer(200, { id: 'c', object: 'chat.completion', choices: [] }))
  return fortress
}

const json = 'content-type: application/json'

async function post(
  fortress: Fortress,
  body: Uint8Array | string,
  lines: readonly string[] = [json],
  path = '/openai/v1/chat/completions',
): Promise<number | undefined> {
  const bytes = Buffer.from(body)
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: gateway.test',
    'connection: close',
    `authorization: Bearer ${agentKey}`,
    ...lines,
    `content-length: ${bytes.length}`,
  ]
  const sent = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytes])
  return (await talk(fortress.port, sent)).replies[0]?.status
}

const tool = '/tools/crm/x'

t.test('B01: an encoded body is judged by what it says, or refused', async (t) => {
  const fortress = await open(t)
  const codings: readonly (readonly [string, (body: Buffer) => Buffer])[] = [
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ]
  for (const [coding, encode] of codings) {
    t.equal(await post(fortress, encode(denied), [json, `content-encoding: ${coding}`]), 403, coding)
  }
  t.equal(await post(fortress, deflateSync(denied), [json, 'content-encoding: deflate']), 415)
  t.equal(fortress.upstream.connections, 0)
  t.equal(await post(fortress, gzipSync(allowed), [json, 'content-encoding: gzip']), 200)
  const [seen] = fortress.upstream.requests
  t.equal(seen?.header('content-encoding'), undefined)
  t.same(seen?.body, allowed, 'what was judged is what is sent')
})

t.test('B02: bombs stop at the limit, layers at the first', async (t) => {
  const fortress = await open(t)
  const bomb = Buffer.alloc(64 * 1024 * 1024, 0x20)
  for (const [coding, encoded] of [
    ['br', brotliCompressSync(bomb)],
    ['gzip', gzipSync(bomb)],
    ['zstd', zstdCompressSync(bomb)],
  ] as const)
    t.equal(await post(fortress, encoded, [json, `content-encoding: ${coding}`]), 413, coding)
  t.equal(await post(fortress, gzipSync(gzipSync(allowed)), [json, 'content-encoding: gzip, gzip']), 415)
  const layers = Array.from({ length: 1000 }, () => 'gzip').join(', ')
  t.equal(await post(fortress, allowed, [json, `content-encoding: ${layers}`]), 415)
  t.equal(fortress.upstream.connections, 0)
})

t.test('B03: a label that does not hold, junk behind the end, an end that is missing', async (t) => {
  const fortress = await open(t)
  const gzipped = gzipSync(allowed)
  const labelled = [json, 'content-encoding: gzip']
  t.equal(await post(fortress, allowed, labelled), 400, 'plain')
  t.equal(await post(fortress, Buffer.concat([gzipped, Buffer.from('junk')]), labelled), 400, 'junk')
  t.equal(await post(fortress, gzipped.subarray(0, -4), labelled), 400, 'cut')
  t.equal(await post(fortress, gzipped), 400, 'without a label')
  t.equal(fortress.upstream.connections, 0)
})

t.test('B04 to B09: JSON with two readings, or none', async (t) => {
  const fortress = await open(t)
  const rows: Readonly<Record<string, string | Uint8Array>> = {
    'B04 a key twice': '{"model":"gpt-4o","model":"forbidden-1"}',
    'B04 a key twice, once escaped': '{"model":"gpt-4o","\\u006dodel":"forbidden-1"}',
    'B04 deep down': '{"a":[{"b":1,"b":2}]}',
    'B05 two keys but for their case': '{"model":"gpt-4o","MODEL":"forbidden-1"}',
    'B05 the long s': '{"messages":[],"me\u017fsages":[]}',
    'B06 UTF-16': Buffer.from(allowed.toString(), 'utf16le'),
    'B06 UTF-16 with its mark': Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(allowed.toString(), 'utf16le')]),
    'B06 UTF-32': Buffer.from([...allowed].flatMap((byte) => [byte, 0, 0, 0])),
    'B06 a byte order mark': `\ufeff${allowed.toString()}`,
    'B07 invalid UTF-8': Buffer.concat([Buffer.from('{"model":"gpt-'), Buffer.from([0xff]), Buffer.from('"}')]),
    'B07 an overlong form': Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
    'B07 a lone surrogate': '{"model":"gpt-\\ud800"}',
    'B08 NaN': '{"temperature":NaN}',
    'B08 Infinity': '{"temperature":-Infinity}',
    'B08 1e400': '{"temperature":1e400}',
    'B08 hexadecimal': '{"temperature":0x1}',
    'B08 a leading zero': '{"temperature":01}',
    'B09 5000 arrays': `${'['.repeat(5000)}${']'.repeat(5000)}`,
    'B09 100000 arrays, unclosed': '['.repeat(100_000),
    'B09 65 levels': `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`,
  }
  for (const [name, body] of Object.entries(rows)) {
    t.equal(await post(fortress, body), 400, name)
    t.equal(await post(fortress, body, [json], tool), 400, `${name}, to a tool`)
  }
  t.equal(fortress.upstream.connections, 0)
})

t.test('B08: numbers keep their digits when something beside them is replaced', async (t) => {
  const fortress = await open(t)
  const numbers = '"big":12345678901234567890123,"exact":0.1000000000000000055511151231257827,"zero":-0,"e":1E+2'
  t.equal(await post(fortress, `{${numbers},"to":"ada@example.org"}`, [json], tool), 200)
  const sent = fortress.upstream.requests[0]?.body.toString() ?? ''
  t.ok(sent.includes(numbers), sent)
  t.notMatch(sent, 'ada@example.org')
})

t.test('B10: very many members and items, and very long strings, have a limit', async (t) => {
  const fortress = await open(t)
  const members = `{${Array.from({ length: 100_000 }, (_, index) => `"k${index}":1`).join()}}`
  const items = `{"a":[${'0,'.repeat(999_999)}0]}`
  const long = JSON.stringify({ a: 'a'.repeat(10 * 1024 * 1024) })
  const delay = monitorEventLoopDelay({ resolution: 5 })
  for (const path of [tool, '/openai/v1/chat/completions']) {
    t.equal(await post(fortress, members, [json], path), 400, 'members')
    delay.enable()
    t.equal(await post(fortress, items, [json], path), 400, 'items')
    delay.disable()
    t.equal(await post(fortress, long, [json], path), 413, 'a string')
  }
  t.comment(`longest stall ${Math.round(delay.max / 1e6)} ms, the client of this test included`)
  t.equal(fortress.upstream.connections, 0)
})

t.test('B11: a body is JSON when its media type says so, once and in UTF-8', async (t) => {
  const fortress = await open(t)
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8; charset=utf-16',
    'text/plain, application/json',
    'application/jsonx',
  ]
  for (const type of types) t.equal(await post(fortress, allowed, [`content-type: ${type}`]), 415, type)
  t.equal(await post(fortress, allowed, []), 415, 'none')
  t.equal(await post(fortress, allowed, [json, json]), 400, 'twice')
  t.equal(fortress.upstream.connections, 0)
})

t.test('B12: multipart is not read, so it does not pass where reading is asked for', async (t) => {
  const fortress = await open(t)
  const part = 'content-disposition: form-data; name="a"\r\n\r\nada@example.org'
  const whole = `--X\r\n${part}\r\n--X--\r\n`
  const rows: readonly (readonly [string, string])[] = [
    ['boundary=X', whole],
    ['boundary=X; boundary=Y', whole],
    ['boundary=X', whole.replaceAll('\r\n', '\n')],
    ['boundary=X', `${whole}${whole}`],
    ['boundary=X', whole.replace('name="a"', 'name="a"; name*=b')],
    ['boundary=X', whole.replace('\r\n\r\n', '\r\ncontent-transfer-encoding: base64\r\n\r\n')],
  ]
  for (const [parameters, body] of rows) {
    const lines = [`content-type: multipart/form-data; ${parameters}`]
    t.equal(await post(fortress, body, lines, tool), 415, `to a tool: ${parameters}`)
    t.equal(await post(fortress, body, lines), 415, `to a model: ${parameters}`)
  }
  t.equal(fortress.upstream.connections, 0)
})

t.test('B14: a chunked body ends at the limit', async (t) => {
  const fortress = await open(t)
  t.equal(await flood(fortress, '/openai/v1/chat/completions'), 413)
  const [outcome] = await fortress.outcomes(1)
  t.equal(outcome?.['fault'], 'body-too-large')
  t.equal(fortress.upstream.connections, 0)
})

/** Sends chunks until it is told to stop; the status it is told, or 0 when the connection broke. */
function flood(fortress: Fortress, path: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ port: fortress.port, host: '127.0.0.1' })
    const piece = `10000\r\n${' '.repeat(65_536)}\r\n`
    let received = ''
    const pump = (): void => {
      while (socket.writable) if (!socket.write(piece)) return void socket.once('drain', pump)
    }
    socket.on('connect', () => {
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: gateway.test\r\nauthorization: Bearer ${agentKey}\r\n${json}\r\ntransfer-encoding: chunked\r\n\r\n`,
      )
      pump()
    })
    socket.on('data', (text: Buffer) => {
      received += text.toString('latin1')
      socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(Number(received.slice(9, 12))))
  })
}
