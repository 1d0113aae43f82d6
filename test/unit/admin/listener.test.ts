// The admin listener: every path of the interface, what is refused, and the names of the metrics.
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { AdminListener, type Health } from '../../../proxy/admin/listener.ts'
import { openMetrics } from '../../../proxy/pipeline/metrics.ts'
import { findProgram, missing } from '../../support/debian.ts'

let reasons: string[] = []
let isStarted = true
let refreshed = 0
const health: Health = {
  started: () => isStarted,
  unready: () => reasons,
  stats: () => ({ state: 'serving', inflight: 0, auditOk: true }),
  refresh: () => void (refreshed += 1),
}
const metrics = openMetrics()
const listener = new AdminListener(health, metrics.registry)
const { port } = await listener.listen('127.0.0.1', 0)
const url = `http://127.0.0.1:${port}`
t.teardown(() => listener.close())

const live = ['/livez', '/health', '/health/live']
const ready = ['/readyz', '/ready', '/health/ready']
const all = [...live, ...ready, '/startupz', '/health/stats', '/metrics']

t.test('every path answers GET and HEAD, and nothing else', async (t) => {
  for (const path of all) {
    const got = await fetch(url + path)
    const body = await got.text()
    t.equal(got.status, 200, path)
    t.equal(got.headers.get('cache-control'), 'no-store', path)
    t.equal(got.headers.get('x-content-type-options'), 'nosniff', path)
    const head = await fetch(url + path, { method: 'HEAD' })
    t.equal(head.status, 200, `HEAD ${path}`)
    t.equal(await head.text(), '', `HEAD ${path}`)
    t.equal(head.headers.get('content-type'), got.headers.get('content-type'), path)
    t.equal(Number(got.headers.get('content-length')), Buffer.byteLength(body), path)
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const refused = await fetch(url + path, { method })
      t.equal(refused.status, 405, `${method} ${path}`)
      t.equal(refused.headers.get('allow'), 'GET, HEAD')
      await refused.text()
    }
  }
  t.equal((await fetch(`${url}/livez?verbose=1`)).status, 200, 'a query changes nothing')
})

t.test('other paths do not exist', async (t) => {
  for (const path of ['/', '/admin', '/metrics/', '/livez/x', '/Livez', '/__proto__', '/constructor', '/%6civez'])
    t.equal((await fetch(url + path)).status, 404, path)
})

t.test('what makes a proxy unready says so, and does not make it dead', async (t) => {
  reasons = ['draining', 'audit log: disk full']
  for (const path of ready) {
    const response = await fetch(url + path)
    t.equal(response.status, 503, path)
    t.match(await response.text(), /draining\naudit log: disk full/)
  }
  for (const path of live) t.equal((await fetch(url + path)).status, 200, path)
  reasons = []
  isStarted = false
  t.equal((await fetch(`${url}/startupz`)).status, 503)
  isStarted = true
  t.same(await (await fetch(`${url}/health/stats`)).json(), { state: 'serving', inflight: 0, auditOk: true })
})

/** What dashboards are promised; cost is not served yet. */
const names = [
  'requests_total',
  'request_duration_seconds',
  'overhead_seconds',
  'policy_decisions_total',
  'redactions_total',
  'rate_limited_total',
  'tokens_total',
  'upstream_requests_total',
  'upstream_duration_seconds',
  'upstream_time_to_first_byte_seconds',
  'breaker_state',
  'retries_total',
  'audit_records_total',
  'audit_failures_total',
  'audit_size',
  'audit_checkpoint_age_seconds',
  'fail_open_total',
  'uninspected_total',
  'config_reload_success',
  'config_info',
  'inflight_requests',
  'store_errors_total',
  'build_info',
]

t.test('the metrics have the names of the interface', async (t) => {
  const before = refreshed
  const response = await fetch(`${url}/metrics`)
  const text = await response.text()
  t.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  t.equal(refreshed, before + 1, 'gauges are brought up to date')
  const served = [...text.matchAll(/^# TYPE gatewright_(\S+) /gm)].map((match) => match[1])
  for (const name of names) t.ok(served.includes(name), name)
  t.equal(text.match(/^# TYPE /gm)?.length, served.length, 'and nothing without the prefix')
})

const promtool = findProgram('promtool')

t.test('Prometheus takes them', { skip: promtool === undefined && missing('promtool') }, async (t) => {
  const input = await metrics.registry.metrics()
  const checked = spawnSync(promtool as string, ['check', 'metrics'], { input, encoding: 'utf8' })
  t.equal(checked.status, 0, checked.stdout + checked.stderr)
})

t.test('a reading that fails is an error, not an end', async (t) => {
  reasons = undefined as unknown as string[]
  t.equal((await fetch(`${url}/readyz`)).status, 500)
  reasons = []
  t.equal((await fetch(`${url}/readyz`)).status, 200)
})
