// The agents of the fault bench: they call, and say of every call how it ended. Nothing here knows what was done to the
// links between.
import { Agent, request } from 'undici'

/**
 * `complete`: all of the answer, with the format's own end. `refused`: a whole error. `told`: broken off, and the stream
 * said so. `broken`: the connection broke. `silent`: it ended like a whole answer and was none.
 */
export type Ending = 'complete' | 'refused' | 'told' | 'broken' | 'silent'

export type Called = {
  readonly mark: string
  readonly ending: Ending
  readonly status: number | undefined
  /** The gateway's id of the exchange, where an answer came. */
  readonly id: string | undefined
  readonly ms: number
}

export type Call = { readonly mark: string; readonly model?: string; readonly stream?: boolean }

/** Calls `url` (up to the version) one after the other over connections of its own. */
export class ChaosAgent {
  readonly #url: string
  readonly #agent = new Agent({ headersTimeout: 30_000, bodyTimeout: 30_000, connectTimeout: 30_000, connections: 2 })

  constructor(url: string) {
    this.#url = url
  }

  async all(calls: readonly Call[]): Promise<Called[]> {
    const made: Called[] = []
    for (const call of calls) made.push(await this.call(call))
    return made
  }

  async call({ mark, model = 'gpt-4o', stream = false }: Call): Promise<Called> {
    const startedMs = performance.now()
    let status: number | undefined
    let id: string | undefined
    const called = (ending: Ending): Called => ({ mark, ending, status, id, ms: performance.now() - startedMs })
    try {
      const body = { model, user: mark, stream, messages: [{ role: 'user', content: 'What is a sidecar?' }] }
      const answer = await request(`${this.#url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        dispatcher: this.#agent,
      })
      status = answer.statusCode
      const named = answer.headers['x-gatewright-request-id']
      id = typeof named === 'string' ? named : undefined
      const isStream = String(answer.headers['content-type']).startsWith('text/event-stream')
      return called(isStream ? await endOfStream(answer.body) : endOfWhole(status, await answer.body.text()))
    } catch {
      return called('broken')
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }
}

/** An upstream's own error may be of any form, and its length was kept. */
function endOfWhole(status: number, text: string): Ending {
  if (status >= 400) return 'refused'
  try {
    return Array.isArray((JSON.parse(text) as { choices?: unknown }).choices) ? 'complete' : 'silent'
  } catch {
    return 'silent'
  }
}

async function endOfStream(body: AsyncIterable<Uint8Array>): Promise<Ending> {
  const decoder = new TextDecoder()
  let text = ''
  let broke = false
  try {
    for await (const chunk of body) text += decoder.decode(chunk, { stream: true })
  } catch {
    broke = true
  }
  if (text.includes('data: {"error":')) return 'told'
  if (broke) return 'broken'
  return text.endsWith('data: [DONE]\n\n') ? 'complete' : 'silent'
}
