// Owns the shortcut through a stream: most of its events are the one before with another text in the same place. Such an
// event needs no parsing: what surrounds the text was parsed and accepted once, byte for byte, and the text itself is
// known to be one JSON string.
import { applyEdits } from '../../lib/edit.ts'
import type { SseEvent } from '../../lib/sse.ts'
import type { Delta } from '../../protocol/protocol.ts'

/** Stands for the text while the event around it is cut in two; nothing that streams says this. */
const marker = 'gatewright:text:5b1e1f0c'
/** What no string may hold as it is (RFC 8259 §7), and what may be half of a character. */
const mustEscape = /["\\\u0000-\u001f\ud800-\udfff]/ // oxlint-disable-line no-control-regex -- they are what it looks for

const lineHead = /^(?:event:[^\r\n]*(?:\r\n|\r|\n))?data: ?$/
/** A CR alone could be half of a line end. */
const lineEnds = /^[\r\n]*\n$/

/** Events that follow one another in `source`. Of each: where it ends there, and where its own text ends in `text`. */
export type Run = {
  readonly source: string
  readonly start: number
  readonly ends: readonly number[]
  readonly text: string
  readonly textEnds: readonly number[]
}

export class RepeatedEvent {
  readonly channel: string
  readonly #before: string
  readonly #after: string
  /** What stands between the texts of two such events. */
  readonly #between: string

  private constructor(channel: string, before: string, after: string) {
    this.channel = channel
    this.#before = flat(before)
    this.#after = flat(after)
    this.#between = flat(after + before)
  }

  /** Undefined where the event is written in a way that the shortcut does not know (data over several lines, comments). */
  static from(event: SseEvent, { channel, address }: Delta): RepeatedEvent | undefined {
    const at = event.raw.indexOf(event.data)
    if (at === -1 || event.data === '') return undefined
    // The data may stand in a comment as well: what is not the one data line would go out unread.
    if (!lineHead.test(event.raw.slice(0, at)) || !lineEnds.test(event.raw.slice(at + event.data.length)))
      return undefined
    const [before, after, ...more] = applyEdits(event.data, [{ address, text: marker }]).split(marker)
    if (before === undefined || after === undefined || more.length > 0) return undefined
    return new RepeatedEvent(channel, event.raw.slice(0, at) + before, after + event.raw.slice(at + event.data.length))
  }

  /** The events from `from` on that differ in nothing else, and are no longer than `unitsMax`; undefined where the first does. */
  runIn(source: string, from: number, unitsMax: number): Run | undefined {
    const before = this.#before
    const after = this.#after
    const between = this.#between
    // Slices compare eight bytes at a time; `startsWith` compares one.
    if (source.slice(from, from + before.length) !== before) return undefined
    const ends: number[] = []
    const textEnds: number[] = []
    const texts: string[] = []
    let length = 0
    for (let start = from + before.length; ;) {
      const end = stringEnd(source, start)
      const goesOn = end !== -1 && source.slice(end, end + between.length) === between
      if (!goesOn && (end === -1 || source.slice(end, end + after.length) !== after)) break
      const inside = source.slice(start, end)
      const own = hasEscape ? unescaped(inside) : inside
      if (own === undefined || before.length + inside.length + after.length > unitsMax) break
      length += own.length
      texts.push(own)
      ends.push(end + after.length)
      textEnds.push(length)
      if (!goesOn) break
      start = end + between.length
    }
    return ends.length === 0 ? undefined : { source, start: from, ends, text: texts.join(''), textEnds }
  }

  /**
   * The events of a run with `released` spread over them: where nothing was changed, each keeps what it had, but for the
   * first, which also takes the `heldBefore` units from before it, and for the last.
   */
  spread({ source, start, ends, text, textEnds }: Run, released: string, heldBefore: number): string {
    const last = ends.length - 1
    const keptTo = sharedTo(text, textEnds[0] as number, released, heldBefore)
    let out = ''
    let copiedTo = start
    let from = 0
    for (let at = 0; at <= last; at++) {
      const ownFrom = textEnds[at - 1] ?? 0
      const ownTo = textEnds[at] as number
      const to = at === last ? released.length : heldBefore + ownTo
      if (ownFrom > 0 && ownTo <= keptTo && from === heldBefore + ownFrom && to === heldBefore + ownTo) {
        from = to
        continue
      }
      const whole = endOfCharacter(released, to)
      const piece = released.slice(from, whole)
      from = whole
      if (piece === text.slice(ownFrom, ownTo)) continue
      out += source.slice(copiedTo, ends[at - 1] ?? start) + this.withText(piece)
      copiedTo = ends[at] as number
    }
    return out + source.slice(copiedTo, ends[last])
  }

  withText(text: string): string {
    const inside = mustEscape.test(text) ? JSON.stringify(text.toWellFormed()).slice(1, -1) : text
    return this.#before + inside + this.#after
  }
}

/** Up to where in `own`, from the end of its first event on, `released` goes on in the same words to its end. */
function sharedTo(own: string, firstTo: number, released: string, heldBefore: number): number {
  const rest = released.slice(heldBefore + firstTo)
  return own.slice(firstTo, firstTo + rest.length) === rest ? firstTo + rest.length : firstTo
}

/** What was found by the last look for the end of a string. */
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

/** `end`, or before it where it would part a surrogate pair. */
function endOfCharacter(text: string, end: number): number {
  if (end >= text.length) return text.length
  return (text.charCodeAt(end - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(end) & 0xfc00) === 0xdc00 ? end - 1 : end
}

/** A string of one piece: comparing against one that was put together costs more than twice as much, at every event. */
function flat(text: string): string {
  return Buffer.from(text).toString()
}

/** What stands between the quotes of one JSON string; undefined when it is more than that. */
function unescaped(inside: string): string | undefined {
  try {
    const text: unknown = JSON.parse(`"${inside}"`)
    return typeof text === 'string' && text.isWellFormed() ? text : undefined
  } catch {
    return undefined
  }
}
