// Owns the embedded demo upstream: a small deterministic model that speaks the OpenAI formats under /openai and the
// Anthropic format under /anthropic, an HTTP tool under /tool, and an MCP server under /mcp. It knows nothing of the proxy
// and needs no key.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Clock, systemClock } from '../lib/clock.ts'
import { gather } from '../lib/gather.ts'
import { createServer } from '../lib/node-http.ts'
import { anthropic } from './anthropic.ts'
import { type Answer, type Dialect, jsonAnswer, render } from './dialect.ts'
import { runMcp } from './mcp.ts'
import { openai } from './openai.ts'
import { play } from './play.ts'
import { responses } from './responses.ts'
import { runTool } from './tool.ts'

export type DemoOptions = { readonly host: string; readonly port: number; readonly clock?: Clock }

export type DemoRequest = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Demo = {
  /** `http://127.0.0.1:9902`; the formats stand below it. */
  readonly url: string
  readonly port: number
  /** The last requests, oldest first, at most 200. */
  readonly requests: readonly DemoRequest[]
  /** How many came in all. */
  readonly received: () => number
  /** Breaks what is still running. */
  readonly close: () => Promise<void>
}

/** Rejects when the address is taken. Port 0 takes a free one. */
export async function startDemo({ host, port, clock = systemClock }: DemoOptions): Promise<Demo> {
  const requests: DemoRequest[] = []
  let received = 0
  const answer = answers()
  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy())
  })
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = (await gather(request, bodyBytesMax))?.toString('utf8')
    if (body === undefined) return play(jsonAnswer(413, { error: 'too large' }), response, clock)
    const { method = 'GET', url = '/', headers } = request
    received += 1
    requests.push({ method, url, headers, body })
    if (requests.length > requestsMax) requests.shift()
    await play(answer(method, url, String(headers['x-demo'] ?? ''), body), response, clock)
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    port: address.port,
    requests,
    received: () => received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const requestsMax = 200
const bodyBytesMax = 64 * 1024 * 1024
/** Of those below one path the first answers for what none of them serves. */
const dialects: Readonly<Record<string, readonly [Dialect, ...Dialect[]]>> = {
  openai: [openai, responses],
  anthropic: [anthropic],
}

/** Keeps rendered answers, so that a load of equal requests costs the demo little; counts down `fail … times N`. */
function answers(): (method: string, url: string, header: string, body: string) => Answer {
  const rendered = new Map<string, Answer>()
  const failures = new Map<string, number>()
  return (method, url, header, body) => {
    const key = `${method} ${url} ${header}\n${body}`
    const answer = rendered.get(key) ?? renderFor(method, url, header, body)
    if (rendered.size >= renderedMax) rendered.clear()
    if (body.length <= renderedBodyMax) rendered.set(key, answer)
    const { failure, switches } = answer
    if (failure === undefined) return answer
    const failed = failures.get(key) ?? 0
    if (failed >= (switches.fail?.times ?? 0)) return answer
    if (failures.size >= renderedMax) failures.clear()
    failures.set(key, failed + 1)
    return failure
  }
}

const renderedMax = 64
const renderedBodyMax = 64 * 1024

function renderFor(method: string, url: string, header: string, body: string): Answer {
  const { pathname, searchParams } = new URL(url, 'http://demo')
  const [, first = '', ...rest] = pathname.split('/')
  const path = `/${rest.join('/')}`
  const spoken = dialects[first]
  if (spoken !== undefined) {
    return render(spoken.find((dialect) => dialect.serves(method, path)) ?? spoken[0], method, path, body)
  }
  const orders = `${header}\n${searchParams.get('demo') ?? ''}`.replaceAll(/^(?=\S)/gm, 'demo: ')
  if (first === 'tool') return runTool(method, path, searchParams, body, orders)
  if (first === 'mcp') return runMcp(method, path, body)
  return jsonAnswer(404, { error: 'The demo serves /openai, /anthropic, /tool and /mcp.' })
}
