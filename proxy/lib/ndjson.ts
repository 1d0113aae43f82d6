// Owns streams of JSON lines as text: bytes to lines and back. It does not know what the lines mean; whether they are
// JSON at all is for whoever reads them.
import { blocksOf, type BlockReader, type SseBlocks, type SseEvent } from './sse.ts'
import { UnfinishedText, type Undecodable } from './unfinished-text.ts'

/** Fed bytes in any split, it gives the same lines. */
export class NdjsonDecoder {
  readonly #pending = new UnfinishedText()
  readonly #unitsMax: number

  /** `eventBytesMax` limits one line; it is counted in UTF-16 units, which are never more. */
  constructor(limits: { readonly eventBytesMax: number }) {
    this.#unitsMax = limits.eventBytesMax
  }

  /** The exact texts of whole lines, their ends included. After an error the decoder is unusable. */
  split(bytes: Uint8Array): SseBlocks {
    return blocksOf(this, bytes)
  }

  /** The same for a reader that may know what comes next. */
  read(bytes: Uint8Array, reader: BlockReader): Undecodable | undefined {
    const text = this.#pending.decode(bytes)
    if (text === undefined) return 'not-utf8'
    let from = this.#pending.length === 0 ? this.#knownEnd(text, 0, reader) : 0
    for (let lf = text.indexOf('\n', from); lf !== -1; lf = text.indexOf('\n', from)) {
      const raw = this.#pending.finish(text.slice(from, lf + 1))
      if (raw.length > this.#unitsMax) return 'too-large'
      reader.block(raw)
      from = this.#knownEnd(text, lf + 1, reader)
    }
    this.#pending.keep(text.slice(from))
    return this.#pending.length > this.#unitsMax ? 'too-large' : undefined
  }

  /** A line begins at `at`. */
  #knownEnd(text: string, at: number, reader: BlockReader): number {
    return reader.known === undefined || at === text.length ? at : reader.known(text, at, this.#unitsMax)
  }

  /** Takes what has come of a line without its end. */
  rest(): string {
    return this.#pending.finish('')
  }

  /** `partial`: an unfinished line or character was left over. Some clients would read it all the same. */
  end(): 'clean' | 'partial' {
    return this.#pending.end()
  }
}

/** A blank line is no event: clients skip it. */
export function parseLine(raw: string): SseEvent {
  const data = raw.replace(/\r?\n$/, '')
  return { event: 'message', data, raw, comment: data.trim() === '' }
}

/** `data` is JSON on one line. */
export function formatLine(data: string): string {
  return `${data}\n`
}
