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
  #wake: ((result: Result | Promise<never>) => void) | undefined
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

  /** Takes all of the body where all of it has come, and nothing went wrong. */
  arrived(): readonly Uint8Array[] | undefined {
    if (!this.#ended || this.#fault !== undefined) return undefined
    const chunks = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    return chunks
  }

  /** Calls once, when there is more to read or there will be no more. */
  whenChanged(run: () => void): void {
    this.#onChange = run
  }

  /** Not async: a stream that is silent waits here, and what an async function keeps is four times the promise. */
  next(): Promise<Result> {
    if (this.#queue.length > 0 || this.#ended) return Promise.resolve(this.#pull())
    if (this.#wake !== undefined) return Promise.reject(new Fault('internal', 'The body of an answer has one reader.'))
    return new Promise((resolve) => {
      this.#wake = resolve
    })
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

  #pull(): Result | Promise<never> {
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
    this.#fault = undefined
    return fault === undefined ? { value: undefined, done: true } : Promise.reject(fault)
  }

  #stir(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.(this.#pull())
    const changed = this.#onChange
    this.#onChange = undefined
    changed?.()
  }
}
