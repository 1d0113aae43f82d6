// `gatewright tools pin` against real servers of both eras, and a proxy that believes what it wrote.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { gatewright } from '../../support/command.ts'
import { startReference } from '../../support/mcp-reference.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatewright-test-'))
const reference = await startReference()
t.teardown(async () => {
  await reference.close()
  rmSync(folder, { recursive: true, force: true })
})

const config = join(folder, 'config.yaml')
const manifest = join(folder, 'tools.json')
writeFileSync(
  config,
  `apiVersion: gatewright/v1
upstreams:
  github: { protocol: mcp, url: '${reference.url}/sessions', pinTools: { manifest: ${manifest} } }
  modern: { protocol: mcp, url: '${reference.url}/stateless', pinTools: true }
  model: { protocol: openai, url: 'http://127.0.0.1:9' }
routes: [{ id: github, path: /mcp, upstream: github }]
audit: { dir: ${join(folder, 'audit')}, key: { fromFile: ${join(folder, 'audit.key')} } }
`,
)

const pin = (...args: string[]) => gatewright(['tools', 'pin', '--config', config, ...args])

t.test('the tools of a server with sessions', async (t) => {
  const { code, stdout, stderr } = await pin('--upstream', 'github')
  t.equal(code, 0, stderr)
  t.match(stdout, /\n[0-9a-f]{16} {2}delete_issue\n/)
  t.match(stdout, /6 tools of github are pinned in /)
  t.match(JSON.parse(readFileSync(manifest, 'utf8')), {
    format: 'gatewright-tools/1',
    upstream: 'github',
    tools: [{ name: 'ask_model', sha256: /^[0-9a-f]{64}$/ }],
    signature: /^[\w+/]{86}==$/,
  })
})

t.test('the tools of a server without', async (t) => {
  const file = join(folder, 'modern.json')
  const { code, stdout } = await pin('--upstream', 'modern', '--manifest', file, '-o', 'json')
  t.equal(code, 0)
  t.match(JSON.parse(stdout), {
    manifest: file,
    tools: [{ name: 'get_issue' }, { name: 'delete_issue' }, { name: 'shell' }],
  })
})

t.test('what cannot be pinned', async (t) => {
  t.match(await pin('--upstream', 'modern'), { code: 2, stderr: /say where to write/ })
  t.match(await pin('--upstream', 'model'), { code: 2, stderr: /does not speak mcp/ })
  t.match(await pin('--upstream', 'other'), { code: 2, stderr: /no upstream other/ })
})
