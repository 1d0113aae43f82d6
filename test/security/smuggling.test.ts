// Request smuggling: whatever bytes a client sends, the upstream sees exactly one well-framed request for each that was
// allowed, or nothing; and what was refused is recorded once.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { answer } from '../support/scripted-upstream.ts'
import { openFortress, talk, type Fortress } from './fortress.ts'

const head = 'host: gateway.test\r\n'
const vectors = join(import.meta.dirname, '..', '..', '..', 'shared', 'vectors', 'http', 'desync-guardian.jsonl')

async function open(t: Test): Promise<Fortress> {
  const fortress = await openFortress()
  t.teardown(() => fortress.close())
  fortress.upstream.always(answer(200, 'ok', { 'content-type': 'text/plain' }))
  return fortress
}

/** The proxy's own refusals and records, for requests of which none may get through. */
async function allRefused(
  t: Test,
  fortress: Fortress,
  requests: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  const names = Object.keys(requests)
  const talks = await Promise.all(names.map((name) => talk(fortress.port, requests[name] ?? '', 2)))
  const outcomes = await fortress.outcomes(names.length)
  for (const [index, { replies, end }] of talks.entries()) {
    const name = names[index] ?? ''
    t.equal(replies.length, 1, `${name}: one answer`)
    t.ok((replies[0]?.status ?? 0) >= 400 && (replies[0]?.status ?? 0) < 600, `${name}: ${replies[0]?.status}`)
    t.equal(end, 'closed', `${name}: the connection is closed`)
    t.equal(outcomes.filter(({ request }) => request === replies[0]?.requestId).length, 1, `${name}: one record`)
  }
  t.equal(outcomes.length, names.length, 'no record too many')
  t.equal(fortress.upstream.connections, 0, 'nothing was sent upstream')
}

/** Behind every request stands another; where a proxy and its upstream frame differently, that one gets through. */
const second = `GET /open/smuggled HTTP/1.1\r\n${head}\r\n`

t.test('framing that two readers could read differently is refused', async (t) => {
  const fortress = await open(t)
  const post = (lines: string, body = ''): string => `POST /open/x HTTP/1.1\r\n${head}${lines}\r\n${body}`
  const requests: Record<string, string> = {
    'F02 both framings': post('content-length: 4\r\ntransfer-encoding: chunked\r\n', `0\r\n\r\n${second}`),
    'F02 both, the other way round': post('transfer-encoding: chunked\r\ncontent-length: 4\r\n', `0\r\n\r\n${second}`),
    'F03 two lengths': post('content-length: 5\r\ncontent-length: 6\r\n', `abcde${second}`),
    'F03 the same length twice': post('content-length: 5\r\ncontent-length: 5\r\n', `abcde${second}`),
    'F03 a list of lengths': post('content-length: 5, 5\r\n', `abcde${second}`),
    'F06 chunked on HTTP/1.0': `POST /open/x HTTP/1.0\r\n${head}transfer-encoding: chunked\r\n\r\n0\r\n\r\n${second}`,
    'F07 HTTP/0.9': 'GET /open/x\r\n\r\n',
    'HTTP/1.2': `GET /open/x HTTP/1.2\r\n${head}\r\n`,
    'HTTP/2.0': `GET /open/x HTTP/2.0\r\n${head}\r\n`,
    'the HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'F08 bare LF': `GET /open/x HTTP/1.1\nhost: gateway.test\n\n`,
    'F08 bare CR in a value': `GET /open/x HTTP/1.1\r\n${head}x: a\rb\r\n\r\n`,
    'F08 a folded line': `GET /open/x HTTP/1.1\r\n${head}x: a\r\n b\r\n\r\n`,
    'F08 NUL in a value': `GET /open/x HTTP/1.1\r\n${head}x: a\0b\r\n\r\n`,
    'F08 a space before the colon': `GET /open/x HTTP/1.1\r\n${head}content-length : 5\r\n\r\nabcde`,
    'F08 a space before the first name': `GET /open/x HTTP/1.1\r\n host: gateway.test\r\n\r\n`,
    'F12 an underscore': `GET /open/x HTTP/1.1\r\n${head}content_length: 5\r\nconnection: close\r\n\r\n`,
    'F21 CONNECT': `CONNECT gateway.test:443 HTTP/1.1\r\n${head}\r\n`,
    'F22 TRACE': `TRACE /open/x HTTP/1.1\r\n${head}connection: close\r\n\r\n`,
    'F22 a method in lower case': `get /open/x HTTP/1.1\r\n${head}\r\n`,
    'no TLS here': '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03',
  }
  for (const length of ['+5', '-5', '0x5', '5e0', '5.0', '0 5', '18446744073709551616', '9007199254740993', '', 'a']) {
    requests[`F04 content-length ${JSON.stringify(length)}`] = post(`content-length: ${length}\r\n`, `abcde${second}`)
  }
  for (const encoding of [
    'xchunked',
    '"chunked"',
    'chunked;q=1',
    'gzip, chunked',
    ', chunked',
    ',chunked',
    'chunked, identity',
    'identity',
    'chunked, chunked',
    'gzip',
    '\x0bchunked',
    'chunked\x85',
    '',
  ]) {
    requests[`F05 transfer-encoding ${JSON.stringify(encoding)}`] = post(
      `transfer-encoding: ${encoding}\r\nconnection: close\r\n`,
      `0\r\n\r\n${second}`,
    )
  }
  await allRefused(t, fortress, requests)
})

t.test('F09: chunks that are no chunks are refused, and nothing behind them is a request', async (t) => {
  const fortress = await open(t)
  const chunked = (body: string): string =>
    `POST /openai/v1/chat/completions HTTP/1.1\r\n${head}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${body}${second}`
  const requests: Record<string, string> = {
    'more data than the size says': chunked('2\r\nabcdef\r\n0\r\n\r\n'),
    'no line end after the data': chunked('2\r\nab0\r\n\r\n'),
  }
  for (const size of [
    '0x1',
    '+1',
    '-1',
    '1_0',
    ' 1',
    '1 ',
    '',
    '20000000000001',
    'ffffffffffffffffff',
    'g',
    '1\t',
    '\x001',
  ]) {
    requests[`size ${JSON.stringify(size)}`] = chunked(`${size}\r\na\r\n0\r\n\r\n`)
  }
  await allRefused(t, fortress, requests)
})

t.test('F01, F16: bodies on methods that seldom have one are framed anew, exactly', async (t) => {
  const fortress = await open(t)
  const body = `GET /admin HTTP/1.1\r\nhost: x\r\n\r\n`
  const length = Buffer.byteLength(body)
  for (const [index, method] of ['DELETE', 'OPTIONS', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH'].entries()) {
    for (const [turn, framed] of [
      `transfer-encoding: chunked\r\n\r\n${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      `content-length: ${length}\r\n\r\n${body}`,
    ].entries()) {
      const number = index * 2 + turn + 1
      // Without the head's own end a HEAD has no answer body to wait for.
      const done = talk(
        fortress.port,
        `${method} /open/x HTTP/1.1\r\n${head}connection: close\r\n${framed}`,
        method === 'HEAD' ? 9 : 1,
      )
      const seen = await fortress.upstream.seen(number)
      await done
      t.equal(seen.method, method)
      t.equal(seen.target, '/x', method)
      t.equal(seen.body.toString(), body, `${method}: the body arrived as a body`)
      const framings = [seen.header('content-length'), seen.header('transfer-encoding')].filter(
        (value) => value !== undefined,
      )
      t.equal(framings.length, 1, `${method}: one framing`)
    }
  }
  t.equal(fortress.upstream.requests.length, 14, 'and no request more')
  t.notOk(fortress.upstream.requests.some(({ target }) => target.includes('admin')))
})

t.test('F10, F11: chunk extensions are bounded, trailers become no headers', async (t) => {
  const fortress = await open(t)
  const start = `POST /open/x HTTP/1.1\r\n${head}transfer-encoding: chunked\r\nconnection: close\r\n\r\n`
  const long = await talk(fortress.port, `${start}1;${'e'.repeat(20_000)}\r\na\r\n0\r\n\r\n`, 2)
  t.ok((long.replies[0]?.status ?? 0) >= 400, `${long.replies[0]?.status}`)
  const trailed = await talk(fortress.port, `${start}1\r\na\r\n0\r\nauthorization: Bearer evil\r\nx-evil: 1\r\n\r\n`, 1)
  t.equal(trailed.replies[0]?.status, 200)
  const seen = fortress.upstream.requests.at(-1)
  t.notMatch(seen?.head, 'evil')
  t.equal(seen?.body.toString(), 'a')
  const { length } = fortress.upstream.requests
  const framing = await talk(fortress.port, `${start}1\r\na\r\n0\r\ncontent-length: 99\r\n\r\n`, 2)
  t.equal(framing.replies[0]?.status, 400, 'a trailer about framing')
  t.equal(fortress.upstream.requests.length, length, 'never became a whole request')
})

t.test('F13: Expect is answered here and never forwarded', async (t) => {
  const fortress = await open(t)
  const post = (expect: string): string =>
    `POST /open/x HTTP/1.1\r\n${head}expect: ${expect}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n`
  const served = await talk(fortress.port, `${post('100-continue')}ab`)
  t.equal(served.replies[0]?.status, 200)
  t.equal(fortress.upstream.requests[0]?.header('expect'), undefined)
  for (const odd of ['x 100-continue', '200-ok', '100-continue, 100-continue']) {
    const refused = await talk(fortress.port, `${post(odd)}ab`)
    t.equal(refused.replies[0]?.status, 417, odd)
  }
  const withheld = await talk(fortress.port, post('100-continue'))
  t.equal(withheld.replies[0]?.status, 408, 'a body that never comes does not hold the connection')
  t.equal((await fortress.outcomes(5)).length, 5)
})

t.test('F14: an upstream that answers before the body is complete is not reused', async (t) => {
  const fortress = await open(t)
  const { upstream } = fortress
  const early = `POST /open/early HTTP/1.1\r\n${head}content-length: 200000\r\n\r\n${'a'.repeat(100_000)}`
  let connections = 0
  // The scripted upstream reads whole requests; this one answers as soon as anything has come.
  const { createServer } = await import('node:net')
  const hasty = createServer((socket) => {
    connections += 1
    socket.on('error', () => {})
    socket.once('data', () => socket.write(answer(413, 'no', { 'content-type': 'text/plain' })))
  })
  await new Promise<void>((resolve) => hasty.listen(0, '127.0.0.1', resolve))
  const { port } = hasty.address() as { port: number }
  fortress.gateway.rewrite(upstreamAt(port))
  t.equal(fortress.gateway.gateway.reload().ok, true)
  const first = await talk(fortress.port, early)
  t.ok([413, 502].includes(first.replies[0]?.status ?? 0), `${first.replies[0]?.status}`)
  await talk(fortress.port, `GET /open/next HTTP/1.1\r\n${head}connection: close\r\n\r\n`)
  t.equal(connections, 2, 'the next request has a connection of its own')
  t.equal(upstream.connections, 0)
  hasty.close()
})

t.test('F15: a request behind a denied one is judged by itself', async (t) => {
  const fortress = await open(t)
  const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\n${head}${more}\r\n`
  const { replies } = await talk(
    fortress.port,
    get('/tools/crm/a') +
      get('/open/b') +
      get('/nowhere') +
      get('/tools/crm/c') +
      get('/open/d', 'connection: close\r\n'),
    5,
  )
  t.same(
    replies.map(({ status }) => status),
    [403, 200, 404, 403, 200],
  )
  t.same(
    fortress.upstream.requests.map(({ target }) => target),
    ['/b', '/d'],
  )
  const outcomes = await fortress.outcomes(5)
  t.equal(new Set(outcomes.map(({ request }) => request)).size, 5)
  for (const { requestId, status } of replies)
    t.equal(outcomes.find(({ request }) => request === requestId)?.['status'], status)
  const behindBad = await talk(
    fortress.port,
    `GET /open/x HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n${get('/open/behind', 'connection: close\r\n')}`,
    2,
  )
  t.equal(behindBad.replies[0]?.status, 400)
  const seen = fortress.upstream.requests.slice(2).map(({ target }) => target)
  t.ok(seen.length === 0 || (seen.length === 1 && seen[0] === '/behind'), 'nothing, or exactly what stands behind it')
})

t.test(
  'published desync requests: the severe ones are refused, none is forwarded with another framing',
  { skip: existsSync(vectors) ? false : 'shared/ is absent' },
  async (t) => {
    type Row = { readonly id: string; readonly tier: string; readonly raw_b64: string }
    const rows = readFileSync(vectors, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row)
    // Routed and with a Host, so that neither of these is why a row is refused.
    const routed = ({ raw_b64: raw }: Row): string =>
      Buffer.from(raw, 'base64')
        .toString('latin1')
        .replace(/ \/(?=\S)/, ' /open/')
        .replace('\r\n', `\r\n${/\r\nhost:/i.test(Buffer.from(raw, 'base64').toString('latin1')) ? '' : head}`)
    const severe = rows.filter(({ tier }) => tier === 'Severe')
    t.ok(severe.length > 50)
    const fortress = await open(t)
    await allRefused(t, fortress, Object.fromEntries(severe.map((row) => [row.id, routed(row)])))

    const others = await open(t)
    const rest = rows.filter(({ tier }) => tier !== 'Severe')
    await Promise.all(rest.map((row) => talk(others.port, routed(row))))
    t.ok((await others.outcomes(rest.length)).length >= rest.length)
    for (const { head: sent } of others.upstream.requests) {
      const names = sent
        .toLowerCase()
        .split('\r\n')
        .map((line) => line.split(':')[0])
      t.ok(
        names.filter((name) => name === 'content-length' || name === 'transfer-encoding').length <= 1,
        'one framing at most',
      )
      t.notOk(names.some((name) => name?.includes('_')))
    }
  },
)

function upstreamAt(port: number): string {
  return `
server: { timeouts: { body: 400ms, keepAlive: 50ms, headers: 2s } }
upstreams: { open: { protocol: http, url: 'http://127.0.0.1:${port}', retry: { attempts: 1 } } }
routes: [{ id: open, path: /open, upstream: open }]
principals: [{ id: anybody, from: [127.0.0.0/8] }]
anonymous: anybody
defaultEffect: allow
`
}
