// The end of a process on purpose: SIGTERM while nothing runs, while streams run, twice, and during the start.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { verifyLog } from '../../proxy/audit/verify.ts'
import { auditLines } from '../support/audit-lines.ts'
import { configText, probe, spawnProxy, startProxy, untilStatus, type ProxyProcess } from '../support/proxy-process.ts'
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

type Setup = {
  readonly folder: string
  readonly configFile: string
  readonly upstream: ScriptedUpstream
}

async function setUp(t: Test, drain: string): Promise<Setup> {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-shutdown-'))
  const upstream = await scriptedUpstream()
  const configFile = join(folder, 'gatewright.yaml')
  writeFileSync(configFile, configText(folder, documentOf(upstream.url, drain)))
  t.teardown(async () => {
    await upstream.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { folder, configFile, upstream }
}

function documentOf(url: string, drain: string): Record<string, unknown> {
  return {
    server: { timeouts: { drain } },
    upstreams: { openai: { protocol: 'openai', url } },
    routes: [{ id: 'openai', path: '/openai', upstream: 'openai' }],
    principals: [{ id: 'agent' }],
    anonymous: 'agent',
    defaultEffect: 'deny',
    rules: [{ id: 'all', effect: 'allow', actions: ['model.call', 'tool.call', 'tool.offer'] }],
  }
}

const event = (content: string): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`
const done =
  'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'

type Chat = {
  /** Resolves when the client has something of it. */
  readonly first: Promise<void>
  readonly whole: Promise<{ text: string; end: 'complete' | 'broken' }>
}

/** A process with a stream under way: head and first event have come to the client. */
async function streaming(t: Test, drain: string): Promise<Setup & { proxy: ProxyProcess; scene: Scene } & Chat> {
  const set = await setUp(t, drain)
  const proxy = await startProxy(set.configFile)
  t.teardown(() => proxy.kill())
  const begun = new Promise<Scene>((resolve) => {
    set.upstream.next(async (scene) => {
      await scene.write(chunkedHead(200, { 'content-type': 'text/event-stream' }) + chunk(event('one ')))
      resolve(scene)
    })
  })
  const running = chat(proxy.url)
  const scene = await begun
  await running.first
  return { ...set, proxy, scene, ...running }
}

/** Streams a chat through the proxy and gathers it, how it ended included. */
function chat(url: string): Chat {
  let began = (): void => {}
  const first = new Promise<void>((resolve) => (began = resolve))
  const whole = (async () => {
    let text = ''
    try {
      const reply = await fetch(`${url}/openai/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] }),
      })
      for await (const piece of reply.body ?? []) {
        text += Buffer.from(piece).toString()
        began()
      }
      return { text, end: 'complete' as const }
    } catch {
      return { text, end: 'broken' as const }
    }
  })()
  return { first, whole }
}

async function checkLog(t: Test, folder: string): Promise<void> {
  const report = await verifyLog(join(folder, 'audit'))
  t.equal(report.status, 'intact')
  t.equal(report.unsigned, 0, 'a checkpoint covers the last record')
  t.equal(auditLines(join(folder, 'audit')).at(-1)?.kind, 'close')
}

/** A connection that was refused, or reset before anything came. */
async function refuses(url: string): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return !connected
}

const models = 'GET /openai/v1/models HTTP/1.1\r\nhost: x\r\n\r\n'

t.test('a running stream finishes, probes tell, nobody new is served', async (t) => {
  const { folder, upstream, proxy, scene, whole } = await streaming(t, '20s')
  const idle = connect(Number(new URL(proxy.url).port), '127.0.0.1')
  upstream.next(answer(200, '{}', { 'content-type': 'application/json' }))
  idle.write(models)
  t.match(String((await once(idle, 'data'))[0]), /connection: keep-alive/i)
  const early = connect(Number(new URL(proxy.url).port), '127.0.0.1')
  await once(early, 'connect')
  proxy.signal('SIGTERM')
  t.match(await untilStatus(`${proxy.adminUrl}/readyz`, 503), 'draining')
  t.equal((await probe(`${proxy.adminUrl}/livez`)).status, 200)
  t.ok(await refuses(proxy.url), 'new connections are refused')
  for (const socket of [idle, early]) if (!socket.closed) await once(socket.resume(), 'close')
  t.pass('connections without a request under way are closed')
  await scene.write(chunk(event('two')) + chunk(done) + lastChunk)
  const { text, end } = await whole
  t.equal(end, 'complete')
  t.match(text, /one .*two.*\[DONE\]/s)
  t.same(await proxy.exited, { code: 0, signal: null })
  await checkLog(t, folder)
})

t.test('a stream that does not finish in time ends with an error event and a broken connection', async (t) => {
  const { folder, proxy, scene, whole } = await streaming(t, '300ms')
  proxy.signal('SIGTERM')
  const { text, end } = await whole
  t.equal(end, 'broken', 'it does not look whole')
  t.match(text, /"error":.*shutting/s, 'the client is told why')
  t.notMatch(text, '[DONE]')
  await scene.closed
  t.pass('the upstream is told')
  t.same(await proxy.exited, { code: 0, signal: null })
  await checkLog(t, folder)
  const outcome = auditLines(join(folder, 'audit')).find(({ kind }) => kind === 'outcome')
  t.match(outcome, { fault: 'shutting-down', end: 'broken-off' })
})

t.test('an answer that is written but not yet read is not cut off', async (t) => {
  const { folder, configFile, upstream } = await setUp(t, '20s')
  // More than a socket takes that nobody reads from: else the end is too soon for anybody to see its beginning.
  const body = JSON.stringify({ object: 'list', data: [{ id: 'x'.repeat(8_000_000) }] })
  upstream.next(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  const proxy = await startProxy(configFile)
  t.teardown(() => proxy.kill())
  const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1')
  socket.write(models)
  const [head] = await once(socket, 'data')
  socket.pause()
  proxy.signal('SIGTERM')
  await untilStatus(`${proxy.adminUrl}/readyz`, 503)
  let bytes = (head as Buffer).length - (head as Buffer).indexOf('\r\n\r\n') - 4
  socket.on('data', (piece: Buffer) => (bytes += piece.length)).resume()
  await once(socket, 'close')
  t.equal(bytes, body.length)
  t.same(await proxy.exited, { code: 0, signal: null })
  await checkLog(t, folder)
})

t.test('a second signal does not wait', async (t) => {
  const { folder, proxy, whole } = await streaming(t, '1h')
  proxy.signal('SIGTERM')
  await untilStatus(`${proxy.adminUrl}/readyz`, 503)
  proxy.signal('SIGTERM')
  t.same(await proxy.exited, { code: 1, signal: null })
  t.equal((await whole).end, 'broken')
  t.equal((await verifyLog(join(folder, 'audit'))).status, 'incomplete', 'as after a crash: never tampered')
})

t.test('SIGTERM during the start ends it, and the next start is as usual', async (t) => {
  const { folder, configFile } = await setUp(t, '1s')
  // By what a start does in order: nothing yet, the key, the log, serving.
  for (const afterMs of [0, 100, 250, 400, 600]) {
    const { process: proxy } = spawnProxy(configFile)
    const timer = setTimeout(() => proxy.signal('SIGTERM'), afterMs)
    const { code, signal } = await proxy.exited
    clearTimeout(timer)
    t.ok(signal === 'SIGTERM' || code === 0, `after ${afterMs} ms: ${signal ?? code}`)
  }
  const proxy = await startProxy(configFile)
  t.same(await proxy.stop(), { code: 0, signal: null })
  await checkLog(t, folder)
})
