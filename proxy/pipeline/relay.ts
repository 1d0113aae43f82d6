// Owns the time after an upgrade: two ends, what goes from one to the other, and how one hears that the other has ended.
// What may pass is asked of the conversation where there is one; a tunnel passes everything unread.
import { Fault } from '../errors.ts'
import { headerValue } from '../lib/headers.ts'
import { noStatus, type Ending, type Peer, type Piece } from '../lib/peer.ts'
import { rateLimitHeaders } from '../limits/headers.ts'
import type { UpstreamPeer } from '../upstream/answer.ts'
import { passedHeaders } from './answer-headers.ts'
import type { Client, ClientPeer } from './client.ts'
import { noteUninspected, type Answered } from './exchange.ts'
import { Conversation, type Turn } from './filters/conversation.ts'
import { decisionHeaders } from './headers.ts'
import type { Runtime } from './runtime.ts'
import { isConversation, messageBytesMax } from './sockets.ts'
import { presented } from './stages/identify.ts'

export async function relayPeers(x: Answered, runtime: Runtime, client: Client, far: UpstreamPeer): Promise<void> {
  const relay = openRelay(x, runtime, client, far)
  try {
    await relay.run()
    x.trace.end = 'complete'
  } finally {
    await relay.end()
  }
}

/** Faults of the handshake are told to the client as of any answer; the upstream has switched already. */
function openRelay(x: Answered, runtime: Runtime, client: Client, far: UpstreamPeer): Relay {
  try {
    return new Relay(x, runtime, client, far)
  } catch (error) {
    far.close(goingAway, '')
    throw error
  }
}

/** How long both ends may take to part once one has gone. */
const partingMs = 2000

class Relay {
  readonly #x: Answered
  readonly #runtime: Runtime
  readonly #client: Client
  readonly #near: ClientPeer
  readonly #far: UpstreamPeer
  readonly #conversation: Conversation | undefined
  readonly #sinceMs: number
  #busyMs = 0
  #up = 0
  #down = 0

  constructor(x: Answered, runtime: Runtime, client: Client, far: UpstreamPeer) {
    this.#x = x
    this.#runtime = runtime
    this.#client = client
    this.#far = far
    this.#sinceMs = runtime.clock.monotonic()
    this.#conversation = isConversation(x.operation) ? new Conversation(x, runtime, x.operation) : undefined
    if (this.#conversation === undefined) noteUninspected(x.trace, 'websocket')
    this.#near = this.#accept()
    this.#near.onBeat = () => far.touch()
  }

  /** Throws the Fault by which it ended, where it did not end as the protocol says. */
  async run(): Promise<void> {
    const { signal } = this.#client
    if (signal.aborted) throw this.#part(signal.reason)
    let interrupt: () => void = () => {}
    const interrupted = new Promise<never>((_, reject) => {
      interrupt = () => reject(signal.reason)
    })
    signal.addEventListener('abort', interrupt)
    const up = this.#carry(this.#near, (piece) => this.#upward(piece))
    const down = this.#carry(this.#far, (piece) => this.#downward(piece))
    // Only the first to end is waited for.
    for (const one of [up, down, interrupted]) one.catch(() => {})
    try {
      await Promise.race([
        up.then((ending) => this.#clientEnded(ending)),
        down.then((ending) => this.#serverEnded(ending)),
        interrupted,
      ])
    } catch (error) {
      throw this.#part(error)
    } finally {
      signal.removeEventListener('abort', interrupt)
    }
  }

  /** Waits until both have parted, but not for ever. */
  async end(): Promise<void> {
    const { clock } = this.#runtime
    const { trace } = this.#x
    this.#conversation?.close()
    await new Promise<void>((resolve) => {
      const timer = clock.after(partingMs, resolve)
      this.#near.whenGone(() =>
        this.#far.whenGone(() => {
          timer.cancel()
          resolve()
        }),
      )
    })
    this.#near.destroy()
    this.#far.destroy()
    // How many pieces the bytes of a tunnel came in says nothing.
    if (this.#conversation !== undefined) trace.carried = { up: this.#up, down: this.#down }
    trace.waitedMs += Math.max(0, clock.monotonic() - this.#sinceMs - this.#busyMs)
  }

  #accept(): ClientPeer {
    const { answer, limitStates } = this.#x
    const fault = new Fault('internal', undefined, { cause: new Error('This client cannot be upgraded.') })
    if (this.#client.accept === undefined) throw fault
    const carries = this.#conversation === undefined ? 'bytes' : 'messages'
    const passed = passedHeaders(this.#x, this.#runtime, 'reframed')
    const headers = [...handshakeHeaders(passed, carries), ...decisionHeaders(this.#x)]
    if (limitStates.length > 0) headers.push(...rateLimitHeaders(limitStates))
    return this.#client.accept({
      carries,
      headers,
      subprotocol: headerValue(answer.headers, 'sec-websocket-protocol'),
      messageBytesMax: messageBytesMax(this.#runtime),
      staysUntilMs: (runtime) => staysUntilMs(this.#x, runtime),
    })
  }

  async #carry(from: Peer, pass: (piece: Piece) => Promise<void> | void): Promise<Ending> {
    for await (const piece of from.pieces()) {
      const passed = pass(piece)
      if (passed !== undefined) await passed
    }
    return from.ending ?? { how: 'gone' }
  }

  async #upward(piece: Piece): Promise<void> {
    const startMs = this.#runtime.clock.monotonic()
    const turn = this.#conversation === undefined ? { on: [piece] } : await this.#conversation.fromClient(piece)
    this.#busyMs += this.#runtime.clock.monotonic() - startMs
    this.#up += turn.on.length
    await this.#say(turn, this.#far, this.#near)
  }

  async #downward(piece: Piece): Promise<void> {
    const startMs = this.#runtime.clock.monotonic()
    const passed = this.#conversation === undefined ? { on: [piece] } : this.#conversation.fromServer(piece)
    const turn = passed instanceof Promise ? await passed : passed
    this.#busyMs += this.#runtime.clock.monotonic() - startMs
    this.#down += turn.on.length
    await this.#say(turn, this.#near, this.#far)
  }

  async #say({ on, back = [], fault }: Turn, onward: Peer, backward: Peer): Promise<void> {
    for (const piece of back) await backward.send(piece)
    for (const piece of on) await onward.send(piece)
    if (fault !== undefined) throw fault
  }

  #clientEnded(ending: Ending): void {
    if (this.#near.fault !== undefined) throw this.#near.fault
    if (ending.how === 'gone') throw new Fault('client-aborted')
    if (ending.how === 'malformed')
      throw new Fault('request-malformed', `The client broke the protocol: ${ending.message}`)
    // Why is nobody's business upstream: it is a text that no rule has seen.
    this.#far.close(ending.code, '')
    this.#near.close(ending.code, '')
  }

  #serverEnded(ending: Ending): void {
    if (this.#far.fault !== undefined) throw this.#far.fault
    if (ending.how === 'gone') throw new Fault('upstream-truncated', 'The upstream broke off the connection.')
    if (ending.how === 'malformed') throw new Fault('upstream-invalid', 'The upstream broke the protocol.')
    const reason = this.#conversation?.reason(ending.reason) ?? ''
    this.#near.close(ending.code, reason)
    this.#far.close(noStatus, '')
  }

  /** Both are told, the client also why. */
  #part(error: unknown): Fault {
    const fault = error instanceof Fault ? error : new Fault('internal', undefined, { cause: error })
    const gone = fault.code === 'client-aborted' || fault.code === 'client-stalled'
    const last = gone ? undefined : this.#conversation?.lastWords(fault)
    if (last !== undefined) void this.#near.send(last)
    this.#near.close(closeCode(fault), fault.code)
    this.#far.close(goingAway, '')
    return fault
  }
}

const goingAway = 1001

/** RFC 6455 section 7.4.1 and its registry. */
function closeCode(fault: Fault): number {
  if (fault.code === 'shutting-down') return goingAway
  if (fault.code.startsWith('upstream-')) return 1014
  if (fault.code === 'media-type-unsupported') return 1003
  switch (fault.kind) {
    case 'denied':
    case 'unauthenticated':
      return 1008
    case 'invalid':
      return 1002
    case 'too-large':
      return 1009
    case 'limited':
    case 'unavailable':
      return 1013
    default:
      return 1011
  }
}

/** Those that belong to the handshake are made anew, but for the extensions that both ends of a tunnel agreed on. */
function handshakeHeaders(headers: readonly string[], carries: 'bytes' | 'messages'): string[] {
  const kept: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string
    if (name.startsWith('sec-websocket-') && (carries === 'messages' || name !== 'sec-websocket-extensions')) continue
    kept.push(name, headers[at + 1] as string)
  }
  return kept
}

/** The same caller with the same key, whatever else has changed: one exchange keeps its rules to the end. */
function staysUntilMs(x: Answered, runtime: Runtime): number {
  const identified = runtime.authenticator.authenticate({ ...presented(x), nowMs: runtime.clock.now() })
  if (!identified.ok || identified.principal.id !== x.principal.id) return Number.NEGATIVE_INFINITY
  return identified.expiresMs ?? Number.POSITIVE_INFINITY
}
