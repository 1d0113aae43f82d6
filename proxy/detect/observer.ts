// Owns the counting of what rules only observe in a text that arrives in pieces. Nothing waits for it, and what is hidden
// is none of it. It does not know what hides.
import { Course } from './course.ts'
import type { Plan } from './redaction.ts'
import { isObserved, type Counts } from './replace.ts'
import type { Scanner } from './scanner.ts'
import type { Vault } from './vault.ts'

/** Units of the whole text, as are all that are told here. */
type Stretch = { readonly start: number; readonly end: number }

/** Nobody waits, so scans are rare: after so much text, and of what goes on after half of it again. */
const eagerLength = 512
const endless = Number.POSITIVE_INFINITY

export class Observer {
  readonly #counts: Counts
  readonly #plan: Plan
  readonly #vault: Vault | undefined
  readonly #course: Course
  #unscanned = 0
  /** What is observed has no end, so nothing behind its beginning is anything else. */
  #isEndless = false
  /** In order, as are both. */
  #seen: (Stretch & { readonly entity: string })[] = []
  #hidden: Stretch[] = []

  /** Adds to `counts`. */
  constructor(scanner: Scanner, plan: Plan, vault: Vault | undefined, counts: Counts) {
    this.#course = new Course(scanner)
    this.#plan = plan
    this.#vault = vault
    this.#counts = counts
  }

  hide(start: number, end: number): void {
    this.#hidden.push({ start, end })
  }

  /** What is hidden before `hiddenTo` has been told. */
  push(text: string, hiddenTo: number, final: boolean): void {
    if (!this.#isEndless) this.#take(text, final)
    this.#count(final ? endless : hiddenTo)
  }

  /** The text breaks off, and nothing behind `to` has left. */
  close(to: number): void {
    if (!this.#isEndless) this.#scan(true)
    this.#count(to)
  }

  #take(text: string, final: boolean): void {
    const course = this.#course
    course.text += text
    this.#unscanned += text.length
    if (final || this.#unscanned >= Math.max(eagerLength, course.length >> 1)) this.#scan(final)
  }

  #scan(final: boolean): void {
    const course = this.#course
    this.#unscanned = 0
    const part = course.scan(final)
    for (const { entity, start, end, openEnded } of part.findings) {
      if (openEnded) this.#isEndless = true
      const value = course.text.slice(start, end)
      if (isObserved(this.#plan.actionFor(entity, value)) && this.#vault?.isToken(value) !== true)
        this.#seen.push({ entity, start: start + course.dropped, end: openEnded ? endless : end + course.dropped })
    }
    course.advance(part)
    course.drop()
  }

  #count(to: number): void {
    let counted = 0
    let passed = 0
    for (const { entity, start, end } of this.#seen) {
      if (end > to) break
      counted++
      while ((this.#hidden[passed]?.end ?? endless) <= start) passed++
      if ((this.#hidden[passed]?.start ?? end) >= end) this.#counts[entity] = (this.#counts[entity] ?? 0) + 1
    }
    if (counted > 0) this.#seen = this.#seen.slice(counted)
    // Nothing that is yet to be seen begins before.
    const from = this.#seen[0]?.start ?? this.#course.dropped + this.#course.decidedTo
    while ((this.#hidden[passed]?.end ?? endless) <= from) passed++
    if (passed > 0) this.#hidden = this.#hidden.slice(passed)
  }
}
