// `gatewright serve` as a process: what it tells those who collect its log.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { version } from '../../../proxy/cli/version.ts'
import { configText, startProxy } from '../../support/proxy-process.ts'

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
