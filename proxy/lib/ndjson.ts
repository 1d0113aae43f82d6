// Owns streams of JSON lines as text: bytes to lines and back. It does not know what the lines mean; whether they are
// JSON at all is for whoever reads them.
import type { SseBlocks, SseEvent } from './sse.ts'

/** Fed bytes in any split, it gives the same lines. */
export class NdjsonDecoder {
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  readonly #unitsMax: number
  // The unfinished line, in pieces: a line that trickles in is neither copied nor searched once a chunk.
  #pieces: string[] = []
  #pendingUnits = 0

  /** `eventBytesMax` limits one line; it is counted in UTF-16 units, which are never more. */
  constructor(limits: { readonly eventBytesMax: number }) {
    this.#unitsMax = limits.eventBytesMax
  }

  /** The exact texts of whole lines, their ends included. After an error the decoder is unusable. */
  split(bytes: Uint8Array): SseBlocks {
    let text: string
    try {
      text = this.#utf8.decode(bytes, { stream: true })
    } catch {
      return { blocks: [], error: 'it is not valid UTF-8' }
    }
    const blocks: string[] = []
    let from = 0
    for (let lf = text.indexOf('\n'); lf !== -1; lf = text.indexOf('\n', from)) {
      const raw = this.#take(text.slice(from, lf + 1))
      if (raw.length > this.#unitsMax) return { blocks, error: tooLarge }
      blocks.push(raw)
      from = lf + 1
    }
    if (from < text.length) {
      this.#pieces.push(text.slice(from))
      this.#pendingUnits += text.length - from
    }
    return this.#pendingUnits > this.#unitsMax ? { blocks, error: tooLarge } : { blocks }
  }

  /** `partial`: an unfinished line or character was left over. Some clients would read it all the same. */
  end(): 'clean' | 'partial' {
    try {
      return this.#utf8.decode() === '' && this.#pendingUnits === 0 ? 'clean' : 'partial'
    } catch {
      return 'partial'
    }
  }

  #take(tail: string): string {
    const raw = this.#pieces.length === 0 ? tail : this.#pieces.join('') + tail
    this.#pieces = []
    this.#pendingUnits = 0
    return raw
  }
}

const tooLarge = 'a line is too large'

/** A blank line is no event: clients skip it. */
export function parseLine(raw: string): SseEvent {
  const data = raw.replace(/\r?\n$/, '')
  return { event: 'message', data, raw, comment: data.trim() === '' }
}

/** `data` is JSON on one line. */
export function formatLine(data: string): string {
  return `${data}\n`
}
