// An operator's hand on a breaker over the admin API: what it says, what it changes, and whom it does not obey.
import { request } from 'node:http'
import t from 'tap'
import type { Breaker } from '../../../proxy/admin/breakers.ts'
import { breakersApi } from '../../../proxy/admin/breakers.ts'
import { AdminListener } from '../../../proxy/admin/listener.ts'
import { openMetrics } from '../../../proxy/pipeline/metrics.ts'
import type { BreakerMode } from '../../../proxy/upstream/breakers.ts'

let mode: BreakerMode = 'auto'
const breaker: Breaker = {
  state: () => (mode === 'forced-open' ? 'open' : 'closed'),
  parts: () => [{ state: 'closed' }, { group: 'gpt-4o', state: 'open' }],
  mode: () => mode,
  override: (to) => void (mode = to),
}
const changes: string[] = []
const api = breakersApi({
  all: () => new Map([['open/ai', breaker]]),
  onChange: (...change) => void changes.push(change.join(' ')),
})
const health = { started: () => true, unready: () => [], stats: () => ({}), refresh: () => undefined }
const listener = new AdminListener(health, openMetrics().registry, { breakers: api })
const { port } = await listener.listen('127.0.0.1', 0)
const url = `http://127.0.0.1:${port}/v1/breakers`
t.teardown(() => listener.close())

const parts = [
  { upstream: 'open/ai', state: 'closed' },
  { upstream: 'open/ai', model: 'gpt-4o', state: 'open' },
]

const json = { 'content-type': 'application/json' }

async function post(path: string, body: string, headers: Record<string, string> = json): Promise<[number, unknown]> {
  const reply = await fetch(url + path, { method: 'POST', body, headers })
  return [reply.status, await reply.json()]
}

t.test('it is looked at and set', async (t) => {
  t.strictSame(await (await fetch(url)).json(), { 'open/ai': { state: 'closed', mode: 'auto', parts } })
  t.strictSame(await post('/open%2Fai', '{"mode":"forced-open"}'), [200, { state: 'open', mode: 'forced-open', parts }])
  t.strictSame(await (await fetch(`${url}/open%2Fai`)).json(), { state: 'open', mode: 'forced-open', parts })
  t.strictSame(await post('/open%2Fai', '{"mode":"auto"}'), [200, { state: 'closed', mode: 'auto', parts }])
  t.strictSame(changes, ['open/ai forced-open 127.0.0.1', 'open/ai auto 127.0.0.1'])
})

t.test('what is not understood changes nothing', async (t) => {
  const rows: [string, string, Record<string, string>, number][] = [
    ['/other', '{"mode":"auto"}', json, 404],
    ['/open%2Fai/more', '{"mode":"auto"}', json, 404],
    ['/%zz', '{"mode":"auto"}', json, 400],
    ['', '{"mode":"auto"}', json, 405],
    ['/open%2Fai', '{"mode":"half-open"}', json, 400],
    ['/open%2Fai', '{"mode":"disabled","for":"1h"}', json, 400],
    ['/open%2Fai', '{"mode":"auto","mode":"disabled"}', json, 400],
    ['/open%2Fai', 'disabled', json, 400],
    ['/open%2Fai', '{"mode":"disabled"}', { 'content-type': 'text/plain' }, 415],
    ['/open%2Fai', '{"mode":"disabled"}', { ...json, origin: 'http://127.0.0.1:9901' }, 403],
    ['/open%2Fai', JSON.stringify({ mode: 'x'.repeat(5000) }), json, 413],
  ]
  for (const [path, body, headers, status] of rows) t.equal((await post(path, body, headers))[0], status, path + body)
  t.equal(mode, 'auto')
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const refused = await fetch(`${url}/open%2Fai`, { method })
    t.equal(refused.status, 405, method)
    t.equal(refused.headers.get('allow'), 'GET, HEAD, POST')
    t.strictSame(await refused.json(), { error: 'only GET, HEAD, POST' })
  }
  t.equal((await fetch(url, { method: 'HEAD' })).status, 200)
  t.equal((await fetch(`http://127.0.0.1:${port}/v1/unknown`)).status, 404)
})

t.test('a page whose name was made to point to this host is told nothing', async (t) => {
  const statusFor = (host: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path: '/v1/breakers', headers: { host } }, (reply) => {
        reply.resume()
        resolve(reply.statusCode)
      })
      sent.on('error', reject).end()
    })
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example'])
    t.equal(await statusFor(host), 403, host)
  for (const host of [`127.0.0.1:${port}`, `[::1]:${port}`, 'LOCALHOST:1', 'admin.localhost'])
    t.equal(await statusFor(host), 200, host)
})
