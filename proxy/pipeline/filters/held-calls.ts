// Owns what is kept of a stream's tool calls until they are judged: their pieces, their arguments as they grow, and what
// may not overtake them. It neither judges nor redacts.
import { Fault } from '../../errors.ts'
import { applyEdits } from '../../lib/edit.ts'
import type { Path } from '../../lib/pointer.ts'

export class HeldCall {
  /** As they came, piece by piece. */
  arguments = ''
  /** JSON of the events that make up the call; none where the format holds back arguments only. */
  readonly pieces: { readonly json: string; readonly argumentsAt: Path | undefined }[] = []
  /** All that is kept of it. */
  chars = 0
  /** Events of other channels that come after it, ready to write. */
  behind = ''

  /** The pieces with other arguments: the first that has some takes them all. */
  withArguments(text: string): string[] {
    if (text === this.arguments) return this.pieces.map(({ json }) => json)
    let rest = text
    return this.pieces.map(({ json, argumentsAt }) => {
      if (argumentsAt === undefined) return json
      const edited = applyEdits(json, [{ address: { path: argumentsAt }, text: rest }])
      rest = ''
      return edited
    })
  }
}

export class HeldCalls {
  /** Hardly any stream has some. */
  #calls: Map<string, HeldCall> | undefined
  readonly #charsMax: number
  #chars = 0

  constructor(charsMax: number) {
    this.#charsMax = charsMax
  }

  get channels(): Iterable<string> {
    return this.#calls?.keys() ?? []
  }

  has(channel: string): boolean {
    return this.#calls?.has(channel) === true
  }

  /** Fault `answer-too-large`, as for the others that add, when all of it together is too much. */
  addArguments(channel: string, text: string): void {
    this.#grow(channel, text).arguments += text
  }

  addPiece(channel: string, json: string, argumentsAt: Path | undefined): void {
    this.#grow(channel, json).pieces.push({ json, argumentsAt })
  }

  /** Whether there is such a call to wait for. */
  addBehind(channel: string, events: string): boolean {
    if (!this.has(channel)) return false
    this.#grow(channel, events).behind += events
    return true
  }

  take(channel: string): HeldCall | undefined {
    const held = this.#calls?.get(channel)
    this.#calls?.delete(channel)
    this.#chars -= held?.chars ?? 0
    return held
  }

  /** For calls that will never be complete, and so never judged. */
  drop(): void {
    this.#calls = undefined
  }

  #grow(channel: string, text: string): HeldCall {
    this.#chars += text.length
    if (this.#chars > this.#charsMax) throw new Fault('answer-too-large', 'A tool call in the stream is too large.')
    this.#calls ??= new Map()
    let held = this.#calls.get(channel)
    if (held === undefined) this.#calls.set(channel, (held = new HeldCall()))
    held.chars += text.length
    return held
  }
}
