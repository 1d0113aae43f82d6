// Owns what a decoder of a stream has not given out yet: the bytes of a character that is not whole, and the text of the
// block that they belong to. Where blocks end it does not know.
import { decodeUtf8 } from './utf8.ts'

/** A block that trickles in is neither copied nor searched once a chunk, so it is kept in pieces. */
export class UnfinishedText {
  /** At most three bytes. A TextDecoder that keeps them itself takes 800 bytes of each stream. */
  #character: Uint8Array | undefined
  #pieces: string[] | undefined
  #units = 0

  /** UTF-16 units. */
  get length(): number {
    return this.#units
  }

  /** Undefined where it is not UTF-8; then nothing more can be decoded. */
  decode(bytes: Uint8Array): string | undefined {
    const all = this.#character === undefined ? bytes : Buffer.concat([this.#character, bytes])
    const end = wholeCharactersEnd(all)
    this.#character = end === all.length ? undefined : new Uint8Array(all.subarray(end))
    return decodeUtf8(end === all.length ? all : all.subarray(0, end))
  }

  keep(text: string): void {
    if (text === '') return
    if (this.#pieces === undefined) this.#pieces = [text]
    else this.#pieces.push(text)
    this.#units += text.length
  }

  /** All that was kept, and the rest of it. */
  finish(rest: string): string {
    const text = this.#pieces === undefined ? rest : this.#pieces.join('') + rest
    this.#pieces = undefined
    this.#units = 0
    return text
  }

  /** `partial`: an unfinished block or character is left over. */
  end(): 'clean' | 'partial' {
    return this.#character === undefined && this.#units === 0 ? 'clean' : 'partial'
  }
}

/** Before a character at the end of which more must come (RFC 3629 §3). What can never become one is left to the decoder. */
function wholeCharactersEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] as number
    if ((byte & 0xc0) === 0x80) continue
    return lengthOf(byte) > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

/** In bytes, by the first of them. */
function lengthOf(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 1
  if (first < 0xe0) return 2
  return first < 0xf0 ? 3 : 4
}

/** Why nothing more can be decoded. `too-large`: one event or line is, which is a cap of ours and no fault of whoever wrote it. */
export type Undecodable = 'not-utf8' | 'too-large'

export const undecodable: Readonly<Record<Undecodable, string>> = {
  'not-utf8': 'it is not valid UTF-8',
  'too-large': 'an event is too large',
}
