// Owns what the records of one exchange say together: every intent has one outcome. It looks at `request` and nothing
// else of their content.
import type { ParsedRecord } from './record-check.ts'

/** At least so many finished requests are remembered, to see a second outcome; at most twice as many. */
const finishedMin = 262_144

export class Pairing {
  readonly #open = new Map<string, number>()
  /** Two generations: a set that forgets one by one looks through the places of all that it has forgotten before. */
  #finished = new Set<string>()
  #finishedBefore = new Set<string>()
  readonly duplicates: { readonly index: number; readonly request: string }[] = []
  #runSince = 0

  see({ kind, i, request, why }: ParsedRecord): void {
    // Nothing that an earlier run of the process began can still end.
    if (kind === 'open' && why === 'start') this.#runSince = i
    if (typeof request !== 'string') return
    if (kind === 'intent') this.#open.set(request, i)
    if (kind !== 'outcome') return
    this.#open.delete(request)
    if (this.#finished.has(request) || this.#finishedBefore.has(request)) this.duplicates.push({ index: i, request })
    if (this.#finished.size === finishedMin) {
      this.#finishedBefore = this.#finished
      this.#finished = new Set()
    }
    this.#finished.add(request)
  }

  /** Intents without an outcome: those of the present run may still get one while the writer lives. */
  unpaired(): { readonly lost: string[]; readonly inFlight: string[] } {
    const [lost, inFlight]: [string[], string[]] = [[], []]
    for (const [request, index] of this.#open) (index < this.#runSince ? lost : inFlight).push(request)
    return { lost, inFlight }
  }
}
