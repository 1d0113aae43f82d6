// Owns the admin listener: probes, metrics and the API. It speaks to kubelets, load balancers, Prometheus and operators,
// never to agents.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import { createServer } from '../lib/node-http.ts'
import { answerApi, apiPrefix, mayChange, type Api } from './api.ts'

/** What the probes ask. `ready` is undefined while all is well, else the reason for people. */
export type Health = {
  started(): boolean
  /** Reasons not to send traffic here; empty when ready. Never depends on providers or on Redis. */
  unready(): string[]
  stats(): Readonly<Record<string, string | number | boolean>>
  /** Brings the gauges that are read off live objects up to date before a scrape. */
  refresh(): void
}

type Reply = { readonly status: number; readonly type: string; readonly body: string }
type Handler = (health: Health, registry: Registry) => Reply | Promise<Reply>

const live: Handler = () => text(200, 'ok\n')
const started: Handler = (health) => (health.started() ? text(200, 'ok\n') : text(503, 'starting\n'))
const ready: Handler = (health) => {
  const reasons = health.unready()
  return reasons.length === 0 ? text(200, 'ok\n') : text(503, `${reasons.join('\n')}\n`)
}
const stats: Handler = (health) => json(health.stats())
const metrics: Handler = async (health, registry) => {
  health.refresh()
  return { status: 200, type: registry.contentType, body: await registry.metrics() }
}

/** Every path of this listener but those of the API, whose first steps are in api.ts. */
const handlers: ReadonlyMap<string, Handler> = new Map([
  ['/livez', live],
  ['/health', live],
  ['/health/live', live],
  ['/healthz', live],
  ['/readyz', ready],
  ['/ready', ready],
  ['/health/ready', ready],
  ['/startupz', started],
  ['/health/stats', stats],
  ['/metrics', metrics],
])

export class AdminListener {
  readonly #server: Server
  readonly #health: Health
  readonly #registry: Registry
  readonly #api: Api

  constructor(health: Health, registry: Registry, api: Api = {}) {
    this.#api = api
    this.#health = health
    this.#registry = registry
    this.#server = createServer(
      { headersTimeout: 5_000, requestTimeout: 10_000, maxHeaderSize: 16_384 },
      (request, response) => {
        void this.#handle(request, response)
      },
    )
    this.#server.maxConnections = 256
  }

  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, fail) => {
      this.#server.once('error', fail)
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', fail)
        resolve(this.#server.address() as AddressInfo)
      })
    })
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = await this.#reply(request)
    const body = request.method === 'HEAD' ? undefined : reply.body
    response.writeHead(reply.status, {
      'content-type': reply.type,
      'content-length': Buffer.byteLength(reply.body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(reply.status === 405 ? { allow: methodsOf(pathOf(request)).join(', ') } : undefined),
    })
    response.end(body)
  }

  async #replyApi(request: IncomingMessage): Promise<Reply> {
    try {
      const { status, body, csv } = await answerApi(request, this.#api)
      if (csv !== undefined) return { status, type: 'text/csv; charset=utf-8', body: csv }
      return { status, type: 'application/json', body: `${JSON.stringify(body)}\n` }
    } catch {
      return text(500, 'internal error\n')
    }
  }

  async #reply(request: IncomingMessage): Promise<Reply> {
    const path = pathOf(request)
    const methods = methodsOf(path)
    if (!methods.includes(request.method ?? '')) return notServed(path, methods)
    if (path.startsWith(apiPrefix)) return this.#replyApi(request)
    const handler = handlers.get(path)
    if (handler === undefined) return text(404, 'not found\n')
    try {
      return await handler(this.#health, this.#registry)
    } catch {
      return text(500, 'internal error\n')
    }
  }
}

function pathOf(request: IncomingMessage): string {
  const [path = ''] = (request.url ?? '').split('?')
  return path
}

function methodsOf(path: string): readonly string[] {
  return mayChange(path) ? ['GET', 'HEAD', 'POST'] : ['GET', 'HEAD']
}

function notServed(path: string, methods: readonly string[]): Reply {
  const sentence = `only ${methods.join(', ')}`
  return path.startsWith(apiPrefix) ? { ...json({ error: sentence }), status: 405 } : text(405, `${sentence}\n`)
}

function text(status: number, body: string): Reply {
  return { status, type: 'text/plain; charset=utf-8', body }
}

function json(value: Readonly<Record<string, string | number | boolean>>): Reply {
  return { status: 200, type: 'application/json', body: `${JSON.stringify(value)}\n` }
}
