// Owns server-sent events as text (WHATWG HTML §9.2): bytes to blocks and back. It does not know what the data means.
import { UnfinishedText, type Undecodable } from './unfinished-text.ts'

/**
 * One block: everything up to and including its blank line. `raw` is its exact text, so the raws of a stream joined give
 * the stream. `event` is `message` where the block names none. `comment`: no client dispatches the block (only comments,
 * or no data), so `data` is empty, and what stands in it is in `raw` alone.
 */
export type SseEvent = {
  readonly event: string
  readonly data: string
  readonly id?: string
  readonly raw: string
  readonly comment: boolean
}

/** `events` are those before the error, if there is one. After an error the decoder is unusable. */
export type SseStep = { readonly events: readonly SseEvent[]; readonly error?: Undecodable }

/** The exact texts of whole blocks, before the error if there is one. */
export type SseBlocks = { readonly blocks: readonly string[]; readonly error?: Undecodable }

/** Takes the blocks of a stream, each as its exact text. */
export type BlockReader = {
  block(raw: string): void
  /**
   * Asked where a block begins in a text: takes any number of blocks that end with LF and have `unitsMax` units at most, and
   * returns where the last of them ends; `from` where it takes none.
   */
  known?(text: string, from: number, unitsMax: number): number
}

/** All blocks that a decoder gives of a chunk. */
export function blocksOf(
  decoder: { read(bytes: Uint8Array, reader: BlockReader): Undecodable | undefined },
  bytes: Uint8Array,
): SseBlocks {
  const blocks: string[] = []
  const error = decoder.read(bytes, { block: (raw) => blocks.push(raw) })
  return error === undefined ? { blocks } : { blocks, error }
}

/** Fed bytes in any split, it gives the same events. */
export class SseDecoder {
  readonly #pending = new UnfinishedText()
  readonly #unitsMax: number
  #lineIsEmpty = true
  #afterCr = false
  #atStart = true

  /** `eventBytesMax` limits one block, comments included; it is counted in UTF-16 units, which are never more. */
  constructor(limits: { readonly eventBytesMax: number }) {
    this.#unitsMax = limits.eventBytesMax
  }

  push(bytes: Uint8Array): SseStep {
    const { blocks, error } = this.split(bytes)
    const events = blocks.map(parseBlock)
    return error === undefined ? { events } : { events, error }
  }

  /** The same without looking into the blocks. */
  split(bytes: Uint8Array): SseBlocks {
    return blocksOf(this, bytes)
  }

  /** The same for a reader that may know what comes next. After an error the decoder is unusable. */
  read(bytes: Uint8Array, reader: BlockReader): Undecodable | undefined {
    const text = this.#pending.decode(bytes)
    if (text === undefined) return 'not-utf8'
    let from = 0
    let at = this.#skipBom(text)
    if (at === 0 && this.#pending.length === 0) from = at = this.#skipKnown(text, 0, reader)
    let cr = text.indexOf('\r', at)
    let lf = text.indexOf('\n', at)
    while (cr !== -1 || lf !== -1) {
      const end = cr === -1 || (lf !== -1 && lf < cr) ? lf : cr
      // The LF of a CRLF whose CR came with the chunk before ends no line of its own.
      const restOfCrLf = this.#afterCr && end === at && end === lf
      const blank = this.#lineIsEmpty && end === at
      at = end + (end === cr && lf === cr + 1 ? 2 : 1)
      this.#afterCr = end === cr && at === text.length && lf === -1
      this.#lineIsEmpty = true
      // After a blank line that LF stands alone: it is given out as a block without data, so that none waits for it.
      const alone = restOfCrLf && this.#pending.length === 0 && end === from
      if ((blank && !restOfCrLf) || alone) {
        const raw = this.#pending.finish(text.slice(from, at))
        if (raw.length > this.#unitsMax) return 'too-large'
        reader.block(raw)
        from = at = this.#skipKnown(text, at, reader)
      }
      if (cr !== -1 && cr < at) cr = text.indexOf('\r', at)
      if (lf !== -1 && lf < at) lf = text.indexOf('\n', at)
    }
    if (at < text.length) {
      this.#lineIsEmpty = false
      this.#afterCr = false
    }
    this.#pending.keep(text.slice(from))
    return this.#pending.length > this.#unitsMax ? 'too-large' : undefined
  }

  /** Takes what has come of a block without its blank line. */
  rest(): string {
    return this.#pending.finish('')
  }

  /** `partial`: an unfinished block or character was left over. No client dispatches it. */
  end(): 'clean' | 'partial' {
    return this.#pending.end()
  }

  /** A block begins at `at`. */
  #skipKnown(text: string, at: number, reader: BlockReader): number {
    if (reader.known === undefined || at === text.length) return at
    const end = reader.known(text, at, this.#unitsMax)
    if (end > at) this.#afterCr = false
    return end
  }

  #skipBom(text: string): number {
    if (text === '' || !this.#atStart) return 0
    this.#atStart = false
    return text.charCodeAt(0) === 0xfeff ? 1 : 0
  }
}

/** The source of a pattern for what formats call their events: it has a letter, and nothing else can be said in it. */
export const eventName = String.raw`[\d_./:-]{0,64}[A-Za-z][\w./:-]{0,127}`
const wholeName = new RegExp(`^${eventName}$`)

export function isEventName(name: string): boolean {
  return wholeName.test(name)
}

/** A block that decodes to this event, ready to write. Line ends inside the data become line ends of the format. */
export function formatEvent(event: string, data: string, id?: string): string {
  let text = event === 'message' || event === '' ? '' : `event: ${oneLine(event)}\n`
  if (id !== undefined) text += `id: ${oneLine(id)}\n`
  if (!data.includes('\n') && !data.includes('\r')) return `${text}data: ${data}\n\n`
  for (const line of data.split(/\r\n|\r|\n/)) text += `data: ${line}\n`
  return `${text}\n`
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n\0]/g, '')
}

/** `raw` is one whole block, with its blank line. */
export function parseBlock(raw: string): SseEvent {
  let event = ''
  let id: string | undefined
  let data: string | undefined
  for (const line of linesOf(raw)) {
    const colon = line.indexOf(':')
    if (colon === 0) continue
    const name = colon === -1 ? line : line.slice(0, colon)
    if (name !== 'data' && name !== 'event' && name !== 'id') continue
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1)
    if (name === 'data') data = data === undefined ? value : `${data}\n${value}`
    else if (name === 'event') event = value
    else if (!value.includes('\0')) id = value
  }
  const name = event === '' ? 'message' : event
  const comment = data === undefined
  return { event: name, data: data ?? '', ...(id === undefined ? undefined : { id }), raw, comment }
}

function linesOf(raw: string): string[] {
  const text = raw.charCodeAt(0) === 0xfeff ? raw.slice(1) : raw
  return text.includes('\r') ? text.split(/\r\n|\r|\n/) : text.split('\n')
}
