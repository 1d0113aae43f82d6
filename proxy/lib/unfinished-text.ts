// Owns what a decoder of a stream has not given out yet: the bytes of a character that is not whole, and the text of the
// block that they belong to. Where blocks end it does not know.

/** A block that trickles in is neither copied nor searched once a chunk, so it is kept in pieces. */
export class UnfinishedText {
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #pieces: string[] = []
  #units = 0

  /** UTF-16 units. */
  get length(): number {
    return this.#units
  }

  /** Undefined where it is not UTF-8; then nothing more can be decoded. */
  decode(bytes: Uint8Array): string | undefined {
    try {
      return this.#utf8.decode(bytes, { stream: true })
    } catch {
      return undefined
    }
  }

  keep(text: string): void {
    if (text === '') return
    this.#pieces.push(text)
    this.#units += text.length
  }

  /** All that was kept, and the rest of it. */
  finish(rest: string): string {
    const text = this.#pieces.length === 0 ? rest : this.#pieces.join('') + rest
    this.#pieces = []
    this.#units = 0
    return text
  }

  /** `partial`: an unfinished block or character is left over. */
  end(): 'clean' | 'partial' {
    try {
      return this.#utf8.decode() === '' && this.#units === 0 ? 'clean' : 'partial'
    } catch {
      return 'partial'
    }
  }
}

/** Why nothing more can be decoded. `too-large`: one event or line is, which is a cap of ours and no fault of whoever wrote it. */
export type Undecodable = 'not-utf8' | 'too-large'

export const undecodable: Readonly<Record<Undecodable, string>> = {
  'not-utf8': 'it is not valid UTF-8',
  'too-large': 'an event is too large',
}
