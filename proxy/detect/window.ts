// Owns redacting a text that arrives in pieces: whatever the pieces, what comes out is what the whole text would have
// given, and nothing of a value leaves before the value is complete. One window per channel of an answer. It knows
// nothing of events or JSON.
import { contextBefore, type Foreseen } from './candidate.ts'
import type { RestorePlace } from './options.ts'
import { inJson, JsonFences } from './json-fence.ts'
import type { PartialScan } from './readings.ts'
import type { Plan } from './redaction.ts'
import { foresee, replace, type Counts, type Replacement } from './replace.ts'
import type { Vault, WriteValue } from './vault.ts'

export type Window = {
  /** Returns what is safe to release now. */
  readonly push: (text: string) => string
  /** Returns the rest. */
  readonly end: () => string
  readonly counts: Readonly<Counts>
  readonly observed: Readonly<Counts>
  /** From then on nothing is released. */
  readonly blocked: Replacement['blocked']
  /** UTF-16 units that are held back. */
  readonly held: number
}

export type WindowOptions = {
  /** What to redact (the plan of the response direction). */
  readonly plan?: Plan | undefined
  /** Whose tokens to restore, after redacting. */
  readonly vault?: Vault | undefined
  /** What the text is: not every token comes back everywhere. */
  readonly place?: RestorePlace | undefined
}

/** The rules of a window without plan and vault: every piece is released as it is. */
export function openWindow({ plan, vault, place = 'response.text' }: WindowOptions): Window {
  return new TextWindow(plan, vault, place)
}

/** Below this much text every piece is scanned; above, only once so much of it has been added, and of what is held above. */
const eagerLength = 512
const lazierShift = 5
const lazyShift = 2
/** Where nearly as much is held as may be, only so much is waited for, and of what is scanned. */
const nearMost = 416
const soonLength = 8
const soonShift = 7
const scannedSoonMax = 8192
/** Or so much, where what holds it may have ended: more of what is long, which takes longer to scan. */
const lagLength = 192
const lagLengthMax = 400
const lagShift = 6
/** Released text is dropped from the buffer when it is this much longer than the context that scans look back on. */
const slackLength = 1024
/** A model that is to answer in JSON: its text is read as that when it is whole, so values must not break it. */
const jsonOpening = /^\s*(?:\{\s*"|\[\s*["{[])/
const openingLength = 32

class TextWindow implements Window {
  readonly counts: Counts = {}
  readonly observed: Counts = {}
  blocked: Replacement['blocked'] = undefined
  readonly #plan: Plan | undefined
  readonly #vault: Vault | undefined
  readonly #place: RestorePlace
  /** Released text that scans may look back on, then what is held. */
  #buffer = ''
  #released = 0
  /** Where scans begin: what has been released since then tells what the rest is. */
  #scannedTo = 0
  /** How the released text is read, where that is not as it is written. */
  #carried: string | undefined
  #unscanned = 0
  /** Redacted text that may end in the beginning of a token. */
  #tail = ''
  /** The last unit before it. */
  #before = ''
  #isSwallowing = false
  /** What has been released up to the end of a value that goes on, where that begins, and how far it goes at least. */
  #foreseen: string | undefined
  #foreseenStart = 0
  #foreseenTo = 0
  #foreseenMayEnd: Foreseen['mayEnd'] | undefined
  /** How the text begins, as far as that tells whether it is JSON. */
  #opening = ''
  readonly #fences = new JsonFences()

  constructor(plan: Plan | undefined, vault: Vault | undefined, place: RestorePlace) {
    this.#plan = plan
    this.#vault = vault
    this.#place = place
  }

  get held(): number {
    return this.#buffer.length - Math.max(this.#released, this.#foreseenTo) + this.#tail.length
  }

  push(text: string): string {
    return this.#restore(this.#redact(text, false), false)
  }

  end(): string {
    return this.#restore(this.#redact('', true), true)
  }

  #redact(text: string, final: boolean): string {
    const plan = this.#plan
    if (plan === undefined) return text
    if (this.#isSwallowing || this.blocked !== undefined) return ''
    this.#buffer += text
    this.#unscanned += text.length
    const heldLength = this.#buffer.length - this.#released
    const length = this.#buffer.length - this.#scannedTo
    const { held } = this
    const isNearMost = held > nearMost && held < 2 * eagerLength && length < scannedSoonMax
    const lazyLength = isNearMost
      ? Math.max(soonLength, length >> soonShift)
      : Math.max((heldLength - eagerLength) >> lazyShift, 0) + (length >> lazierShift)
    if (!final && length > eagerLength && this.#unscanned < lazyLength && !this.#mayEnd()) return ''
    this.#unscanned = 0
    return this.#release(plan, final)
  }

  /** What is certain not to end the value is a part of it without being scanned. */
  #mayEnd(): boolean {
    const { length } = this.#buffer
    const lag = Math.min(Math.max(lagLength, (length - this.#scannedTo) >> lagShift), lagLengthMax)
    if (this.#foreseenMayEnd === undefined || length - this.#foreseenTo < lag) return false
    if (this.#foreseenMayEnd(this.#buffer, this.#foreseenTo)) return this.#unscanned >= lag
    this.#foreseenTo = this.#buffer.length
    return false
  }

  #release(plan: Plan, final: boolean): string {
    const from = this.#released
    const part = plan.scanner.scanPart(this.#buffer, this.#scannedTo, final, this.#carried, from)
    const { findings, carried, foreseen } = part
    const decidedTo = Math.max(from, part.decidedTo)
    // What gave the value away has been released with it.
    if (this.#foreseen !== undefined && decidedTo <= this.#foreseenStart) {
      if (foreseen !== undefined) this.#foresee(foreseen, plan)
      return ''
    }
    this.#carried = carried
    this.#released = decidedTo
    this.#scannedTo = part.scannedTo ?? part.decidedTo
    const decided = this.#buffer.slice(from, decidedTo)
    let output = findings.length === 0 ? decided : this.#replace(decided, findings, from, plan)
    if (foreseen !== undefined && this.blocked === undefined) output += this.#foresee(foreseen, plan)
    if (this.#scannedTo > contextBefore + slackLength) {
      const dropped = this.#scannedTo - contextBefore
      this.#buffer = this.#buffer.slice(dropped)
      this.#scannedTo = contextBefore
      this.#released -= dropped
      this.#foreseenStart -= dropped
      this.#foreseenTo -= dropped
    }
    return output
  }

  #replace(text: string, findings: Parameters<typeof replace>[1], offset: number, plan: Plan): string {
    const result = replace(text, shifted(findings, offset), plan, this.#vault, { inPieces: true })
    const releasedBefore = this.#foreseen?.length ?? 0
    this.#foreseen = undefined
    this.#foreseenMayEnd = undefined
    add(this.counts, result.counts)
    add(this.observed, result.observed)
    if (result.blocked !== undefined) this.blocked = result.blocked
    const last = result.replaced.at(-1)
    if (last?.openEnded) this.#isSwallowing = true
    return result.text.slice(releasedBefore)
  }

  /** A value that is there whatever follows is replaced at once; what is yet to come of it will only be swallowed. */
  #foresee(foreseen: NonNullable<PartialScan['foreseen']>, plan: Plan): string {
    const { entity, start, to, mayEnd } = foreseen
    const isFirst = this.#foreseen === undefined
    if (isFirst) {
      const from = this.#released
      const value = { entity, start: start - from, before: shifted(foreseen.before, from) }
      const result = foresee(value, this.#buffer.slice(from, to), plan, this.#vault)
      if (result === undefined) return ''
      this.#foreseen = result.text
      this.blocked = result.blocked
      if (result.blocked !== undefined) add(this.counts, result.counts)
      this.#foreseenStart = start
    }
    this.#foreseenTo = to
    this.#foreseenMayEnd = mayEnd
    return isFirst ? (this.#foreseen ?? '') : ''
  }

  #restore(text: string, final: boolean): string {
    if (this.#vault === undefined) return text
    if (text === '' && !final) return ''
    const from = this.#before.length
    const all = this.#before + this.#tail + text
    if (this.#opening.length < openingLength) this.#opening = (this.#opening + text).slice(0, openingLength)
    this.#fences.goOn(all, from)
    const write = this.#place === 'response.text' ? this.#writer() : undefined
    if (final) {
      this.#tail = ''
      return this.#vault.restore(all, this.#place, from, write)
    }
    const { text: restored, heldFrom } = this.#vault.restorePart(all, this.#place, from, write)
    this.#fences.readTo(heldFrom)
    this.#tail = all.slice(heldFrom)
    this.#before = all.slice(Math.max(0, heldFrom - 1), heldFrom)
    return restored
  }

  #writer(): WriteValue {
    return jsonOpening.test(this.#opening) ? inJson : this.#fences.write
  }
}

function shifted(findings: Parameters<typeof replace>[1], offset: number): Parameters<typeof replace>[1] {
  return findings.map((f) => ({ ...f, start: f.start - offset, end: f.end - offset }))
}

function add(to: Counts, from: Counts): void {
  for (const entity of Object.keys(from)) to[entity] = (to[entity] ?? 0) + (from[entity] ?? 0)
}
