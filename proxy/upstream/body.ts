// Owns the way of an answer's bytes from the socket to whoever pulls: a short queue that asks its source to pause when
// full and to go on when drained. What was received before a failure is delivered before the failure is thrown.
import { Fault } from '../errors.ts'

const queuedBytesMax = 64 * 1024
const queuedPiecesMax = 128

export interface BodySource {
  /** There is room again. */
  resume(): void
  /** Nobody will read the rest. */
  abandon(): void
}

type Result = IteratorResult<Uint8Array, undefined>

export class Body implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #source: BodySource
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #paused = false
  #ended = false
  #fault: Fault | undefined
  #wake: (() => void) | undefined
  #onChange: (() => void) | undefined

  constructor(source: BodySource) {
    this.#source = source
  }

  /** False when the source should pause. */
  push(chunk: Uint8Array): boolean {
    this.#queue.push(chunk)
    this.#queuedBytes += chunk.byteLength
    this.#paused = this.#queuedBytes >= queuedBytesMax || this.#queue.length >= queuedPiecesMax
    this.#stir()
    return !this.#paused
  }

  end(): void {
    this.#ended = true
    this.#stir()
  }

  fail(fault: Fault): void {
    this.#fault = fault
    this.end()
  }

  /** What has come and was not read yet, left where it is. */
  peek(): { readonly bytes: Uint8Array; readonly ended: boolean; readonly fault: Fault | undefined } {
    const bytes = this.#queue.length === 1 ? (this.#queue[0] as Uint8Array) : Buffer.concat(this.#queue)
    return { bytes, ended: this.#ended, fault: this.#fault }
  }

  /** Calls once, when there is more to read or there will be no more. */
  whenChanged(run: () => void): void {
    this.#onChange = run
  }

  async next(): Promise<Result> {
    if (this.#queue.length === 0 && !this.#ended) {
      if (this.#wake !== undefined) throw new Fault('internal', 'The body of an answer has one reader.')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const chunk = this.#queue.shift()
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.byteLength
      if (this.#paused && this.#queue.length === 0) {
        this.#paused = false
        this.#source.resume()
      }
      return { value: chunk, done: false }
    }
    const fault = this.#fault
    if (fault === undefined) return { value: undefined, done: true }
    this.#fault = undefined
    throw fault
  }

  /** The reader stops early (`break` in a loop). */
  return(): Promise<Result> {
    this.#queue = []
    this.#queuedBytes = 0
    this.#fault = undefined
    if (!this.#ended) {
      this.#ended = true
      this.#source.abandon()
    }
    this.#stir()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #stir(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
    const changed = this.#onChange
    this.#onChange = undefined
    changed?.()
  }
}
