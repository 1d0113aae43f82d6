// Pins through a whole proxy: what was seen outlives a reload, a manifest is believed only as signed.
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parseKey } from '../../proxy/audit/key.ts'
import { signManifest } from '../../proxy/pipeline/tool-manifest.ts'
import { digestOf } from '../../proxy/pipeline/tool-pins.ts'
import { auditLines, type AuditLine } from '../support/audit-lines.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { scriptedUpstream } from '../support/scripted-upstream.ts'
import { until } from '../support/until.ts'

const upstream = await scriptedUpstream()
t.teardown(() => upstream.close())

const configured = (pinTools: string, more = '') => `
upstreams:
  notes: { protocol: mcp, url: '${upstream.url}/mcp', pinTools: ${pinTools} }
routes: [{ id: notes, path: /mcp, upstream: notes }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
${more}`

function tool(name: string, description: string): { name: string; description: string; inputSchema: { type: string } } {
  return { name, description, inputSchema: { type: 'object' } }
}

type Answer = { readonly result: { readonly tools: readonly { readonly name: string }[] } }

async function send(url: string, message: object, result: object): Promise<Answer> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, result })
  upstream.next(async (scene) => {
    await scene.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
  })
  const answer = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
  })
  return (await answer.json()) as Answer
}

const list = { method: 'tools/list' }
const namesIn = ({ result }: Answer) => result.tools.map(({ name }) => name)

/** It is written a moment after the answer. */
function noticed(dir: string): Promise<AuditLine> {
  return until(() => auditLines(dir).find(({ kind, event }) => kind === 'policy' && event !== undefined))
}

t.test('what was seen outlives a reload', async (t) => {
  const gateway = await startGateway(configured('true'))
  t.teardown(() => gateway.close())
  t.same(namesIn(await send(gateway.url, list, { tools: [tool('get', 'Gets.')] })), ['get'])
  gateway.rewrite(configured('true', 'mode: enforce'))
  t.equal(gateway.gateway.reload().ok, true)
  t.same(namesIn(await send(gateway.url, list, { tools: [tool('get', 'Gets and tells.')] })), [])
  t.match(await noticed(gateway.auditDir), {
    event: 'tool-changed',
    upstream: 'notes',
    tool: 'get',
    pinned: /^[0-9a-f]{64}$/,
    seen: /^[0-9a-f]{64}$/,
  })
})

/** Signed with the key of the gateway. */
async function signedFor(gateway: TestGateway, ...names: string[]): Promise<string> {
  const key = parseKey(readFileSync(join(gateway.folder, 'audit.key'), 'utf8'), 'test')
  const tools = new Map(names.map((name) => [name, digestOf(tool(name, `The tool ${name}.`))]))
  return signManifest({ upstream: 'notes', tools }, key)
}

t.test('a manifest is believed only as signed', async (t) => {
  const file = join(tmpdir(), `gatewright-tools-${process.pid}.json`)
  t.teardown(() => rmSync(file, { force: true }))
  const gateway = await startGateway(configured('false'))
  t.teardown(() => gateway.close())
  const manifest = configured(`{ manifest: ${file} }`)
  gateway.rewrite(manifest)
  t.match(gateway.gateway.reload(), { ok: false, problems: [{ message: /cannot be read/ }] })

  const signed = await signedFor(gateway, 'get')
  writeFileSync(file, signed.replace('"get"', '"set"'))
  t.match(gateway.gateway.reload(), { ok: false, problems: [{ message: /cannot be trusted: it is not signed/ }] })
  writeFileSync(file, signed)
  t.match(gateway.gateway.reload(), { ok: true })
  t.same(namesIn(await send(gateway.url, list, { tools: [tool('get', 'The tool get.'), tool('set', '')] })), ['get'])
})

t.test('a manifest that changes is taken over by itself, unless it cannot be trusted', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-manifest-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'tools.json')
  const gateway = await startGateway(configured('false'), { watch: true })
  t.teardown(() => gateway.close())
  const logged = async (text: RegExp): Promise<void> => {
    const from = gateway.logged.length
    await until(() => gateway.logged.slice(from).some(({ msg }) => text.test(String(msg))))
  }
  const replace = (text: string): void => {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  }
  const usable = async () =>
    namesIn(await send(gateway.url, list, { tools: [tool('get', 'The tool get.'), tool('set', 'The tool set.')] }))
  replace(await signedFor(gateway, 'get'))
  let next = logged(/taken over/)
  gateway.rewrite(configured(`{ manifest: ${file} }`))
  await next
  t.same(await usable(), ['get'])
  const both = await signedFor(gateway, 'get', 'set')
  next = logged(/taken over/)
  replace(both)
  await next
  t.same(await usable(), ['get', 'set'])
  next = logged(/configuration refused: .*cannot be trusted/)
  replace(both.replace('"set"', '"sit"'))
  await next
  t.same(await usable(), ['get', 'set'], 'what was trusted before still holds')
})
