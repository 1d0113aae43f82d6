// A disk that is really full, under the real process: the log's folder lies on a file system of one mebibyte.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { verifyLog } from '../../proxy/audit/verify.ts'
import { auditLines } from '../support/audit-lines.ts'
import { configText, metric, probe, startProxy, untilStatus, type ProxyProcess } from '../support/proxy-process.ts'
import { answer, scriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts'
import { canMount, mountRefused, mountSmallDisk, type SmallDisk } from '../support/small-disk.ts'

t.setTimeout(60_000)

const skip = !canMount() && mountRefused

type Setup = {
  readonly proxy: ProxyProcess
  readonly upstream: ScriptedUpstream
  readonly auditDir: string
  readonly disk: SmallDisk
}

async function setUp(t: Test, onFailure: 'deny' | 'allow'): Promise<Setup> {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-full-'))
  const disk = mountSmallDisk(folder)
  const upstream = (await scriptedUpstream()).always(answer(200, 'ok'))
  const configFile = join(folder, 'gatewright.yaml')
  const auditDir = join(disk.path, 'audit')
  writeFileSync(
    configFile,
    configText(folder, {
      audit: { dir: auditDir, onFailure },
      upstreams: { tool: { protocol: 'http', url: upstream.url } },
      routes: [{ id: 'tool', path: '/tool', upstream: 'tool' }],
      principals: [{ id: 'agent' }],
      anonymous: 'agent',
      defaultEffect: 'allow',
    }),
  )
  const proxy = await startProxy(configFile)
  t.teardown(async () => {
    await proxy.kill()
    await upstream.close()
    disk.unmount()
    rmSync(folder, { recursive: true, force: true })
  })
  return { proxy, upstream, auditDir, disk }
}

/** The last page of the segment may still have room for some records. */
async function untilFull({ proxy, disk }: Setup): Promise<Response> {
  disk.fill()
  for (let i = 0; i < 100; i += 1) {
    const reply = await fetch(`${proxy.url}/tool/before`)
    await reply.bytes()
    if ((await probe(`${proxy.adminUrl}/readyz`)).status === 503) return fetch(`${proxy.url}/tool/full`)
  }
  throw new Error('the disk does not fill up')
}

t.test('deny: nothing is sent while the log cannot write', { skip }, async (t) => {
  const setup = await setUp(t, 'deny')
  const { proxy, upstream, auditDir, disk } = setup
  t.equal((await fetch(`${proxy.url}/tool/first`)).status, 200)
  const refused = await untilFull(setup)
  t.equal(refused.status, 503)
  t.match(await refused.json(), { code: 'audit-unavailable' })
  t.ok(Number(refused.headers.get('retry-after')) >= 1)
  t.notOk(refused.headers.has('x-gatewright-open'))
  t.notOk(
    upstream.requests.some(({ target }) => target.endsWith('/full')),
    'the upstream saw nothing',
  )
  t.match(await probe(`${proxy.adminUrl}/readyz`), { status: 503, body: /audit log: .*ENOSPC/ })
  t.equal((await probe(`${proxy.adminUrl}/livez`)).status, 200, 'a restart would not help')
  t.ok(((await metric(proxy.adminUrl, 'gatewright_audit_failures_total')) ?? 0) > 0)

  disk.free()
  await untilStatus(`${proxy.adminUrl}/readyz`, 200)
  t.equal((await fetch(`${proxy.url}/tool/after`)).status, 200, 'it recovers by itself')
  t.same(await proxy.stop(), { code: 0, signal: null })
  t.equal((await verifyLog(auditDir)).status, 'intact')
  const lines = auditLines(auditDir)
  t.match(
    lines.find(({ kind }) => kind === 'gap'),
    { why: 'fault', error: 'ENOSPC' },
  )
  t.match(
    lines.find(({ kind, fault }) => kind === 'outcome' && fault === 'audit-unavailable'),
    { status: 503, end: 'refused' },
    'refusals are in the log all the same',
  )
  checkIntents(t, upstream, auditDir)
})

t.test('allow: exchanges go on, flagged', { skip }, async (t) => {
  const setup = await setUp(t, 'allow')
  const { proxy, upstream, auditDir, disk } = setup
  const closed = await fetch(`${proxy.url}/tool/first`)
  t.notOk(closed.headers.has('x-gatewright-open'))
  const passed = await untilFull(setup)
  t.equal(passed.status, 200)
  t.equal(passed.headers.get('x-gatewright-open'), 'audit')
  t.ok(upstream.requests.some(({ target }) => target.endsWith('/full')))
  t.ok(((await metric(proxy.adminUrl, 'gatewright_fail_open_total{what="audit"}')) ?? 0) > 0)

  disk.free()
  await untilStatus(`${proxy.adminUrl}/readyz`, 200)
  const after = await fetch(`${proxy.url}/tool/after`)
  t.equal(after.status, 200)
  t.notOk(after.headers.has('x-gatewright-open'))
  t.same(await proxy.stop(), { code: 0, signal: null })
  t.equal((await verifyLog(auditDir)).status, 'intact')
  const flagged = auditLines(auditDir).find(({ kind, path }) => kind === 'outcome' && path === '/full')
  t.match(flagged, { open: ['audit'], status: 200 }, 'the outcome says that it went on without an intent')
})

/** Whatever the upstream saw has an intent in the log. */
function checkIntents(t: Test, upstream: ScriptedUpstream, auditDir: string): void {
  const count = (paths: readonly unknown[]): Map<unknown, number> =>
    new Map([...Map.groupBy(paths, (path) => path)].map(([path, all]) => [path, all.length]))
  const intents = count(auditLines(auditDir).flatMap((line) => (line.kind === 'intent' ? [line['path']] : [])))
  const seen = count(upstream.requests.map(({ target }) => target))
  t.same(
    [...seen].filter(([path, times]) => (intents.get(path) ?? 0) < times),
    [],
    'each request upstream has its intent',
  )
}
