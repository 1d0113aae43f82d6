// Slow ends: what one side does not take must stop the other, not pile up in the proxy, and nobody may hold a
// connection for ever.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { verifyLog } from '../../proxy/audit/verify.ts'
import { auditLines, type AuditLine } from '../support/audit-lines.ts'
import { configText, probe, startProxy, type ProxyProcess } from '../support/proxy-process.ts'

t.setTimeout(60_000)

const MiB = 1024 * 1024
const floodBytes = 200 * MiB
/** More than the buffers of the kernel take on both hops. */
const uploadBytes = 40 * MiB
/** Socket buffers of the kernel on both hops and the streams' own marks come to a few MiB; a pile would be the flood. */
const heldBytesMax = 32 * MiB

type Setup = {
  readonly proxy: ProxyProcess
  readonly port: number
  readonly outcome: () => Promise<AuditLine | undefined>
}

type Listener = (request: IncomingMessage, reply: ServerResponse) => unknown

async function setUp(t: Test, timeouts: Record<string, string>, listener: Listener): Promise<Setup> {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-slow-'))
  const upstream = createServer((request, reply) => void listener(request, reply)).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const configFile = join(folder, 'gatewright.yaml')
  writeFileSync(
    configFile,
    configText(folder, {
      server: { timeouts, limits: { body: '64MiB' } },
      upstreams: { tool: { protocol: 'http', url: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` } },
      routes: [{ id: 'tool', path: '/tool', upstream: 'tool' }],
      principals: [{ id: 'agent' }],
      anonymous: 'agent',
      defaultEffect: 'allow',
    }),
  )
  const proxy = await startProxy(configFile)
  t.teardown(async () => {
    await proxy.kill()
    upstream.closeAllConnections()
    upstream.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    proxy,
    port: Number(new URL(proxy.url).port),
    async outcome() {
      t.same(await proxy.stop(), { code: 0, signal: null })
      t.equal((await verifyLog(join(folder, 'audit'))).status, 'intact')
      return auditLines(join(folder, 'audit')).findLast(({ kind }) => kind === 'outcome')
    },
  }
}

t.test('an upstream that floods a client that does not read is stopped, and the client broken off', async (t) => {
  const piece = randomBytes(64 * 1024)
  let taken = 0
  let flooding = (): void => {}
  const flooded = new Promise<void>((resolve) => (flooding = resolve))
  const { proxy, port, outcome } = await setUp(t, { clientWrite: '1s' }, async (_, reply) => {
    reply.on('close', flooding)
    reply.writeHead(200, { 'content-type': 'application/octet-stream' })
    while (taken < floodBytes && !reply.destroyed) {
      taken += piece.length
      if (!reply.write(piece)) await Promise.race([once(reply, 'drain'), flooded])
    }
    reply.end()
  })
  const before = proxy.residentBytes()
  const client = connect(port, '127.0.0.1').pause()
  client.on('error', () => {})
  client.write('GET /tool/flood HTTP/1.1\r\nhost: x\r\n\r\n')
  await flooded
  const grown = proxy.residentBytes() - before
  t.comment(
    `the upstream could write ${(taken / MiB).toFixed(1)} MiB, the process grew by ${(grown / MiB).toFixed(1)} MiB`,
  )
  t.ok(taken < heldBytesMax, 'its writes stall')
  t.ok(grown < heldBytesMax, 'memory is bounded')
  t.equal((await probe(`${proxy.adminUrl}/readyz`)).status, 200)
  t.match(await outcome(), { fault: 'client-stalled', end: 'client-gone' })
})

t.test('a client that reads slowly gets everything', async (t) => {
  const bytes = randomBytes(uploadBytes)
  const { port, outcome } = await setUp(t, {}, (_, reply) => void reply.end(bytes))
  const client = connect(port, '127.0.0.1')
  client.write('GET /tool/all HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  const chunks: Buffer[] = []
  for await (const read of client) {
    chunks.push(read as Buffer)
    // Other connections have their turn between any two reads.
    await new Promise((turned) => setImmediate(turned))
  }
  const whole = Buffer.concat(chunks)
  const headEnd = whole.indexOf('\r\n\r\n') + 4
  t.equal(sha256(whole.subarray(headEnd)), sha256(bytes))
  t.match(await outcome(), { status: 200, end: 'complete', bytesOut: bytes.length })
})

t.test('an upload to an upstream that stalls waits, and arrives whole', async (t) => {
  const bytes = randomBytes(uploadBytes)
  let asked: (request: IncomingMessage) => void = () => {}
  const arrived = new Promise<IncomingMessage>((resolve) => (asked = resolve))
  let received = ''
  const { proxy, port, outcome } = await setUp(t, {}, async (request, reply) => {
    asked(request.pause())
    await resumed
    const hash = createHash('sha256')
    for await (const chunk of request) hash.update(chunk as Buffer)
    received = hash.digest('hex')
    reply.end('thanks')
  })
  let resume = (): void => {}
  const resumed = new Promise<void>((resolve) => (resume = resolve))
  const before = proxy.residentBytes()
  const client = connect(port, '127.0.0.1')
  client.write(`PUT /tool/up HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${bytes.length}\r\n\r\n`)
  let sent = 0
  const sending = (async () => {
    for (let at = 0; at < bytes.length; at += 65_536) {
      await new Promise((written) => client.write(bytes.subarray(at, at + 65_536), written))
      sent = at + 65_536
    }
  })()
  await arrived
  await untilStill(proxy, () => sent)
  const grown = proxy.residentBytes() - before
  t.comment(`the client could send ${(sent / MiB).toFixed(1)} MiB, the process grew by ${(grown / MiB).toFixed(1)} MiB`)
  t.ok(sent < bytes.length, 'the client is stopped')
  t.ok(grown < heldBytesMax, 'memory is bounded')
  resume()
  await sending
  const [reply] = await once(client, 'data')
  t.match(String(reply), /^HTTP\/1\.1 200 /)
  t.equal(received, sha256(bytes))
  t.match(await outcome(), { status: 200, end: 'complete', bytesIn: bytes.length })
})

/** Until nothing has moved over many answers of the process. */
async function untilStill(proxy: ProxyProcess, count: () => number): Promise<void> {
  for (let last = -1, still = 0; still < 50; still += 1) {
    await probe(`${proxy.adminUrl}/livez`)
    if (count() !== last) still = 0
    last = count()
  }
}

t.test('a head that never ends is refused and recorded', async (t) => {
  const { port, outcome } = await setUp(t, { headers: '300ms' }, () => {})
  const client = connect(port, '127.0.0.1')
  client.write('GET /tool/a HTTP/1.1\r\nhost: x\r\nx-slow:')
  const [reply] = await once(client, 'data')
  t.match(String(reply), /^HTTP\/1\.1 408 /)
  await once(client, 'close')
  t.match(await outcome(), { fault: 'headers-timeout', status: 408, end: 'refused' })
})

t.test('a body that never ends is refused and recorded', async (t) => {
  let reached = false
  const { port, outcome } = await setUp(t, { body: '300ms' }, () => (reached = true))
  const client = connect(port, '127.0.0.1')
  client.write('PUT /tool/a HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nonly this')
  const [reply] = await once(client, 'data')
  t.match(String(reply), /^HTTP\/1\.1 408 /)
  t.comment(`the upstream was ${reached ? '' : 'not '}reached`)
  t.match(await outcome(), { fault: 'body-timeout', status: 408, end: 'refused' })
})

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
