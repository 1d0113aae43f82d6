// Owns redacting a text that arrives in pieces: whatever the pieces, what comes out is what the whole text would have
// given, and nothing of a value leaves before the value is complete. One window per channel of an answer. It knows
// nothing of events or JSON.
import type { Foreseen } from './candidate.ts'
import { Course } from './course.ts'
import type { RestorePlace } from './options.ts'
import { inJson, JsonFences } from './json-fence.ts'
import { Observer } from './observer.ts'
import type { PartialScan } from './readings.ts'
import type { Plan } from './redaction.ts'
import { compileScanner } from './scanner.ts'
import { foresee, replace, type Counts, type Replacement } from './replace.ts'
import type { Vault, WriteValue } from './vault.ts'

export type Window = {
  /** Returns what is safe to release now. */
  readonly push: (text: string) => string
  /** Returns the rest. */
  readonly end: () => string
  /** Instead: no more comes, and what is held is given up. What was observed of the rest counts. */
  readonly abandon: () => void
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
/** A model that is to answer in JSON: its text is read as that when it is whole, so values must not break it. */
const jsonOpening = /^\s*(?:\{\s*"|\[\s*["{[])/
const openingLength = 32

/** Finds nothing. */
const nothing = compileScanner(new Set())

class TextWindow implements Window {
  readonly counts: Counts = {}
  readonly observed: Counts = {}
  blocked: Replacement['blocked'] = undefined
  readonly #plan: Plan | undefined
  readonly #vault: Vault | undefined
  readonly #place: RestorePlace
  /** What is decided has been released. */
  readonly #course: Course
  readonly #observer: Observer | undefined
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
    this.#course = new Course(plan?.scanner ?? nothing)
    const watched = plan?.scanner.watched
    if (plan !== undefined && watched !== undefined) this.#observer = new Observer(watched, plan, vault, this.observed)
  }

  get held(): number {
    const { text, decidedTo } = this.#course
    return text.length - Math.max(decidedTo, this.#foreseenTo) + this.#tail.length
  }

  push(text: string): string {
    return this.#restore(this.#redact(text, false), false)
  }

  end(): string {
    return this.#restore(this.#redact('', true), true)
  }

  abandon(): void {
    this.#observer?.close(this.#course.dropped + this.#course.decidedTo)
  }

  #redact(text: string, final: boolean): string {
    const plan = this.#plan
    if (plan === undefined) return text
    const course = this.#course
    if (this.#isSwallowing || this.blocked !== undefined) {
      if (final) this.#observer?.push('', course.dropped + course.decidedTo, final)
      return ''
    }
    course.text += text
    this.#unscanned += text.length
    const output = final || this.#isDue() ? this.#release(plan, final) : ''
    this.#observer?.push(text, course.dropped + course.decidedTo, final)
    return output
  }

  #isDue(): boolean {
    const course = this.#course
    const { held } = this
    const { length } = course
    if (length <= eagerLength) return true
    const heldLength = course.text.length - course.decidedTo
    const isNearMost = held > nearMost && held < 2 * eagerLength && length < scannedSoonMax
    const soon = Math.max(soonLength, length >> soonShift)
    const lazyLength = isNearMost
      ? Math.min(soon, held < eagerLength ? eagerLength - held : soon)
      : Math.max((heldLength - eagerLength) >> lazyShift, 0) + (length >> lazierShift)
    return this.#unscanned >= lazyLength || this.#mayEnd()
  }

  /** What is certain not to end the value is a part of it without being scanned. */
  #mayEnd(): boolean {
    const course = this.#course
    const { text } = course
    const { length } = text
    const lag = Math.min(Math.max(lagLength, course.length >> lagShift), lagLengthMax)
    if (this.#foreseenMayEnd === undefined || length - this.#foreseenTo < lag) return false
    if (this.#foreseenMayEnd(text, this.#foreseenTo)) return this.#unscanned >= lag
    this.#foreseenTo = length
    return false
  }

  #release(plan: Plan, final: boolean): string {
    const course = this.#course
    this.#unscanned = 0
    const part = course.scan(final)
    const { findings, foreseen } = part
    const from = course.decidedTo
    // What gave the value away has been released with it.
    if (this.#foreseen !== undefined && part.decidedTo <= this.#foreseenStart) {
      if (foreseen !== undefined) this.#foresee(foreseen, plan)
      return ''
    }
    course.advance(part)
    const decided = course.text.slice(from, course.decidedTo)
    let output = findings.length === 0 ? decided : this.#replace(decided, findings, from, plan)
    if (foreseen !== undefined && this.blocked === undefined) output += this.#foresee(foreseen, plan)
    const dropped = course.drop()
    this.#foreseenStart -= dropped
    this.#foreseenTo -= dropped
    return output
  }

  #replace(text: string, findings: Parameters<typeof replace>[1], offset: number, plan: Plan): string {
    const result = replace(text, shifted(findings, offset), plan, this.#vault, { inPieces: true })
    const releasedBefore = this.#foreseen?.length ?? 0
    this.#foreseen = undefined
    this.#foreseenMayEnd = undefined
    if (result.blocked !== undefined) this.blocked = result.blocked
    if (result.replaced.at(-1)?.openEnded) this.#isSwallowing = true
    this.#account(result, offset)
    return result.text.slice(releasedBefore)
  }

  /** `offset`: where the text begins that it is the result of. */
  #account({ counts, observed, replaced, blocked }: Replacement, offset: number): void {
    add(this.counts, counts)
    if (this.#observer === undefined) add(this.observed, observed)
    const from = offset + this.#course.dropped
    replaced.forEach(({ start, end, openEnded }, at) => {
      const isLast = openEnded || (blocked !== undefined && at === replaced.length - 1)
      this.#observer?.hide(start + from, isLast ? Number.POSITIVE_INFINITY : end + from)
    })
  }

  /** A value that is there whatever follows is replaced at once; what is yet to come of it will only be swallowed. */
  #foresee(foreseen: NonNullable<PartialScan['foreseen']>, plan: Plan): string {
    const { entity, start, to, mayEnd } = foreseen
    const isFirst = this.#foreseen === undefined
    if (isFirst) {
      const { text, decidedTo: from } = this.#course
      const value = { entity, start: start - from, before: shifted(foreseen.before, from) }
      const result = foresee(value, text.slice(from, to), plan, this.#vault)
      if (result === undefined) return ''
      this.#foreseen = result.text
      this.blocked = result.blocked
      if (result.blocked !== undefined) this.#account(result, from)
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
