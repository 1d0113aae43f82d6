// Owns how an answer goes out: at once, slowly, or not to its end. It does not know what the answer says.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Clock } from '../lib/clock.ts'
import type { Answer } from './dialect.ts'

/** Resolves when nothing more will be sent, which for a stalled answer is when the client has gone. */
export async function play(answer: Answer, response: ServerResponse, clock: Clock): Promise<void> {
  const { switches, status, headers } = answer
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  if (switches.stall === 'before-head') return untilClosed(response, gone.signal)
  if (switches.delayMs !== undefined) await pause(clock, switches.delayMs, gone.signal)
  if (gone.signal.aborted) return
  const events = isHalved(answer) ? halves(answer.events[0]) : answer.events
  const cut = indexOf(switches.break ?? switches.error, events.length)
  if (switches.garbage === true) {
    // Its own length: what is broken is what it says, not its framing.
    const { 'content-length': _, ...others } = headers
    response.writeHead(status, others)
    return void response.end('data: {"broken\n\n')
  }
  response.writeHead(status, headers)
  for (const [i, event] of events.entries()) {
    if (i === switches.stall) return untilClosed(response, gone.signal)
    if (i === cut && switches.break !== undefined) return destroyAfterFlush(response)
    if (i === cut) return void response.end(answer.inBandError)
    if (i > 0 && switches.slowMs !== undefined) await pause(clock, switches.slowMs, gone.signal)
    if (!response.write(event)) await drained(response, gone.signal)
    if (gone.signal.aborted) return
  }
  response.end()
}

/** A body that does not stream breaks off or stalls half-way. */
function isHalved({ events, switches }: Answer): boolean {
  return events.length === 1 && (switches.break !== undefined || switches.stall !== undefined)
}

function halves(body: Buffer = Buffer.alloc(0)): Buffer[] {
  const middle = body.length >> 1
  return [body.subarray(0, middle), body.subarray(middle)]
}

function indexOf(cut: number | 'middle' | undefined, length: number): number | undefined {
  return cut === 'middle' ? length >> 1 : cut
}

/** Also resolves when the client has gone, which the caller sees by the signal. */
function drained(response: ServerResponse, gone: AbortSignal): Promise<unknown> {
  return once(response, 'drain', { signal: gone }).catch(() => undefined)
}

function untilClosed(response: ServerResponse, gone: AbortSignal): Promise<void> {
  return gone.aborted ? Promise.resolve() : once(response, 'close').then(() => undefined)
}

/** What was written reaches the client first; then the connection breaks without the end of the message. */
function destroyAfterFlush(response: ServerResponse): void {
  response.write('', () => response.destroy())
}

function pause(clock: Clock, delayMs: number, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(delayMs, resolve)
    gone.addEventListener('abort', () => {
      timer.cancel()
      resolve()
    })
  })
}
