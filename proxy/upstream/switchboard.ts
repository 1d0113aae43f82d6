// Owns the upgrades to one upstream: how each is dialled, how many there may be, and what their outcome is worth. Breaker
// and credential are the upstream's; what is said afterwards is nobody's business here.
import type { IncomingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { Agent as HttpAgent } from '../lib/node-http.ts'
import type { Peer } from '../lib/peer.ts'
import type { Cancellation, UpgradeRequest } from './answer.ts'
import { AttendedPeer } from './attended-peer.ts'
import { judgeAnswer, judgeFailure, type Judgement } from './classify.ts'
import { openConversation } from './conversation.ts'
import type { Credential } from './credential.ts'
import type { Deadlines } from './deadlines.ts'
import { guardLookup, type Lookup, type SocketLookup } from './egress.ts'
import { Handshake, type Outcome } from './handshake.ts'
import { answerHead } from './head.ts'
import { readAdvice } from './retry-after.ts'
import { scrubPeer } from './scrubbed-peer.ts'
import type { UpstreamSettings } from './settings.ts'
import { openTunnel } from './tunnel.ts'

export type SwitchboardOptions = {
  readonly settings: UpstreamSettings
  readonly credential: Credential | undefined
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly lookup: Lookup | undefined
}

export type Switching = {
  readonly judgement: Judgement
  readonly timings: { readonly connectMs?: number; readonly firstByteMs?: number }
} & (
  | { readonly status: 101; readonly headers: readonly string[]; readonly peer: AttendedPeer }
  | { readonly status?: number; readonly fault: Fault }
)

export class Switchboard {
  readonly #options: SwitchboardOptions
  readonly #lookup: SocketLookup
  readonly #agent: HttpAgent
  #open = 0

  constructor(options: SwitchboardOptions) {
    this.#options = options
    this.#lookup = guardLookup(options.settings.egress, options.lookup)
    const secure = options.settings.origin.startsWith('https:')
    const Agent = secure ? HttpsAgent : HttpAgent
    this.#agent = new Agent({ keepAlive: false, lookup: this.#lookup })
  }

  /** One attempt; an upgrade is not repeated. `headers` are those to send. Never throws. */
  async dial(request: UpgradeRequest, headers: readonly string[], signal: Cancellation): Promise<Switching> {
    const { clock, settings, credential } = this.#options
    if (this.#open >= settings.connections) return { ...crowded(), timings: {} }
    this.#open += 1
    const totalAtMs = clock.monotonic() + settings.timeouts.totalMs
    const handshake = new Handshake({ clock, timeouts: settings.timeouts, credential, signal })
    const peer = this.#peer(request, headers, handshake)
    const outcome = await handshake.outcome
    const { timings } = handshake
    if (outcome.how !== 'switched') {
      this.#open -= 1
      peer?.destroy()
      return { ...this.#refusal(outcome), timings }
    }
    const attended = this.#attend(peer as Peer, totalAtMs)
    return {
      judgement: { verdict: 'success', repeatable: 'never' },
      timings,
      status: 101,
      headers: this.#head(101, outcome.headers),
      peer: attended,
    }
  }

  /** Undefined: the request could not even be made, and the handshake has failed. */
  #peer(request: UpgradeRequest, headers: readonly string[], handshake: Handshake): Peer | undefined {
    const { origin } = this.#options.settings
    try {
      return request.carries === 'bytes'
        ? openTunnel(origin, this.#agent, request, headers, handshake)
        : scrubPeer(openConversation(origin, this.#lookup, request, headers, handshake), this.#options.credential)
    } catch (cause) {
      // A header or a subprotocol that no request can carry.
      handshake.fail(new Fault('header-invalid', undefined, { cause }))
      return undefined
    }
  }

  #attend(peer: Peer, totalAtMs: number): AttendedPeer {
    const { clock, deadlines, settings } = this.#options
    peer.whenGone(() => {
      this.#open -= 1
    })
    return new AttendedPeer(peer, { clock, deadlines, idleMs: settings.timeouts.idleMs, totalAtMs })
  }

  #refusal(outcome: Exclude<Outcome, { how: 'switched' }>): { judgement: Judgement; status?: number; fault: Fault } {
    if (outcome.how === 'failed') {
      const { fault, written, answering } = outcome
      return { judgement: judgeFailure(fault.code, { written, answering, reused: false }, false), fault }
    }
    const { status } = outcome
    const judgement = judgeAnswer(status, readAdvice(this.#head(status, outcome.headers), this.#options.clock.now()))
    const message = `The upstream answered the upgrade with status ${status} and did not switch protocols.`
    const { retryAfterMs } = judgement
    const later = status === 429 && retryAfterMs !== undefined
    return {
      judgement,
      status,
      fault: later ? new Fault('rate-limited', message, { retryAfterMs }) : new Fault('upstream-invalid', message),
    }
  }

  #head(status: number, headers: IncomingHttpHeaders): readonly string[] {
    const { credential, settings } = this.#options
    return answerHead(status, headers, credential, settings.cookies).headers
  }
}

function crowded(): { judgement: Judgement; fault: Fault } {
  return {
    judgement: { verdict: 'neutral', repeatable: 'never' },
    fault: new Fault('overloaded', 'All connections to the upstream are taken.', { retryAfterMs: 1000 }),
  }
}
