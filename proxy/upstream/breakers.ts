// Owns the breakers of one upstream: one hears whether it can be reached at all, the others hear each of one group of
// requests (a model), so that a model that fails does not take the others along. It does not know what a model is.
import type { Clock } from '../lib/clock.ts'
import { ownText } from '../lib/own-text.ts'
import { Breaker, probeWaitMs, type BreakerSettings, type BreakerState, type Probe, type Verdict } from './breaker.ts'

export const breakerModes = ['auto', 'forced-open', 'disabled'] as const
/** `auto`: by their own counting. `forced-open`: nothing passes. `disabled`: everything does. Of all breakers together. */
export type BreakerMode = (typeof breakerModes)[number]

export type BreakersSettings = BreakerSettings & {
  readonly mode: BreakerMode
  /** Groups that the operator names: each has a breaker of its own, whatever else is asked for. */
  readonly groups: readonly string[]
}

/** Permission for one attempt. Every pass comes to one verdict. */
export interface Pass {
  /** The head of an answer is here, so the upstream can be reached. */
  answered(status: number): void
  /** The first content has come: a probe has proved itself, however long its stream goes on. */
  content(): void
  /**
   * `retryAfterMs`: how long the upstream asked to be left alone, if this verdict opens a breaker. `unreached`: nothing of
   * what was asked was written, so this is about the upstream alone.
   */
  end(verdict: Verdict, retryAfterMs?: number, unreached?: boolean): void
}

export type Refusal = { readonly retryAfterMs: number }

/** `group` is absent for the one that hears whether the upstream can be reached. */
export type BreakerPart = { readonly group?: string; readonly state: BreakerState }

/** `isServed`: something that was asked of it has been answered, so it is no name that somebody made up. */
type Member = { readonly breaker: Breaker; readonly isListed: boolean; isServed: boolean }

// Beside those that the operator names: groups are named by clients.
const membersMax = 256

export type BreakersDeps = {
  readonly clock: Clock
  readonly random: () => number
  readonly onState: (part: BreakerPart) => void
}

export class Breakers {
  readonly #settings: BreakersSettings
  readonly #deps: BreakersDeps
  readonly #reach: Breaker
  readonly #members = new Map<string, Member>()
  readonly #listed: ReadonlySet<string>
  #mode: BreakerMode

  constructor(settings: BreakersSettings, deps: BreakersDeps) {
    this.#settings = settings
    this.#deps = deps
    this.#mode = settings.mode
    const { clock, random, onState } = deps
    const told = (state: BreakerState): void => onState({ state })
    this.#reach = new Breaker(settings, { clock, random, onState: told })
    this.#listed = new Set(['', ...settings.groups])
    for (const group of this.#listed) this.#add(group, true)
  }

  /** The worst of them, but for names of clients that nobody has asked for in a long time: those would stay open for ever. */
  get state(): BreakerState {
    if (this.#mode !== 'auto') return this.#mode === 'forced-open' ? 'open' : 'closed'
    const { windowMs, openMaxMs } = this.#settings
    const longAgoMs = this.#deps.clock.monotonic() - Math.max(windowMs, 2 * openMaxMs)
    const states = [this.#reach.state]
    for (const { breaker, isListed } of this.#members.values())
      if (isListed || breaker.usedMs > longAgoMs) states.push(breaker.state)
    return (['open', 'half-open'] as const).find((bad) => states.includes(bad)) ?? 'closed'
  }

  get mode(): BreakerMode {
    return this.#mode
  }

  /** An operator's hand: `auto` gives the breakers back to themselves, as they have become meanwhile. */
  override(to: BreakerMode): void {
    this.#mode = to
    this.#deps.onState({ state: this.state })
  }

  /** By their own counting, whatever the operator says. */
  parts(): BreakerPart[] {
    const parts: BreakerPart[] = [{ state: this.#reach.state }]
    for (const [group, { breaker }] of this.#members) parts.push({ group, state: breaker.state })
    return parts
  }

  /** How long the next attempt would be refused; zero when it would be admitted. */
  refusedMs(group: string): number {
    if (this.#mode === 'auto') return Math.max(this.#reach.refusedMs(), this.#of(group)?.refusedMs() ?? 0)
    return this.#mode === 'disabled' ? 0 : this.#settings.openMaxMs
  }

  /** Nobody is being tried out. */
  isClosed(group: string): boolean {
    if (this.#mode !== 'auto') return this.#mode === 'disabled'
    return this.#reach.state === 'closed' && (this.#of(group)?.state ?? 'closed') === 'closed'
  }

  /**
   * `onPanic`: what is open by its own counting does not refuse it and hears nothing of it, but this is told. `uploads`: how
   * long it takes is the client's choice, so as a probe it keeps others waiting no longer than an opening would.
   */
  admit(group: string, onPanic?: () => void, uploads = false): Pass | Refusal {
    if (this.#mode === 'disabled') return unheard
    const refusedMs = this.refusedMs(group)
    if (refusedMs > 0) {
      if (onPanic !== undefined && this.#mode === 'auto') {
        onPanic()
        return unheard
      }
      // The refused must not all come back at the same moment.
      return { retryAfterMs: refusedMs + this.#deps.random() * probeWaitMs }
    }
    const { openMs } = this.#settings
    // What is slow to answer is not out of reach, and must not keep what others ask for waiting.
    const reachProbe = this.#reach.enter(openMs)
    return new Attempt(this, group, reachProbe, this.#of(group)?.enter(uploads ? openMs : Infinity))
  }

  /** Of an attempt that was no probe. */
  recordReach(verdict: Verdict): void {
    this.#reach.record(verdict)
  }

  /** `served`: with what was asked for, so this is a group that there is. Others are remembered only if they fail. */
  record(group: string, verdict: Verdict, retryAfterMs: number | undefined, served: boolean): void {
    if (verdict === 'neutral') return
    let member = this.#members.get(group)
    if (member === undefined) {
      const failed = verdict === 'failure'
      if (!failed && !served) return
      if (this.#members.size - this.#listed.size >= membersMax && !this.#forgetOne(failed)) return
      member = this.#add(ownText(group), false)
    }
    member.isServed ||= served
    member.breaker.record(verdict, retryAfterMs)
  }

  #of(group: string): Breaker | undefined {
    return this.#members.get(group)?.breaker
  }

  #add(group: string, isListed: boolean): Member {
    const member = { breaker: this.#open(group), isListed, isServed: isListed }
    this.#members.set(group, member)
    return member
  }

  #open(group: string): Breaker {
    const { clock, random, onState } = this.#deps
    return new Breaker(this.#settings, { clock, random, onState: (state) => onState({ group, state }) })
  }

  /**
   * Names that were never served go first, so that who makes up names has none forgotten that others ask for; then those
   * that have nothing to remember. Of each kind the one that was used least lately. `any`: else only of the first kind.
   */
  #forgetOne(any: boolean): boolean {
    let least: string | undefined
    let leastRank = any ? 2 : 0
    let leastMs = Infinity
    for (const [group, { breaker, isListed, isServed }] of this.#members) {
      if (isListed) continue
      const rank = !isServed ? 0 : breaker.isQuiet ? 1 : 2
      if (rank > leastRank || (rank === leastRank && breaker.usedMs >= leastMs)) continue
      least = group
      leastRank = rank
      leastMs = breaker.usedMs
    }
    if (least === undefined) return false
    const wasClosed = this.#of(least)?.state === 'closed'
    this.#members.delete(least)
    if (!wasClosed) this.#deps.onState({ group: least, state: 'closed' })
    return true
  }
}

class Attempt implements Pass {
  readonly #breakers: Breakers
  readonly #group: string
  readonly #reachProbe: Probe | undefined
  readonly #probe: Probe | undefined
  #answered = false
  #served = false
  #ended = false

  constructor(breakers: Breakers, group: string, reachProbe: Probe | undefined, probe: Probe | undefined) {
    this.#breakers = breakers
    this.#group = group
    this.#reachProbe = reachProbe
    this.#probe = probe
  }

  answered(status: number): void {
    if (this.#ended) return
    this.#answered = true
    this.#served = status < 300
    if (this.#reachProbe === undefined) this.#breakers.recordReach('success')
    else this.#reachProbe.prove()
  }

  content(): void {
    if (!this.#ended) this.#probe?.prove()
  }

  end(verdict: Verdict, retryAfterMs?: number, unreached = false): void {
    if (this.#ended) return
    this.#ended = true
    if (!this.#answered) {
      const reached = unreached ? verdict : 'neutral'
      if (this.#reachProbe === undefined) this.#breakers.recordReach(reached)
      else this.#reachProbe.end(reached)
    }
    const own = unreached ? 'neutral' : verdict
    if (this.#probe === undefined) this.#breakers.record(this.#group, own, retryAfterMs, this.#served)
    else this.#probe.end(own, retryAfterMs)
  }
}

const unheard: Pass = { answered() {}, content() {}, end() {} }
