// `gatewright serve` as a process: what it tells those who collect its log.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { version } from '../../../proxy/cli/version.ts'
import { configText, probe, startProxy } from '../../support/proxy-process.ts'
import { freePort } from '../../support/redis.ts'
import { until } from '../../support/until.ts'

const main = join(import.meta.dirname, '..', '..', '..', 'proxy', 'main.ts')

t.test('the log says what began to serve where, whatever its level says of the rest', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const configFile = join(folder, 'gatewright.yaml')
  writeFileSync(configFile, configText(folder, { log: { level: 'error' } }))
  const proxy = await startProxy(configFile)
  const line = await proxy.line(({ msg }) => msg === 'serving')
  t.match(line, { version, data: proxy.url, admin: proxy.adminUrl, config: /^[0-9a-f]{64}$/ })
  t.same(await proxy.stop(), { code: 0, signal: null })
})

t.test('nobody need take what it says', { skip: !existsSync('/dev/full') && 'there is no /dev/full' }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const full = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(full))
  for (const stdout of ['pipe', full] as const) {
    const admin = `127.0.0.1:${await freePort()}`
    const configFile = join(folder, 'gatewright.yaml')
    writeFileSync(configFile, configText(folder, { server: { admin } }))
    const child = spawn(process.execPath, [main, 'serve', '--config', configFile], {
      stdio: ['ignore', stdout, 'pipe'],
    })
    // A reader that is gone before the first line.
    child.stdout?.destroy()
    const ended = once(child, 'exit')
    const ready = await Promise.race([until(() => isReady(admin)), ended])
    t.equal(ready, true, 'it serves')
    child.kill('SIGTERM')
    t.same(await ended, [0, null], 'and ends when it is told to')
  }
})

t.test('every record of the log is counted, whoever wrote it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const configFile = join(folder, 'gatewright.yaml')
  writeFileSync(configFile, configText(folder, {}))
  const proxy = await startProxy(configFile)
  t.teardown(() => proxy.kill())
  t.equal((await probe(`${proxy.url}/nowhere`)).status, 404)
  const counted = await until(async () => {
    const { body } = await probe(`${proxy.adminUrl}/metrics`)
    const size = Number(/^gatewright_audit_size (\d+)$/m.exec(body)?.[1])
    const kinds = new Map(
      [...body.matchAll(/^gatewright_audit_records_total\{kind="(\w+)"\} (\d+)$/gm)].map(([, kind, n]) => [
        kind,
        Number(n),
      ]),
    )
    return kinds.get('outcome') === 1 && [...kinds.values()].reduce((sum, n) => sum + n) === size && kinds
  })
  t.match(counted, new Map(Object.entries({ open: 1, policy: 1, outcome: 1 })))
})

async function isReady(admin: string): Promise<boolean> {
  const answer = await probe(`http://${admin}/readyz`).catch(() => undefined)
  return answer?.status === 200
}
