// `gatewright tools pin` against real servers of both eras, and a proxy that believes what it wrote.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { gatewright } from '../../support/command.ts'
import { startReference } from '../../support/mcp-reference.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatewright-test-'))
const reference = await startReference()
const older = createServer((request, response) => {
  void json(request).then(({ id, method }) => {
    const known = method === 'initialize' || request.headers['mcp-protocol-version'] === '2025-06-18'
    const result =
      method === 'initialize'
        ? { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'older', version: '1' } }
        : { tools: [{ name: 'get_old', inputSchema: { type: 'object' } }] }
    const error = { code: -32000, message: 'Bad Request: Unsupported protocol version' }
    response.writeHead(known ? 200 : 400, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', ...(known ? { id, result } : { id: null, error }) }))
  })
})
await new Promise<void>((resolve) => older.listen(0, '127.0.0.1', resolve))
t.teardown(async () => {
  older.close()
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
  older: { protocol: mcp, url: 'http://127.0.0.1:${(older.address() as AddressInfo).port}/mcp', pinTools: true }
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

t.test('the tools of a server that speaks an older version than it is asked in', async (t) => {
  const { code, stdout, stderr } = await pin('--upstream', 'older', '--manifest', join(folder, 'older.json'))
  t.equal(code, 0, stderr)
  t.match(stdout, /get_old\n/)
})

t.test('what cannot be pinned', async (t) => {
  t.match(await pin('--upstream', 'modern'), { code: 2, stderr: /say where to write/ })
  t.match(await pin('--upstream', 'model'), { code: 2, stderr: /does not speak mcp/ })
  t.match(await pin('--upstream', 'other'), { code: 2, stderr: /no upstream other/ })
})

async function json(request: AsyncIterable<Buffer>): Promise<{ id?: number; method?: string }> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString()) as { id?: number; method?: string }
}
