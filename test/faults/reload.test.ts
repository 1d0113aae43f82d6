// Reloads under way: what is taken over, what stays as it was, and what is refused. In-process through `reload()` and
// the watcher, and once as a process by SIGHUP.
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { verifyLog } from '../../proxy/audit/verify.ts'
import { auditLines } from '../support/audit-lines.ts'
import { ManualClock } from '../support/clock.ts'
import { startGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts'
import { configText, metric, probe, startProxy } from '../support/proxy-process.ts'
import {
  answer,
  chunk,
  chunkedHead,
  lastChunk,
  scriptedUpstream,
  type Scene,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts'

t.setTimeout(60_000)

type Setup = { readonly gateway: TestGateway; readonly upstream: ScriptedUpstream }

async function setUp(t: Test, yaml: (url: string) => string, options: TestGatewayOptions = {}): Promise<Setup> {
  const upstream = (await scriptedUpstream()).always(answer(200, 'ok'))
  const gateway = await startGateway(yaml(upstream.url), options)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  return { gateway, upstream }
}

const config = (url: string, { rule = 'get-only', methods = '[GET]', more = '' } = {}): string => `
upstreams: { tool: { protocol: http, url: "${url}" } }
routes: [{ id: tool, path: /tool, upstream: tool }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: deny
rules: [{ id: ${rule}, effect: allow, actions: [tool.call], methods: ${methods} }]
${more}`

t.test('an edit is taken over by the next exchange and recorded', async (t) => {
  const { gateway, upstream } = await setUp(t, config)
  t.equal((await fetch(`${gateway.url}/tool/a`, { method: 'DELETE' })).status, 403)
  gateway.rewrite(config(upstream.url, { rule: 'both', methods: '[GET, DELETE]' }))
  const reloads = (): Promise<number | undefined> =>
    metric(gateway.adminUrl, 'gatewright_config_reloads_total{result="taken-over"}')
  t.equal(await reloads(), undefined, 'a start is no reload')
  const reload = gateway.gateway.reload()
  t.ok(reload.ok)
  t.equal(await reloads(), 1)
  const allowed = await fetch(`${gateway.url}/tool/a`, { method: 'DELETE' })
  t.equal(allowed.status, 200)
  t.equal(allowed.headers.get('x-gatewright-rule'), 'both')
  await gateway.gateway.close()
  const policies = auditLines(gateway.auditDir).filter(({ kind }) => kind === 'policy')
  t.equal(policies.length, 2)
  t.equal(policies[1]?.['config'], reload.ok && reload.hash)
  const outcomes = auditLines(gateway.auditDir).filter(({ kind }) => kind === 'outcome')
  t.same(
    outcomes.map((line) => line['config']),
    policies.map((line) => line['config']),
    'each outcome names the configuration it ran under',
  )
})

t.test('a stream that began under a rule goes on when the rule and its upstream are removed', async (t) => {
  const { gateway, upstream } = await setUp(t, config)
  const scenes: Scene[] = []
  upstream.next(async (scene) => {
    scenes.push(scene)
    await scene.write(chunkedHead() + chunk('one,'))
  })
  const stream = await fetch(`${gateway.url}/tool/slow`)
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader()
  t.equal(text((await reader.read()).value), 'one,')

  const other = (await scriptedUpstream()).always(answer(200, 'other'))
  t.teardown(() => other.close())
  gateway.rewrite(config(other.url, { rule: 'delete-only', methods: '[DELETE]' }))
  t.ok(gateway.gateway.reload().ok)
  t.equal((await fetch(`${gateway.url}/tool/slow`)).status, 403, 'new exchanges meet the new rules')
  t.equal(await (await fetch(`${gateway.url}/tool/x`, { method: 'DELETE' })).text(), 'other')

  await scenes[0]?.write(chunk('two') + lastChunk)
  let rest = ''
  for (let read = await reader.read(); !read.done; read = await reader.read()) rest += text(read.value)
  t.equal(rest, 'two', 'to its end')
  await upstream.quiet()
  t.pass('and the connections of the upstream that nobody uses any more are closed')
})

t.test('an exchange still reading its body keeps its upstream through two reloads', async (t) => {
  const yaml = (url: string, more = ''): string => config(url, { methods: '[PUT, GET]', more })
  const { gateway, upstream } = await setUp(t, (url) => yaml(url, redaction))
  const upload = request(`${gateway.url}/tool/a`, {
    method: 'PUT',
    headers: { 'content-type': 'text/plain', 'content-length': 4 },
  })
  upload.write('ab')
  await inflight(gateway, 1)
  gateway.rewrite(yaml(upstream.url))
  t.ok(gateway.gateway.reload().ok)
  const other = (await scriptedUpstream()).always(answer(200, 'other'))
  t.teardown(() => other.close())
  gateway.rewrite(yaml(other.url))
  t.ok(gateway.gateway.reload().ok)
  t.equal(await (await fetch(`${gateway.url}/tool/x`)).text(), 'other', 'what begins now goes to the new one')
  upload.end('cd')
  const [reply] = await once(upload, 'response')
  t.equal(reply.statusCode, 200)
  reply.resume()
  t.equal((await upstream.seen(1)).body.toString(), 'abcd')
})

const redaction = `redaction: [{ id: r, direction: request, detect: [secrets], action: mask }]`

t.test('a bad configuration is refused as a whole, said where, and the old one serves', async (t) => {
  const { gateway, upstream } = await setUp(t, config)
  gateway.rewrite(`${config(upstream.url, { methods: '[DELETE]' })}\nrulez: []\n`)
  const reload = gateway.gateway.reload()
  t.notOk(reload.ok)
  const line = gateway.logged.find(({ msg }) => String(msg).startsWith('configuration refused'))
  t.equal(line?.['file'], gateway.configFile)
  t.type(line?.['line'], 'number')
  t.ok(Number(line?.['line']) > 1)
  t.match(line?.['msg'], /rulez/)
  t.equal(await metric(gateway.adminUrl, 'gatewright_config_reload_success'), 0)
  t.equal((await probe(`${gateway.adminUrl}/readyz`)).status, 200, 'it stays ready')
  t.equal((await fetch(`${gateway.url}/tool/a`)).status, 200)
  gateway.rewrite(config(upstream.url))
  t.ok(gateway.gateway.reload().ok)
  t.equal(await metric(gateway.adminUrl, 'gatewright_config_reload_success'), 1)
})

t.test('sections that are opened once are refused by name and line', async (t) => {
  const { gateway, upstream } = await setUp(t, config)
  for (const [section, more] of [
    ['server', 'server: { timeouts: { drain: 7s } }'],
    ['audit', 'audit: { durability: batch }'],
    ['demo', 'demo: { listen: "127.0.0.1:0" }'],
  ] as const) {
    gateway.logged.length = 0
    gateway.rewrite(config(upstream.url, { more }))
    t.notOk(gateway.gateway.reload().ok, section)
    const line = gateway.logged.find(({ msg }) => String(msg).startsWith('configuration refused'))
    t.match(
      line,
      { msg: `"${section}" cannot change`, hint: /restart/, file: gateway.configFile, line: Number },
      section,
    )
    t.ok(Number(line?.['line']) > 1, `${section}: its line`)
  }
  t.equal((await fetch(`${gateway.url}/tool/a`)).status, 200)
})

t.test('a configuration whose secret is missing is refused; what it opened is closed', async (t) => {
  const { gateway, upstream } = await setUp(t, config)
  gateway.rewrite(
    config(upstream.url).replace('protocol: http', 'protocol: http, credential: { bearer: { fromFile: absent } }'),
  )
  t.match(gateway.gateway.reload(), { ok: false, problems: [{ message: /absent does not exist/ }] })
  t.equal((await fetch(`${gateway.url}/tool/a`)).status, 200)
})

t.test('the level of the log follows', async (t) => {
  const { gateway, upstream } = await setUp(t, config)
  gateway.rewrite(config(upstream.url, { more: 'log: { level: error }' }))
  t.ok(gateway.gateway.reload().ok)
  gateway.logged.length = 0
  await (await fetch(`${gateway.url}/tool/a`)).text()
  await inflight(gateway, 0)
  t.same(gateway.logged, [])
})

t.test('an unrelated reload forgets neither breaker nor counts', async (t) => {
  const clock = new ManualClock()
  const limited = (url: string, more = ''): string =>
    config(url, {
      more: `limits: [{ id: few, by: [principal], requests: 3/m, routes: [limited] }]\n${more}`,
    })
      .replace('routes: [{ id: tool', 'routes: [{ id: limited, path: /limited, upstream: other }, { id: tool')
      .replace('upstreams: {', `upstreams: { other: { protocol: http, url: "${url}" },`)
      .replace(
        'tool: { protocol: http',
        'tool: { credential: { bearer: { fromEnv: KEY } }, breaker: { consecutive: 2 }, retry: { attempts: 1 }, protocol: http',
      )
  const { gateway, upstream } = await setUp(t, limited, {
    clock,
    env: { KEY: 'secret-of-upstream' },
    random: () => 0.5,
  })
  const status = async (path: string): Promise<number> => {
    const got = await fetch(`${gateway.url}${path}`)
    await got.text()
    return got.status
  }
  t.equal(await status('/limited/a'), 200)
  t.equal(await status('/limited/a'), 200)
  upstream.next(answer(500), answer(500))
  t.same([await status('/tool/a'), await status('/tool/a'), await status('/tool/a')], [500, 500, 503])
  gateway.rewrite(limited(upstream.url, 'tools: [{ name: x, tags: [y] }]'))
  t.ok(gateway.gateway.reload().ok)
  t.equal(await status('/tool/a'), 503, 'the breaker is still open')
  t.equal(await metric(gateway.adminUrl, 'gatewright_breaker_state{upstream="tool"}'), 2)
  t.same([await status('/limited/a'), await status('/limited/a')], [200, 429], 'the counts go on')

  gateway.rewrite(limited(upstream.url).replace('consecutive: 2', 'consecutive: 3'))
  t.ok(gateway.gateway.reload().ok)
  t.equal(await status('/tool/a'), 200, 'an upstream with other options begins anew')
  t.equal(await metric(gateway.adminUrl, 'gatewright_breaker_state{upstream="tool"}'), 0)
})

t.test('the limit that is shown is that of the upstream in force', async (t) => {
  const limited = (url: string, concurrency: string): string =>
    config(url).replace('{ protocol: http', `{ ${concurrency}protocol: http`)
  const { gateway, upstream } = await setUp(t, (url) =>
    limited(url, 'concurrency: { max: 30, adaptive: true }, retry: { attempts: 1 }, '),
  )
  const shown = (): Promise<number | undefined> =>
    metric(gateway.adminUrl, 'gatewright_upstream_concurrency_limit{upstream="tool"}')
  const take = async (concurrency: string): Promise<void> => {
    gateway.rewrite(limited(upstream.url, concurrency))
    t.ok(gateway.gateway.reload().ok)
  }
  t.equal(await shown(), 20)
  const scenes: Scene[] = []
  upstream.next((scene) => void scenes.push(scene))
  const late = fetch(`${gateway.url}/tool/late`)
  await upstream.seen(1)
  await take('concurrency: { max: 7 }, ')
  t.equal(await shown(), 7)
  await scenes[0]?.write(answer(503))
  await (await late).text()
  t.equal(await shown(), 7, 'what the one before has learned since is its own')
  await take('')
  t.equal(await shown(), undefined, 'there is none any more')
})

t.test('a rotated secret is used after the file changed, by itself', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-secret-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const secret = join(folder, 'key')
  const withSecret = (url: string, file = secret): string =>
    config(url).replace('protocol: http', `protocol: http, credential: { bearer: { fromFile: "${file}" } }`)
  writeFileSync(secret, 'first\n')
  const { gateway, upstream } = await setUp(t, withSecret, { watch: true })
  const sentKey = async (): Promise<string | undefined> => {
    const number = upstream.requests.length + 1
    await (await fetch(`${gateway.url}/tool/a`)).text()
    return (await upstream.seen(number)).header('authorization')
  }
  t.equal(await sentKey(), 'Bearer first')
  let taken = takenOver(gateway)
  replace(secret, 'second\n')
  await taken
  t.equal(await sentKey(), 'Bearer second')

  const otherFolder = mkdtempSync(join(tmpdir(), 'gatewright-secret-'))
  t.teardown(() => rmSync(otherFolder, { recursive: true, force: true }))
  const moved = join(otherFolder, 'moved')
  taken = refused(gateway)
  gateway.rewrite(withSecret(upstream.url, moved))
  await taken
  t.equal(await sentKey(), 'Bearer second', 'the new file is not there yet')
  taken = takenOver(gateway)
  replace(moved, 'third\n')
  await taken
  t.equal(await sentKey(), 'Bearer third', 'it is watched since the configuration named it')
})

t.test('a rotated secret of a section that is opened once is refused by name and line', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-secret-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const [section, more] of [
    ['store', (file: string) => `store: { redis: { url: "redis://127.0.0.1:1", password: { fromFile: "${file}" } } }`],
    ['vault', (file: string) => `vault: { key: { fromFile: "${file}" } }`],
  ] as const) {
    const secret = join(folder, section)
    const first = 'the first one, of thirty-two characters or more\n'
    writeFileSync(secret, first)
    const { gateway } = await setUp(t, (url) => config(url, { more: more(secret) }), { watch: true })
    t.ok(gateway.gateway.reload().ok, `${section}: as it was`)
    let told = refused(gateway)
    replace(secret, 'the second, of thirty-two characters or more\n')
    await told
    const line = gateway.logged.findLast(({ msg }) => String(msg).startsWith('configuration refused'))
    t.match(line, { msg: `the secret file ${secret} has changed`, hint: /restart/, file: gateway.configFile }, section)
    t.match(line?.['msg'], `"${section}" cannot change`)
    t.ok(Number(line?.['line']) > 1, `${section}: its line`)
    t.equal(await metric(gateway.adminUrl, 'gatewright_config_reload_success'), 0)
    told = takenOver(gateway)
    replace(secret, first)
    await told
    t.pass(`${section}: put back, it is taken over`)
  }
})

t.test('a ConfigMap that is swapped twice in a row ends up as the last one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-map-'))
  const upstream = (await scriptedUpstream()).always(answer(200, 'ok'))
  const volume = join(folder, 'volume')
  mkdirSync(volume)
  const swap = (generation: string, methods: string): void => {
    const data = join(volume, `..${generation}`)
    mkdirSync(data)
    writeFileSync(join(data, 'gatewright.yaml'), configText(folder, documentOf(upstream.url, methods)))
    symlinkSync(`..${generation}`, join(volume, '..data_tmp'))
    renameSync(join(volume, '..data_tmp'), join(volume, '..data'))
  }
  swap('one', 'GET')
  symlinkSync('..data/gatewright.yaml', join(volume, 'gatewright.yaml'))
  const proxy = await startProxy(join(volume, 'gatewright.yaml'))
  t.teardown(async () => {
    await proxy.kill()
    await upstream.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const status = async (method: string): Promise<number> => (await fetch(`${proxy.url}/tool/a`, { method })).status
  t.same([await status('GET'), await status('DELETE'), await status('PUT')], [200, 403, 403])
  const taken = proxy.line(({ msg }) => msg === 'configuration taken over')
  swap('two', 'DELETE')
  swap('three', 'PUT')
  await taken
  t.same([await status('GET'), await status('DELETE'), await status('PUT')], [403, 403, 200])
})

t.test('SIGHUP reloads a process', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-hup-'))
  const upstream = (await scriptedUpstream()).always(answer(200, 'ok'))
  const file = join(folder, 'gatewright.yaml')
  writeFileSync(file, configText(folder, documentOf(upstream.url, 'GET')))
  const proxy = await startProxy(file)
  t.teardown(async () => {
    await proxy.kill()
    await upstream.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const taken = proxy.line(({ msg }) => msg === 'configuration taken over')
  writeFileSync(file, configText(folder, documentOf(upstream.url, 'DELETE')))
  proxy.signal('SIGHUP')
  await taken
  t.equal((await fetch(`${proxy.url}/tool/a`, { method: 'DELETE' })).status, 200)
  writeFileSync(file, 'apiVersion: [')
  proxy.signal('SIGHUP')
  t.match(await proxy.line(({ msg }) => String(msg).startsWith('configuration refused')), { file, line: 1 })
  t.equal(await metric(proxy.adminUrl, 'gatewright_config_reload_success'), 0)
  t.equal((await fetch(`${proxy.url}/tool/a`, { method: 'DELETE' })).status, 200)
  t.same(await proxy.stop(), { code: 0, signal: null })
  t.equal((await verifyLog(join(folder, 'audit'))).status, 'intact')
})

function documentOf(url: string, method: string): Record<string, unknown> {
  return {
    upstreams: { tool: { protocol: 'http', url } },
    routes: [{ id: 'tool', path: '/tool', upstream: 'tool' }],
    principals: [{ id: 'agent' }],
    anonymous: 'agent',
    defaultEffect: 'deny',
    rules: [{ id: 'one', effect: 'allow', actions: ['tool.call'], methods: [method] }],
  }
}

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString()
}

function replace(path: string, content: string): void {
  writeFileSync(`${path}.tmp`, content)
  renameSync(`${path}.tmp`, path)
}

/** Resolves with the next log line that begins so. */
function nextLine(gateway: TestGateway, start: string): Promise<void> {
  const { logged } = gateway
  const push = logged.push.bind(logged)
  return new Promise((resolve) => {
    logged.push = (...lines) => {
      if (lines.some(({ msg }) => String(msg).startsWith(start))) {
        logged.push = push
        resolve()
      }
      return push(...lines)
    }
  })
}

const takenOver = (gateway: TestGateway): Promise<void> => nextLine(gateway, 'configuration taken over')
const refused = (gateway: TestGateway): Promise<void> => nextLine(gateway, 'configuration refused')

async function inflight(gateway: TestGateway, count: number): Promise<void> {
  while ((await metric(gateway.adminUrl, 'gatewright_inflight_requests')) !== count);
}
