// The strict envelope: each class of head that two readers could understand differently is refused, and what real
// clients send is not.
import { existsSync, readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { normaliseIp, readHead } from '../../../proxy/server/envelope.ts'
import { answer } from '../../support/scripted-upstream.ts'
import { openFortress, talk } from '../../security/fortress.ts'

type Given = {
  readonly method?: string
  readonly url?: string
  readonly headers?: readonly string[]
  readonly minor?: number
  readonly major?: number
}

const limits = { headerCountMax: 100, targetBytesMax: 64, publicNames: new Set(['gateway.test', 'gateway.test:8443']) }

function read({
  method = 'GET',
  url = '/v1/x',
  headers = ['Host', 'gateway.test'],
  minor = 1,
  major = 1,
}: Given): ReturnType<typeof readHead> {
  const lower = new Map<string, string>()
  for (let i = 0; i < headers.length; i += 2) lower.set((headers[i] ?? '').toLowerCase(), headers[i + 1] ?? '')
  const request = {
    method,
    url,
    rawHeaders: [...headers],
    headers: Object.fromEntries(lower),
    httpVersionMajor: major,
    httpVersionMinor: minor,
    httpVersion: `${major}.${minor}`,
    socket: { remoteAddress: '::ffff:10.1.2.3' },
  }
  return readHead(request as unknown as IncomingMessage, limits, new Set(['x-dept']))
}

/** `code` and status, or `fine`. */
function verdict(given: Given): string {
  const { fault } = read(given)
  return fault === undefined ? 'fine' : `${fault.code} ${fault.status}`
}

const host = ['Host', 'gateway.test'] as const

t.test('methods', async (t) => {
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    t.equal(verdict({ method }), 'fine', method)
  for (const method of ['get', 'Get', 'TRACE', 'CONNECT', 'PROPFIND', 'PURGE', 'M-SEARCH', 'BREW', ''])
    t.equal(verdict({ method }), 'method-unsupported 405', method)
})

t.test('targets', async (t) => {
  const fine = [
    '/',
    '/v1/x',
    '/v1/x/',
    '/v1/x?',
    '/v1/x?a=1&a=2',
    '/v1/x?a=../..',
    '/v1/x?u=http://a/',
    '/v1/ch%61t',
    '/a%20b',
    '/%e9%9b%bb',
    "/a.b-c_d~e!$&'()*+,=:@",
    '/...',
    '/a..b',
    '/v1/x?a=%0a',
    '/x?a;b',
    '/x?//',
    'http://gateway.test/v1/x?a=1',
    'http://GATEWAY.test:8443/v1/x',
    'http://gateway.test',
  ]
  for (const url of fine) t.equal(verdict({ url }), 'fine', url)
  const refused = [
    '',
    '*',
    'v1/x',
    '?',
    '//evil/x',
    '///x',
    '/a//b',
    '/\\evil/x',
    '/a\\b',
    '/a#b',
    '/a b',
    '/a\tb',
    '/a\x7f',
    '/é',
    '/a\x00',
    '/.',
    '/..',
    '/a/./b',
    '/a/../b',
    '/a/..',
    '/a/.',
    '/%2e',
    '/%2E%2e/a',
    '/.%2e/a',
    '/a/%2e./b',
    '/..;/a',
    '/a;x=1',
    '/a;',
    '/a%2fb',
    '/a%2Fb',
    '/a%5cb',
    '/a%5C',
    '/%00',
    '/a%00b',
    '/%252e',
    '/%25',
    '/a%',
    '/a%2',
    '/a%zz',
    '/a%u002e',
    '/a%0d%0aX:1',
    '/a%09',
    '/a%1f',
    '/a%7f',
    '/a%7F',
    '/%c0%ae',
    '/%e0%80%af',
    '/%ff',
    '/%ed%a0%80',
    '/%f4%90%80%80',
    '/%e9',
    '/a?x=%',
    '/a?x=%zz',
    '/a?x=%00',
    '/a?%',
    'http://evil/x',
    'https://gateway.test/x',
    'http://a@gateway.test/x',
    'http://gateway.test:1/x',
    'http://gateway.test#/x',
    'http:///x',
    'gateway.test:443',
    'http://gateway.test/../x',
    'http://gateway.test//x',
  ]
  for (const url of refused) t.equal(verdict({ url }), 'target-invalid 400', JSON.stringify(url))
  t.equal(verdict({ url: `/${'a'.repeat(63)}` }), 'fine', 'as long as allowed')
  t.equal(verdict({ url: `/${'a'.repeat(64)}` }), 'target-invalid 414', 'one more')
})

t.test('what is split off a target', async (t) => {
  t.match(read({ url: '/v1/x?a=1?b' }).head, { path: '/v1/x', query: 'a=1?b', ip: '10.1.2.3', method: 'GET' })
  t.match(read({ url: 'http://gateway.test?a=1' }).head, { path: '/', query: 'a=1' })
  t.match(read({ url: '//evil/x?a' }).head, { path: '', query: '' }, 'nothing of one that is refused')
  t.equal(
    read({ url: '/%61dmin%3Ax/%e9%9b%bb%2b/%7e?a=%61' }).head.path,
    '/admin:x/%E9%9B%BB%2B/~',
    'rules see what is meant',
  )
  t.equal(read({ url: '/x?a=%61' }).head.query, 'a=%61', 'a query stays as it is')
  t.equal(normaliseIp('::ffff:10.0.0.1'), '10.0.0.1')
  t.equal(normaliseIp('::ffff:a00:1'), '::ffff:a00:1')
  t.equal(normaliseIp('::1'), '::1')
})

t.test('names of headers', async (t) => {
  for (const name of ['X-Ok', 'x-ok-2', 'SEC-CH-UA', '__proto__'.replaceAll('_', '-')])
    t.equal(verdict({ headers: [...host, name, '1'] }), 'fine', name)
  for (const name of ['X_Tenant', 'Content_Length', 'X.Y', 'X Y', 'X:Y', '', 'Ä', '__proto__', "x'", 'x\0'])
    t.equal(verdict({ headers: [...host, name, '1'] }), 'header-invalid 400', JSON.stringify(name))
  const many = (count: number): string[] => [
    ...host,
    ...Array.from({ length: count - 1 }, (_, i) => [`X-${i}`, '1']).flat(),
  ]
  t.equal(verdict({ headers: many(100) }), 'fine')
  t.equal(verdict({ headers: many(101) }), 'headers-too-large 431')
})

t.test('headers that may be there once', async (t) => {
  const once = [
    'Content-Type',
    'Content-Encoding',
    'Authorization',
    'X-Api-Key',
    'Api-Key',
    'X-Goog-Api-Key',
    'Upgrade',
    'Mcp-Session-Id',
    'Mcp-Protocol-Version',
    'Mcp-Method',
    'Mcp-Name',
  ]
  for (const name of once) {
    t.equal(verdict({ headers: [...host, name, 'a'] }), 'fine', name)
    t.equal(verdict({ headers: [...host, name, 'a', name.toLowerCase(), 'a'] }), 'header-invalid 400', `${name} twice`)
  }
  t.equal(verdict({ headers: [...host, ...host] }), 'header-invalid 400', 'Host')
  t.equal(verdict({ headers: [...host, 'Content-Length', '1', 'content-length', '1'] }), 'header-invalid 400')
  t.equal(verdict({ headers: [...host, 'Expect', '100-continue', 'expect', '100-continue'] }), 'header-invalid 400')
  t.equal(
    verdict({ headers: [...host, 'Accept', 'a', 'Accept', 'b', 'Cookie', 'a', 'Cookie', 'b'] }),
    'fine',
    'others may be repeated',
  )
})

t.test('Host', async (t) => {
  for (const value of ['gateway.test', 'a-b.c', '127.0.0.1:8080', '[::1]:8080', '[::1]', 'localhost:1'])
    t.equal(verdict({ headers: ['Host', value] }), 'fine', value)
  for (const value of [
    '',
    'good@evil',
    'a/b',
    'a?c',
    'a b',
    'a,b',
    'localhost:4000/#@x',
    'a:b',
    'a:123456',
    'a:',
    '[::1',
    '[x]',
    'a_b',
    'ä',
    'a\\b',
    '::1',
  ]) {
    t.equal(verdict({ headers: ['Host', value] }), 'header-invalid 400', JSON.stringify(value))
  }
  t.equal(verdict({ headers: [] }), 'header-invalid 400', 'missing on HTTP/1.1')
  t.equal(verdict({ headers: [], minor: 0 }), 'fine', 'HTTP/1.0 has none')
})

t.test('framing', async (t) => {
  const framed = (...headers: string[]): string => verdict({ method: 'POST', headers: [...host, ...headers] })
  t.equal(framed('Transfer-Encoding', 'chunked'), 'fine')
  t.equal(framed('Transfer-Encoding', 'Chunked'), 'fine')
  for (const value of [
    'identity',
    'gzip, chunked',
    'chunked, identity',
    ',chunked',
    'xchunked',
    '"chunked"',
    'chunked;q=1',
    '',
  ])
    t.equal(framed('Transfer-Encoding', value), 'header-invalid 501', value)
  t.equal(framed('Transfer-Encoding', 'chunked', 'Content-Length', '1'), 'header-invalid 400')
  t.equal(framed('Content-Length', '0'), 'fine')
  for (const value of ['', '+5', '-5', '0x5', '5e0', '5.0', '5 5', '5,5', '1'.repeat(16), 'a'])
    t.equal(framed('Content-Length', value), 'header-invalid 400', value)
  t.equal(verdict({ method: 'POST', minor: 0, headers: ['Transfer-Encoding', 'chunked'] }), 'header-invalid 400')
  t.equal(verdict({ major: 2, minor: 0 }), 'request-malformed 505')
  t.equal(verdict({ major: 0, minor: 9, headers: [...host] }), 'request-malformed 505')
  t.equal(framed('Expect', '100-Continue'), 'fine')
  t.equal(framed('Expect', 'x 100-continue'), 'header-invalid 417')
})

t.test('Connection and Upgrade', async (t) => {
  const connection = (...values: string[]): string =>
    verdict({ headers: [...host, ...values.flatMap((value) => ['Connection', value])] })
  for (const value of ['close', 'Keep-Alive', 'close, TE', 'keep-alive, Upgrade, HTTP2-Settings', 'X-Hop', '', ','])
    t.equal(connection(value), 'fine', value)
  for (const value of [
    'Authorization',
    'close, x-api-key',
    'Host',
    'Content-Length',
    'content-type',
    'transfer-encoding',
    'Cookie',
    'Traceparent',
    'X-Gatewright-Rule',
    'x-forwarded-for',
    'mcp-session-id',
    'anthropic-beta',
    'OpenAI-Organization',
    'x-forwarded-proto',
    'X-Dept',
    'X-Tenant',
    'tracestate',
  ]) {
    t.equal(connection(value), 'header-invalid 400', value)
  }
  t.equal(connection('close', 'Authorization'), 'header-invalid 400', 'in the second of two lines')
  t.equal(verdict({ headers: [...host, 'Connection', 'upgrade', 'Upgrade', 'WebSocket'] }), 'upgrade-refused 400')
  t.equal(
    verdict({ headers: [...host, 'Connection', 'upgrade', 'Upgrade', 'h2c'] }),
    'fine',
    'h2c is dropped, not refused',
  )
})

const vectors = join(
  import.meta.dirname,
  '..',
  '..',
  '..',
  '..',
  'shared',
  'vectors',
  'url',
  'request-target-policy-cases.jsonl',
)

t.test(
  'published targets, over a real socket',
  { skip: existsSync(vectors) ? false : 'shared/ is absent' },
  async (t) => {
    const fortress = await openFortress()
    t.teardown(() => fortress.close())
    fortress.upstream.always(answer(200, 'ok', { 'content-type': 'text/plain' }))
    const rows = readFileSync(vectors, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { target: string; expect: string; why: string })
    for (const { target, expect, why } of rows) {
      const { replies } = await talk(
        fortress.port,
        `GET ${target} HTTP/1.1\r\nhost: gateway.test\r\nconnection: close\r\n\r\n`,
      )
      const want = expect === 'reject-400' ? 400 : 404
      t.equal(replies[0]?.status, want, `${target}: ${why}`)
    }
    t.equal(fortress.upstream.connections, 0)
  },
)
