// Owns keeping the upstream's credential out of what its answers say, bodies and messages. It knows bytes and text only: not
// encodings, not formats, and not who reads.
import type { Gatherable } from '../lib/gather.ts'
import type { Scrub } from './answer.ts'
import type { Credential } from './credential.ts'

type Bytes = AsyncIterableIterator<Uint8Array, undefined> & Gatherable
type Result = IteratorResult<Uint8Array, undefined>

/** The same body, of the same length, with `*` for each byte of the credential's secret, whichever form it has. */
export function scrubBody(body: Bytes, credential: Credential | undefined): Bytes {
  const forms = credential?.forms ?? []
  return forms.reduce((inner, form) => new ScrubbedBody(inner, Buffer.from(form)), body)
}

/** The same for what others have decoded; undefined where there is nothing to look for. */
export function scrubOf(credential: Credential | undefined): Scrub | undefined {
  if (credential === undefined || credential.forms.length === 0) return undefined
  return (body) => scrubBody(body, credential)
}

/** Of one whole text. */
export function scrubText(text: string, { forms }: Credential): string {
  return forms.reduce((clean, form) => clean.replaceAll(form, '*'.repeat(form.length)), text)
}

const mask = 0x2a
const nothing = Buffer.alloc(0)

// Not a generator: that would keep `return` waiting behind a `next` that waits for the upstream.
class ScrubbedBody implements Bytes {
  readonly #body: Bytes
  readonly #secret: Buffer
  /** The end of what came so far, as long as it may be the beginning of the secret. */
  #held: Buffer = nothing
  #returned = false

  constructor(body: Bytes, secret: Buffer) {
    this.#body = body
    this.#secret = secret
  }

  /** Not async either: while nothing is said, that keeps several times as much. */
  next(): Promise<Result> {
    return this.#body.next().then(
      (result) => this.#clean(result),
      (error: unknown) => {
        // What is held may be most of the secret, and a body that broke off has no end to give it to.
        this.#held = nothing
        throw error
      },
    )
  }

  arrived(): readonly Uint8Array[] | undefined {
    const chunks = this.#body.arrived?.()
    if (chunks === undefined) return undefined
    const clean = chunks.map((chunk) => this.#scrub(this.#takeHeld(), chunk))
    return [...clean, this.#takeHeld()].filter(({ length }) => length > 0)
  }

  return(): Promise<Result> {
    this.#returned = true
    this.#held = nothing
    return this.#body.return?.() ?? Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #clean(result: Result): Result | Promise<Result> {
    const held = this.#takeHeld()
    if (result.done === true)
      return held.length === 0 || this.#returned ? { value: undefined, done: true } : { value: held, done: false }
    const clean = this.#scrub(held, result.value)
    return clean.length > 0 ? { value: clean, done: false } : this.next()
  }

  #takeHeld(): Buffer {
    const held = this.#held
    this.#held = nothing
    return held
  }

  #scrub(held: Buffer, chunk: Uint8Array): Buffer {
    const received = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let bytes = held.length === 0 ? received : Buffer.concat([held, received])
    let clearFrom = 0
    for (let at = bytes.indexOf(this.#secret); at !== -1; at = bytes.indexOf(this.#secret, clearFrom)) {
      // The chunk is the HTTP client's.
      if (bytes === received) bytes = Buffer.from(received)
      clearFrom = at + this.#secret.length
      bytes.fill(mask, at, clearFrom)
    }
    const heldFrom = beginningAt(this.#secret, bytes, clearFrom)
    this.#held = bytes.subarray(heldFrom)
    return bytes.subarray(0, heldFrom)
  }
}

/** Where the longest end of `bytes` (not before `from`) starts that is a beginning of the secret; else their length. */
function beginningAt(secret: Buffer, bytes: Buffer, from: number): number {
  const first = secret[0] as number
  let at = bytes.indexOf(first, Math.max(from, bytes.length - secret.length + 1))
  while (at !== -1 && bytes.compare(secret, 0, bytes.length - at, at) !== 0) at = bytes.indexOf(first, at + 1)
  return at === -1 ? bytes.length : at
}
