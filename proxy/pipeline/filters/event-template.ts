// Owns the frame of an event that comes again and again: what stands in it, byte for byte, and the blanks between, where
// each event has something else. It was parsed and accepted once; whoever finds it again has found the same event, with
// another text in the one blank and with what means nothing in the others.
import { isDigit } from '../../detect/characters.ts'
import { applyEdits, type Edit } from '../../lib/edit.ts'
import { eventName, type SseEvent } from '../../lib/sse.ts'
import type { Delta, Varying } from '../../protocol/protocol.ts'
import { identifierEnd } from '../../protocol/texts.ts'

type Kind = 'text' | Varying['kind'] | 'space'

/** Stands for a blank while the event around it is taken apart; nothing that streams says this. */
const marker = (kind: Kind): string => `gatewright:${kind}:5b1e1f0c`
const markers = /gatewright:(text|padding|number):5b1e1f0c/

/** Of an event, or of a line of JSON, which has none. */
const lineHead = new RegExp(String.raw`^(?:(?:event: ?(?:${eventName})?(?:\r\n|\r|\n))?data: ?)?$`)
/** A CR alone could be half of a line end. */
const lineEnds = /^[\r\n]*\n$/

/** JSON means the same with more of it; Anthropic makes its events alike in length so. */
const spaceAtEnd = / +(?=\}$)/

/** So that any reader takes it for the same number. */
const figuresMax = 15

export class EventTemplate {
  /** What stands before, between and behind the blanks. */
  readonly #first: string
  readonly #between: readonly string[]
  readonly #last: string
  readonly #kinds: readonly Kind[]
  /** Where two such events follow one another. */
  readonly #joint: string
  /** Of the event that was found last: where its text stands, as it is written, and its number. */
  textFrom = 0
  textTo = 0
  hasEscape = false
  numberFrom = 0
  numberTo = 0
  /** Another one follows it, as far as its first blank. */
  goesOn = false

  private constructor(parts: readonly string[], kinds: readonly Kind[]) {
    const flatParts = parts.map(flat)
    this.#first = flatParts[0] ?? ''
    this.#between = flatParts.slice(1, -1)
    this.#last = flatParts.at(-1) ?? ''
    this.#kinds = kinds
    this.#joint = flat(this.#last + this.#first)
  }

  /** Undefined where the event is written in a way that is not known here (data over several lines, comments, odd names). */
  static of({ raw, data }: SseEvent, { address }: Delta, varying: readonly Varying[]): EventTemplate | undefined {
    const at = raw.indexOf(data)
    if (at === -1 || data === '') return undefined
    // The data may stand in a comment as well: what is not the one data line would go out unread.
    if (!lineHead.test(raw.slice(0, at)) || !lineEnds.test(raw.slice(at + data.length))) return undefined
    const blanks = varying.map((one): Edit =>
      one.kind === 'number'
        ? { address: one.address, json: marker('number') }
        : { address: one.address, text: marker('padding') },
    )
    const marked = applyEdits(data, [{ address, text: marker('text') }, ...blanks]).split(markers)
    const parts = marked.filter((_, index) => index % 2 === 0)
    const kinds = marked.filter((_, index) => index % 2 === 1) as Kind[]
    if (kinds.length !== 1 + varying.length) return undefined
    const last = parts.pop() ?? ''
    const closing = last.search(spaceAtEnd)
    if (closing !== -1) {
      kinds.push('space')
      parts.push(last.slice(0, closing))
    }
    parts[0] = raw.slice(0, at) + (parts[0] ?? '')
    parts.push((closing === -1 ? last : '}') + raw.slice(at + data.length))
    return new EventTemplate(parts, kinds)
  }

  /** Whether such an event may begin at `from`: up to its first blank it does. */
  begins(source: string, from: number): boolean {
    // Slices compare eight bytes at a time; `startsWith` compares one.
    return source.slice(from, from + this.#first.length) === this.#first
  }

  /** Where the event ends that begins at `start`, up to its first blank, as is known; -1 where it is another one. */
  endIn(source: string, start: number): number {
    const last = this.#lastBlankEnd(source, start + this.#first.length)
    if (last === -1) return -1
    const joint = this.#joint
    const end = last + this.#last.length
    if (source.slice(last, last + joint.length) === joint) {
      this.goesOn = true
      return end
    }
    this.goesOn = false
    return source.slice(last, end) === this.#last ? end : -1
  }

  #lastBlankEnd(source: string, from: number): number {
    const kinds = this.#kinds
    let at = from
    for (let n = 0; ; n++) {
      const end = this.#blankEnd(kinds[n] as Kind, source, at)
      if (end === -1 || n === kinds.length - 1) return end
      const part = this.#between[n] as string
      if (source.slice(end, end + part.length) !== part) return -1
      at = end + part.length
    }
  }

  #blankEnd(kind: Kind, source: string, from: number): number {
    // What would not have been looked into either.
    if (kind === 'padding') return identifierEnd(source, from)
    if (kind === 'space') return spaceEnd(source, from)
    if (kind === 'number') {
      this.numberFrom = from
      return (this.numberTo = figuresEnd(source, from))
    }
    this.textFrom = from
    this.textTo = stringEnd(source, from)
    this.hasEscape = hasEscape
    return this.textTo
  }
}

/** Whether the string whose end was looked for last has escapes. */
let hasEscape = false

/** The index of the quote that ends the string which begins at `from`, or -1 where none does (RFC 8259 §7). */
function stringEnd(source: string, from: number): number {
  hasEscape = false
  for (let at = from; at < source.length; at++) {
    const code = source.charCodeAt(at)
    if (code === quote) return at
    if (code < space) return -1
    if (code !== backslash) continue
    hasEscape = true
    at++
  }
  return -1
}

const quote = 34
const backslash = 92
const space = 32

function spaceEnd(source: string, from: number): number {
  let at = from
  while (source.charCodeAt(at) === space) at++
  return at
}

/** As JSON has whole numbers (RFC 8259 §6). */
function figuresEnd(source: string, from: number): number {
  let at = from
  while (at <= from + figuresMax && isDigit(source.charCodeAt(at))) at++
  const count = at - from
  const hasZero = count > 1 && source.charCodeAt(from) === 48
  return count === 0 || count > figuresMax || hasZero ? -1 : at
}

/** A string of one piece: comparing against one that was put together costs more than twice as much, at every event. */
function flat(text: string): string {
  return Buffer.from(text).toString()
}
