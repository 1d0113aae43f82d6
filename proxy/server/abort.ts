// Owns telling that an exchange ends early. It is the little of an AbortSignal that the pipeline and the upstream use:
// every request has one and hardly any needs it, and an AbortController with a listener costs more than what it watches.
import type { Fault } from '../errors.ts'
import { appended } from '../lib/appended.ts'
import type { AbortListener, Cancellation } from '../upstream/answer.ts'

export class Abort implements Cancellation {
  reason: Fault | undefined
  #listeners: readonly AbortListener[] = none

  get aborted(): boolean {
    return this.reason !== undefined
  }

  /** The first reason stays. */
  abort(reason: Fault): void {
    if (this.reason !== undefined) return
    this.reason = reason
    const listeners = this.#listeners
    this.#listeners = none
    for (const listener of listeners) {
      if (typeof listener === 'function') listener()
      else listener.handleEvent()
    }
  }

  addEventListener(_type: 'abort', listener: AbortListener): void {
    if (!this.aborted) this.#listeners = appended(this.#listeners, listener)
  }

  removeEventListener(_type: 'abort', listener: AbortListener): void {
    const rest = this.#listeners.filter((one) => one !== listener)
    this.#listeners = rest.length === 0 ? none : rest
  }
}

const none: readonly never[] = []
