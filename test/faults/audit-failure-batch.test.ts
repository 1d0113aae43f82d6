// Batch durability with `onFailure: deny`: no call waits for its record, but none goes out once the log cannot write. The
// faults are real ones, under the real process: a disk that is full, and files that may not grow.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { verifyLog } from '../../proxy/audit/verify.ts'
import { auditLines } from '../support/audit-lines.ts'
import { configText, metric, probe, startProxy, untilStatus, type ProxyProcess } from '../support/proxy-process.ts'
import { answer, scriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts'
import { canMount, mountRefused, mountSmallDisk } from '../support/small-disk.ts'

t.setTimeout(60_000)

type Fault = {
  readonly auditDir: string
  begin(proxy: ProxyProcess): void
  end(proxy: ProxyProcess): void
  readonly remove: () => void
}

function fullDisk(folder: string): Fault {
  const disk = mountSmallDisk(folder)
  return { auditDir: join(disk.path, 'audit'), begin: disk.fill, end: disk.free, remove: disk.unmount }
}

/** The system lets the process write no file any further. Needs no root: the limit is a soft one. */
function boundFiles(folder: string): Fault {
  const limit = (size: string, { pid }: ProxyProcess): void =>
    void spawnSync('prlimit', ['--pid', String(pid), `--fsize=${size}:`])
  return {
    auditDir: join(folder, 'audit'),
    begin: (proxy) => limit('0', proxy),
    end: (proxy) => limit('unlimited', proxy),
    remove: () => {},
  }
}

t.test('a full disk', { skip: !canMount() && mountRefused }, (t) => deniesWhileUnwritable(t, fullDisk, 'ENOSPC'))

const canLimit = spawnSync('prlimit', ['--version']).status === 0
t.test('files that may not grow', { skip: canLimit ? false : 'prlimit is absent' }, (t) =>
  deniesWhileUnwritable(t, boundFiles, 'EFBIG'),
)

t.test('an end while the disk is full says what is lost', { skip: !canMount() && mountRefused }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-batch-'))
  const fault = fullDisk(folder)
  const upstream = (await scriptedUpstream()).always(answer(200, 'ok'))
  const proxy = await start(folder, fault, upstream)
  t.teardown(async () => {
    await proxy.kill()
    await upstream.close()
    fault.remove()
    rmSync(folder, { recursive: true, force: true })
  })
  fault.begin(proxy)
  await untilNoticed(proxy)
  t.same(await proxy.stop(), { code: 1, signal: null })
  t.match(await proxy.line(({ msg }) => msg === 'shutdown failed'), { err: { message: /records were lost.*ENOSPC/ } })
})

async function deniesWhileUnwritable(t: Test, makeFault: (folder: string) => Fault, code: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-batch-'))
  const fault = makeFault(folder)
  const upstream = (await scriptedUpstream()).always(answer(200, 'ok'))
  const proxy = await start(folder, fault, upstream)
  t.teardown(async () => {
    await proxy.kill()
    await upstream.close()
    fault.remove()
    rmSync(folder, { recursive: true, force: true })
  })
  t.equal((await fetch(`${proxy.url}/tool/first`)).status, 200)

  fault.begin(proxy)
  await untilNoticed(proxy)
  const before = upstream.requests.length
  for (const path of ['one', 'two']) {
    const refused = await fetch(`${proxy.url}/tool/${path}`)
    t.equal(refused.status, 503)
    t.match(await refused.json(), { code: 'audit-unavailable' })
    t.ok(Number(refused.headers.get('retry-after')) >= 1)
    t.notOk(refused.headers.has('x-gatewright-open'), 'nothing was opened')
  }
  t.equal(upstream.requests.length, before, 'the upstream saw nothing')
  t.match((await probe(`${proxy.adminUrl}/readyz`)).body, new RegExp(`audit log: .*${code}`))
  t.equal((await probe(`${proxy.adminUrl}/livez`)).status, 200)
  t.ok(((await metric(proxy.adminUrl, 'gatewright_audit_failures_total')) ?? 0) > 0)

  fault.end(proxy)
  await untilStatus(`${proxy.adminUrl}/readyz`, 200)
  t.equal((await fetch(`${proxy.url}/tool/after`)).status, 200, 'it recovers by itself')
  t.same(await proxy.stop(), { code: 0, signal: null })
  checkLog(t, fault.auditDir, upstream, code)
  t.equal((await verifyLog(fault.auditDir)).status, 'intact')
}

function start(folder: string, { auditDir }: Fault, upstream: ScriptedUpstream): Promise<ProxyProcess> {
  const file = join(folder, 'gatewright.yaml')
  const text = configText(folder, {
    audit: { dir: auditDir, durability: 'batch', onFailure: 'deny' },
    upstreams: { tool: { protocol: 'http', url: upstream.url } },
    routes: [{ id: 'tool', path: '/tool', upstream: 'tool' }],
    principals: [{ id: 'agent' }],
    anonymous: 'agent',
    defaultEffect: 'allow',
  })
  writeFileSync(file, text)
  return startProxy(file)
}

/** Records are written behind the calls, so some of these still pass. */
async function untilNoticed(proxy: ProxyProcess): Promise<void> {
  while ((await probe(`${proxy.adminUrl}/readyz`)).status === 200) {
    await (await fetch(`${proxy.url}/tool/before`)).bytes()
  }
}

/** Nothing is lost: what passed before the fault was noticed, and the refusals, are written when the disk is back. */
function checkLog(t: Test, auditDir: string, { requests }: ScriptedUpstream, code: string): void {
  const lines = auditLines(auditDir)
  const outcomes = lines.filter(({ kind }) => kind === 'outcome')
  t.notOk(
    lines.some(({ kind }) => kind === 'intent'),
    'no call waits for an intent',
  )
  t.match(
    lines.find(({ kind }) => kind === 'gap'),
    { why: 'fault', error: code, lost: 0 },
  )
  t.equal(outcomes.filter(({ status }) => status === 200).length, requests.length, 'one for each that the upstream saw')
  for (const path of ['/one', '/two']) {
    t.match(
      outcomes.filter((line) => line['path'] === path),
      [{ status: 503, fault: 'audit-unavailable', end: 'refused' }],
    )
  }
}
