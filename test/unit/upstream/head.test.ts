import t from 'tap'
import { openCredential, scrub } from '../../../proxy/upstream/credential.ts'
import { answerHead, isRelayable, requestHeaders } from '../../../proxy/upstream/head.ts'
import { secret } from './harness.ts'

const bearer = openCredential('x', { bearer: { fromEnv: 'K' } }, () => secret)
const header = openCredential('x', { header: 'X-Api-Key', value: { fromEnv: 'K' } }, () => secret)

t.test('a request keeps its headers but for those of the connection and the framing', async (t) => {
  const dropped =
    'Connection Keep-Alive Proxy-Connection Proxy-Authorization TE Trailer Transfer-Encoding Upgrade HTTP2-Settings Host Content-Length Expect'
  const headers = dropped.split(' ').flatMap((name) => [name, 'x'])
  t.strictSame(requestHeaders([...headers, 'Accept', 'a', 'accept', 'b'], undefined), ['Accept', 'a', 'accept', 'b'])
})

t.test('H09: orders to proxies, other methods and other paths are not sent on', async (t) => {
  const orders = [
    'X-Portkey-Custom-Host',
    'x-upstream-url',
    'X-Retry',
    'x-timeout',
    'L5d-Dst-Override',
    'x-envoy-original-path',
    'X-HTTP-Method-Override',
    'X-Method-Override',
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-Real-IP',
    'True-Client-IP',
  ]
  t.strictSame(requestHeaders([...orders.flatMap((name) => [name, 'x']), 'x-stainless-retry-count', '0'], undefined), [
    'x-stainless-retry-count',
    '0',
  ])
})

t.test('cookies cross only where they are told to', async (t) => {
  t.strictSame(requestHeaders(['Cookie', 'a=1', 'accept', 'a'], undefined, false), ['accept', 'a'])
  t.strictSame(requestHeaders(['Cookie', 'a=1'], undefined, true), ['Cookie', 'a=1'])
  t.strictSame(answerHead(200, { 'set-cookie': ['a=1'], 'x-a': '1' }, undefined, false).headers, ['x-a', '1'])
})

t.test('who may read an answer in a browser is not for the upstream to say', async (t) => {
  const cors = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'x-a', 'x-a': '1' }
  t.strictSame(answerHead(200, cors, undefined).headers, ['x-a', '1'])
})

t.test('F17: heads that are not relayed', async (t) => {
  const many = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, '1']))
  t.ok(isRelayable(many(200)))
  t.notOk(isRelayable(many(201)))
  t.notOk(isRelayable({ 'set-cookie': Array.from({ length: 201 }, () => 'a=1') }), 'many of one name')
  for (const connection of ['upgrade', 'Upgrade', 'keep-alive, Upgrade', 'close ,upgrade ']) {
    t.notOk(isRelayable({ connection, upgrade: 'websocket' }), connection)
    t.notOk(isRelayable({ connection }), connection)
    t.ok(isRelayable({ connection, upgrade: 'h2,h2c' }), 'an offer')
    t.notOk(isRelayable({ connection, upgrade: 'h2c, websocket' }))
  }
  t.ok(isRelayable({ connection: 'keep-alive', upgrade: 'websocket' }), 'a header without a switch')
  t.ok(isRelayable({ connection: 'x-upgrade' }))
})

t.test('the credential is the last word, whatever was there before', async (t) => {
  t.strictSame(requestHeaders(['Authorization', 'Bearer mine', 'accept', 'a'], bearer), [
    'accept',
    'a',
    'authorization',
    `Bearer ${secret}`,
  ])
  t.strictSame(requestHeaders(['X-API-KEY', 'mine'], header), ['x-api-key', secret])
})

t.test('an answer keeps its headers but for those of the connection and the framing', async (t) => {
  const head = answerHead(
    200,
    {
      'content-type': 'text/plain',
      'content-length': '12',
      connection: 'close, X-Private',
      'x-private': '1',
      'keep-alive': 'timeout=5',
      'proxy-authenticate': 'Basic',
      te: 'x',
      trailer: 'x',
      upgrade: 'h2c',
      'set-cookie': ['a=1', 'b=2'],
    },
    undefined,
  )
  t.strictSame(head, {
    status: 200,
    headers: ['content-type', 'text/plain', 'set-cookie', 'a=1', 'set-cookie', 'b=2'],
    contentLength: 12,
    closeDelimited: false,
  })
})

t.test('every header that Connection names is dropped, however it is named', async (t) => {
  const names = (connection: string | string[]): readonly string[] =>
    answerHead(200, { connection: connection as string, 'x-a': '1', 'x-b': '2', 'x-c': '3' }, undefined).headers
  t.strictSame(names('keep-alive'), ['x-a', '1', 'x-b', '2', 'x-c', '3'])
  t.strictSame(names('x-a,X-B'), ['x-c', '3'])
  t.strictSame(names(['x-a', 'close , x-c']), ['x-b', '2'])
})

t.test('how an answer ends', async (t) => {
  t.equal(answerHead(200, {}, undefined).closeDelimited, true)
  t.equal(answerHead(200, { 'content-length': '0' }, undefined).closeDelimited, false)
  t.equal(answerHead(200, { 'transfer-encoding': 'chunked' }, undefined).closeDelimited, false)
  t.equal(answerHead(204, {}, undefined).closeDelimited, false)
  t.equal(answerHead(304, {}, undefined).closeDelimited, false)
})

t.test('an answer header that shows the credential is dropped', async (t) => {
  const shown = { 'x-echo': `you sent Bearer ${secret}!`, 'x-other': ['fine', secret], 'x-part': secret.slice(0, -1) }
  t.strictSame(answerHead(200, shown, bearer).headers, ['x-other', 'fine', 'x-part', secret.slice(0, -1)])
  t.strictSame(answerHead(200, shown, header).headers, ['x-other', 'fine', 'x-part', secret.slice(0, -1)])
  const short = openCredential('x', { bearer: { fromEnv: 'K' } }, () => 'test')
  t.strictSame(
    answerHead(200, { 'x-mode': 'testing', 'x-echo': 'test', 'x-echo-2': 'Bearer test' }, short).headers,
    ['x-mode', 'testing'],
    'a short one only where it stands alone',
  )
})

t.test('a credential that no header can carry is refused without being shown', async (t) => {
  for (const bad of ['', ' ', 'a\nb', 'a\r\nx: y', 'key\n', 'kéy', 'a\0b', ' lead', 'trail ']) {
    try {
      openCredential('crm', { bearer: { fromEnv: 'K' } }, () => bad)
      t.fail(JSON.stringify(bad))
    } catch (error) {
      t.match(error, { code: 'internal', message: /upstream crm/ })
      if (bad.trim().length > 1) t.notMatch(String(error), bad.trim())
    }
  }
  t.equal(openCredential('x', { bearer: { fromEnv: 'K' } }, () => 'a b').value, 'Bearer a b')
})

t.test('scrubbing takes out every occurrence', async (t) => {
  t.equal(scrub(bearer, `${secret} and ${secret}`), '[credential] and [credential]')
  t.equal(scrub(undefined, 'as is'), 'as is')
})
