// Owns the shortcut through a stream: most of its events are the one before with another text in the same place. Such an
// event needs no parsing: what surrounds the text was parsed and accepted once, byte for byte, and the text itself is
// known to be one JSON string.
import { applyEdits } from '../../lib/edit.ts'
import type { SseEvent } from '../../lib/sse.ts'
import type { Delta } from '../../protocol/protocol.ts'

/** Stands for the text while the event around it is cut in two; nothing that streams says this. */
const marker = 'gatewright:text:5b1e1f0c'
/** Nothing in here ends the string, needs unescaping, or is forbidden in it (RFC 8259 §7). */
const plainText = /^[^"\\\u0000-\u001f]*$/ // oxlint-disable-line no-control-regex -- control characters are what it excludes

const lineHead = /^(?:event:[^\r\n]*(?:\r\n|\r|\n))?data: ?$/
const lineEnds = /^[\r\n]+$/

export class RepeatedEvent {
  readonly channel: string
  readonly #before: string
  readonly #after: string

  private constructor(channel: string, before: string, after: string) {
    this.channel = channel
    this.#before = flat(before)
    this.#after = flat(after)
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

  /** The texts of the events from `first` on, as long as they differ in nothing else. */
  textsIn(raws: readonly string[], first: number): string[] {
    const texts: string[] = []
    for (let at = first; at < raws.length; at++) {
      const text = this.#textIn(raws[at] as string)
      if (text === undefined) break
      texts.push(text)
    }
    return texts
  }

  /**
   * The events from `first` on with `released` spread over them. `texts` are their own: where nothing was changed, each
   * keeps what it had, but for the first, which also takes the `heldBefore` units from before it, and for the last.
   */
  spread(
    raws: readonly string[],
    first: number,
    texts: readonly string[],
    released: string,
    heldBefore: number,
  ): string {
    let out = ''
    let from = 0
    let room = heldBefore
    for (const [index, own] of texts.entries()) {
      room += own.length
      const to = index === texts.length - 1 ? released.length : endOfCharacter(released, room)
      const text = released.slice(from, to)
      out += text === own ? (raws[first + index] as string) : this.withText(text)
      from = to
    }
    return out
  }

  withText(text: string): string {
    return this.#before + JSON.stringify(text.toWellFormed()).slice(1, -1) + this.#after
  }

  #textIn(raw: string): string | undefined {
    const start = this.#before.length
    const end = raw.length - this.#after.length
    // Slices compare eight bytes at a time; `startsWith` and `endsWith` compare one.
    if (end < start || raw.slice(0, start) !== this.#before || raw.slice(end) !== this.#after) return undefined
    const inside = raw.slice(start, end)
    return plainText.test(inside) ? inside : unescaped(inside)
  }
}

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
