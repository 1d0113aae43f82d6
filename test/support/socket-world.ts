// A whole proxy between WebSocket clients and an upstream that speaks WebSocket, for tests through real sockets.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocket, WebSocketServer, type ClientOptions } from 'ws'
import { untilOutcomes, type AuditLine } from './audit-lines.ts'
import { startGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts'

export const agentKey = 'gw_agent_key_that_must_not_leak'
export const upstreamKey = 'sk-upstream-credential-that-must-not-leak'

export type SocketUpstream = {
  readonly url: string
  /** Every request for an upgrade, in order. */
  readonly asked: IncomingMessage[]
  /** Every connection that was upgraded. */
  readonly sockets: WebSocket[]
  /** Set: answers upgrades with this status instead; 0: not at all. */
  declines: number | undefined
  /** Raw connections, closed ones included. */
  readonly raw: Socket[]
  /** Header lines of its answer to an upgrade, beside its own. */
  more: readonly string[]
  /** Upgrades are accepted when it is settled. */
  before: Promise<void> | undefined
  /** What becomes of each new connection; absent, it echoes. */
  onSocket: (socket: WebSocket) => void
  close(): Promise<void>
}

export async function socketUpstream(): Promise<SocketUpstream> {
  const server: Server = createServer((_request, response) => void response.writeHead(404).end())
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] ?? false })
  const upstream: SocketUpstream = {
    url: '',
    asked: [],
    sockets: [],
    raw: [],
    declines: undefined,
    more: [],
    before: undefined,
    onSocket: (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
    async close() {
      for (const socket of upstream.raw) socket.destroy()
      sockets.close()
      server.close()
      await once(server, 'close')
    },
  }
  sockets.on('headers', (lines: string[]) => void lines.push(...upstream.more))
  server.on('connection', (socket) => void upstream.raw.push(socket))
  server.on('upgrade', (request, socket, head) => {
    upstream.asked.push(request)
    const { declines } = upstream
    if (declines === 0) {
      socket.on('end', () => socket.end())
      socket.resume()
      return
    }
    if (declines !== undefined) {
      socket.end(
        `HTTP/1.1 ${declines} No\r\ncontent-length: 0\r\nretry-after: 7\r\nlocation: http://127.0.0.1:9/\r\n\r\n`,
      )
      return
    }
    const accept = (): void =>
      sockets.handleUpgrade(request, socket, head, (open) => {
        upstream.sockets.push(open)
        open.on('error', () => {})
        upstream.onSocket(open)
      })
    if (upstream.before === undefined) accept()
    else void upstream.before.then(accept)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(upstream, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

export type SocketWorld = {
  readonly gateway: TestGateway
  readonly upstream: SocketUpstream
  readonly port: number
  /** The configuration. */
  readonly yaml: string
  open(path: string, options?: ClientOptions, protocols?: string[]): WebSocket
  /** The outcome records, once there are that many. */
  outcomes(count: number): Promise<AuditLine[]>
  metrics(): Promise<string>
  close(): Promise<void>
}

export type SocketWorldOptions = TestGatewayOptions & {
  readonly drain?: string
  readonly keyExpires?: string
  readonly clientWrite?: string
  /** The url of the upstream behind `/hostile` and `/hostile-models`. */
  readonly hostile?: string
}

/** `/tunnel` passes everything unread, `/closed` takes no WebSocket, `/models` reads what it can. */
export async function openSocketWorld(
  extra = '',
  {
    drain = '5s',
    keyExpires = '2999-01-01T00:00:00Z',
    clientWrite = '30s',
    hostile,
    ...options
  }: SocketWorldOptions = {},
): Promise<SocketWorld> {
  const upstream = await socketUpstream()
  const yaml = `server: { timeouts: { drain: ${drain}, clientWrite: ${clientWrite} } }${policy(upstream.url, keyExpires, hostile ?? upstream.url)}\n${extra}`
  const gateway = await startGateway(yaml, {
    env: { UPSTREAM_KEY: upstreamKey },
    ...options,
  })
  const port = gateway.gateway.data.port
  const clients: WebSocket[] = []
  return {
    gateway,
    upstream,
    port,
    yaml,
    open(path, clientOptions = {}, protocols = []) {
      const { authorization = `Bearer ${agentKey}`, ...others } = clientOptions.headers ?? {}
      const headers = authorization === '' ? others : { authorization, ...others }
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { ...clientOptions, headers })
      socket.on('error', () => {})
      clients.push(socket)
      return socket
    },
    outcomes: (count) => untilOutcomes(gateway.auditDir, count),
    metrics: async () => (await fetch(`${gateway.adminUrl}/metrics`)).text(),
    async close() {
      for (const socket of clients) socket.terminate()
      await gateway.close()
      await upstream.close()
    },
  }
}

/** The status and body of the answer to an upgrade that is not accepted. */
export function refusalOf(
  socket: WebSocket,
): Promise<{ status: number; headers: IncomingMessage['headers']; body: string }> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => reject(new Error('the upgrade was accepted')))
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
  })
}

export function closing(socket: WebSocket): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
}

/** Whole messages as text, in order, as they are awaited. */
export function inbox(socket: WebSocket): () => Promise<string> {
  const waiting: ((text: string) => void)[] = []
  const arrived: string[] = []
  socket.on('message', (data: Buffer) => {
    const text = data.toString()
    const next = waiting.shift()
    if (next === undefined) arrived.push(text)
    else next(text)
  })
  return () => {
    const text = arrived.shift()
    return text === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(text)
  }
}

const sha256 = createHash('sha256').update(agentKey).digest('hex')

function policy(url: string, expires: string, hostile: string): string {
  return `
upstreams:
  crm: { protocol: http, url: '${url}', credential: { bearer: { fromEnv: UPSTREAM_KEY } }, breaker: { consecutive: 1000, minimum: 1000 } }
  model: { protocol: openai, url: '${url}', credential: { bearer: { fromEnv: UPSTREAM_KEY } }, breaker: { consecutive: 1000, minimum: 1000 } }
  idle_crm: { protocol: http, url: '${url}', timeouts: { idle: 100ms } }
  idle_model: { protocol: openai, url: '${url}', timeouts: { idle: 100ms } }
  hostile: { protocol: http, url: '${hostile}', credential: { bearer: { fromEnv: UPSTREAM_KEY } }, breaker: { consecutive: 1000, minimum: 1000 } }
  hostile_model: { protocol: openai, url: '${hostile}', credential: { bearer: { fromEnv: UPSTREAM_KEY } }, breaker: { consecutive: 1000, minimum: 1000 } }
  any_model: { protocol: openai, url: '${url}' }
  hasty: { protocol: http, url: '${url}', timeouts: { firstByte: 50ms } }
  forbidden: { protocol: http, url: 'http://inside.test:9', egress: [203.0.113.0/24] }
  forbidden_model: { protocol: openai, url: 'http://inside.test:9', egress: [203.0.113.0/24] }
routes:
  - { id: idle-tunnel, path: /idle-tunnel, upstream: idle_crm, posture: opaque }
  - { id: idle-models, path: /idle-models, upstream: idle_model, websocket: true }
  - { id: hostile, path: /hostile, upstream: hostile, posture: opaque }
  - { id: hostile-models, path: /hostile-models, upstream: hostile_model, websocket: true }
  - { id: hasty, path: /hasty, upstream: hasty, posture: opaque }
  - { id: forbidden, path: /forbidden, upstream: forbidden, posture: opaque }
  - { id: forbidden-models, path: /forbidden-models, upstream: forbidden_model, websocket: true }
  - { id: tunnel, path: /tunnel, upstream: crm, posture: opaque }
  - { id: closed, path: /closed, upstream: crm }
  - { id: models, path: /models, upstream: model, websocket: true }
  - { id: any, path: /any, upstream: any_model, posture: opaque }
principals:
  - { id: agent, keys: [{ sha256: ${sha256}, expires: '${expires}' }] }
defaultEffect: deny
rules:
  - { id: agents, effect: allow, principals: { ids: [agent] }, actions: [model.call, tool.call] }
  - { id: no-secrets-path, effect: deny, actions: [tool.call], paths: ['/secret'] }
  - { id: no-deletions, effect: deny, actions: [tool.call], tools: ['delete_*'] }
  - { id: no-such-model, effect: deny, actions: [model.call], upstreams: [model], models: ['forbidden*'] }
`
}
