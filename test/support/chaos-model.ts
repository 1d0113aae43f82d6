// An upstream for the fault bench: chat completions, whole and streamed, and it remembers the mark of every call that
// reached it.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How the model behaves to a call: `undefined` as it should. */
export type Mood = (call: number, response: ServerResponse) => boolean

export class ChaosModel {
  /** Mark → how often it came. */
  readonly seen = new Map<string, number>()
  readonly #server: Server
  #calls = 0
  mood: Mood | undefined

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.keepAliveTimeout = 60_000
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  /** Connections that are kept for later would be open files of the proxy. */
  dropIdle(): void {
    this.#server.closeIdleConnections()
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {})
    let body = ''
    try {
      for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
    } catch {
      return
    }
    const { user = '', stream = false } = JSON.parse(body) as { user?: string; stream?: boolean }
    this.seen.set(user, (this.seen.get(user) ?? 0) + 1)
    this.#calls += 1
    if (this.mood?.(this.#calls, response) === true) return
    if (stream) writeStream(response)
    else writeWhole(response)
  }
}

const words = ['A ', 'sidecar ', 'stands ', 'beside ', 'the ', 'agent ', 'and ', 'decides.']

export function writeWhole(response: ServerResponse): void {
  const message = { role: 'assistant', content: words.join('') }
  const answer = {
    id: 'chatcmpl-chaos',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4o',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 8, total_tokens: 13 },
  }
  response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
}

export function writeStream(response: ServerResponse): void {
  beginStream(response)
  endStream(response)
}

export function beginStream(response: ServerResponse): void {
  response.setHeader('content-type', 'text/event-stream')
  response.write(event({ content: words[0] }, null))
}

export function endStream(response: ServerResponse): void {
  for (const content of words.slice(1)) response.write(event({ content }, null))
  response.write(event({}, 'stop'))
  response.end('data: [DONE]\n\n')
}

function event(delta: object, finish_reason: string | null): string {
  const chunk = { id: 'chatcmpl-chaos', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o' }
  return `data: ${JSON.stringify({ ...chunk, choices: [{ index: 0, delta, finish_reason }] })}\n\n`
}
