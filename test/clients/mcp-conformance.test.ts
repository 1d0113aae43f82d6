// The published MCP conformance scenarios against a reference server, direct and through a whole proxy that judges and
// redacts everything: the verdicts must be the same, but for DNS rebinding, which the proxy puts right.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { root, run } from '../support/command.ts'
import { startGateway } from '../support/gateway.ts'
import { startConformanceServer } from '../support/mcp-conformance-server.ts'

const program = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js')

const server = await startConformanceServer()
const gateway = await startGateway(`
upstreams:
  reference: { protocol: mcp, url: '${server.url}' }
routes:
  - { id: reference, path: /mcp, upstream: reference }
principals:
  - { id: sidecar }
anonymous: sidecar
defaultEffect: deny
rules:
  - { id: all, effect: allow, actions: [tool.call, tool.offer, resource.read, prompt.get, model.call] }
redaction:
  - { id: both, direction: both, detect: [payment-card, secrets], action: token }
`)
const folder = mkdtempSync(join(tmpdir(), 'gatewright-conformance-'))
t.teardown(async () => {
  await gateway.close()
  await server.close()
  rmSync(folder, { recursive: true })
})

/** Scenario → its verdict as it is printed. */
async function verdicts(url: string): Promise<Map<string, string>> {
  // It writes its results below the folder that it runs in.
  const { stdout } = await run(process.execPath, [program, 'server', '--suite', 'all', '--url', url], { cwd: folder })
  const summary = stdout.slice(stdout.indexOf('=== SUMMARY ==='))
  return new Map(
    [...summary.matchAll(/^(\S) ([\w-]+): (.+)$/gm)].map(([, mark, name = '', counts]) => [name, `${mark} ${counts}`]),
  )
}

t.test('the same verdicts with and without the proxy', async (t) => {
  const direct = await verdicts(server.url)
  const proxied = await verdicts(`${gateway.url}/mcp`)
  t.ok(direct.size >= 30, 'the scenarios ran')
  t.same(direct.get('dns-rebinding-protection'), '✗ 1 passed, 1 failed')
  t.same(proxied.get('dns-rebinding-protection'), '✓ 2 passed, 0 failed')
  for (const [name, verdict] of direct) {
    if (name !== 'dns-rebinding-protection') t.equal(proxied.get(name), verdict, name)
  }
  t.same([...proxied.keys()], [...direct.keys()])
  const failed = [...proxied].filter(([, verdict]) => !verdict.startsWith('✓'))
  t.same(failed, [], 'and they all pass')
})
