// Conversations with a realtime model through a whole proxy, said and answered event by event.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Test } from 'tap'
import type { WebSocket } from 'ws'
import type { AuditLine } from './audit-lines.ts'
import { inbox, openSocketWorld } from './socket-world.ts'

export type Event = { readonly type: string; readonly [member: string]: unknown }
export type Talk = {
  readonly atClient: () => Promise<Event>
  readonly atServer: () => Promise<Event>
  readonly say: (event: object) => void
  readonly answer: (event: object) => void
  /** The record. */
  readonly leave: () => Promise<AuditLine | undefined>
  /** Of the limit, as the handshake told it. */
  readonly left: number
  /** What was decided without a store, as the handshake told it. */
  readonly open: string | undefined
  /** Breaks the server's connection; resolves when the client has heard of it. */
  readonly breakServer: () => Promise<void>
}

/** Opens conversations, one after the other. `more` of the configuration. */
export async function opener(t: Test, limit: string, more = ''): Promise<() => Promise<Talk>> {
  const world = await openSocketWorld(`limits: [${limit}]\n${more}`)
  t.teardown(() => world.close())
  let left = 0
  return async () => {
    const accepted = new Promise<WebSocket>((resolve) => {
      world.upstream.onSocket = resolve
    })
    const client = world.open('/models/v1/realtime?model=gpt-realtime')
    const told = once(client, 'upgrade') as Promise<[IncomingMessage]>
    const atClient = inbox(client)
    const server = await accepted
    const atServer = inbox(server)
    const [{ headers }] = await told
    const parsed = async (text: Promise<string>): Promise<Event> => JSON.parse(await text) as Event
    return {
      atClient: () => parsed(atClient()),
      atServer: () => parsed(atServer()),
      say: (event) => client.send(JSON.stringify(event)),
      answer: (event) => server.send(JSON.stringify(event)),
      leave: async () => {
        client.close(1000)
        // What it used is settled before it is on the record.
        return (await world.outcomes((left += 1))).at(-1)
      },
      left: Number(/;r=(\d+)/.exec(String(headers['ratelimit']))?.[1]),
      open: headers['x-gatewright-open'] as string | undefined,
      breakServer: async () => {
        const closed = once(client, 'close')
        server.terminate()
        await closed
      },
    }
  }
}

export const created = (id: string, more: object = {}): object => ({
  type: 'response.created',
  response: { object: 'realtime.response', id, status: 'in_progress', output: [], ...more },
})
export const done = (id: string, input: number, output: number): object => ({
  type: 'response.done',
  response: {
    object: 'realtime.response',
    id,
    status: 'completed',
    output: [],
    usage: { total_tokens: input + output, input_tokens: input, output_tokens: output },
  },
})
