// Owns telling that an exchange ends early. It is the little of an AbortSignal that the pipeline and the upstream use:
// every request has one and hardly any needs it, and an AbortController with a listener costs more than what it watches.
import type { Fault } from '../errors.ts'
import type { AbortListener, Cancellation } from '../upstream/answer.ts'

export class Abort implements Cancellation {
  reason: Fault | undefined
  readonly #listeners: AbortListener[] = []

  get aborted(): boolean {
    return this.reason !== undefined
  }

  /** The first reason stays. */
  abort(reason: Fault): void {
    if (this.reason !== undefined) return
    this.reason = reason
    for (const listener of this.#listeners.splice(0)) {
      if (typeof listener === 'function') listener()
      else listener.handleEvent()
    }
  }

  addEventListener(_type: 'abort', listener: AbortListener): void {
    if (!this.aborted) this.#listeners.push(listener)
  }

  removeEventListener(_type: 'abort', listener: AbortListener): void {
    const index = this.#listeners.indexOf(listener)
    if (index !== -1) this.#listeners.splice(index, 1)
  }
}
