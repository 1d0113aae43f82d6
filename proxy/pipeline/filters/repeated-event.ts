// Owns the shortcut through a stream: most of its events are the one before with another text in the same place. Such an
// event needs no parsing, and where its text is not changed, no writing either.
import type { SseEvent } from '../../lib/sse.ts'
import type { Delta, Varying } from '../../protocol/protocol.ts'
import { EventTemplate } from './event-template.ts'

/** What no string may hold as it is (RFC 8259 §7), and what may be half of a character. */
const mustEscape = /["\\\u0000-\u001f\ud800-\udfff]/ // oxlint-disable-line no-control-regex -- they are what it looks for

/**
 * Events that follow one another in `source`. Of each: where it ends there, where in it its text is written, and where that
 * ends in `text`.
 */
export type Run = {
  readonly source: string
  readonly start: number
  readonly ends: readonly number[]
  readonly froms: readonly number[]
  readonly tos: readonly number[]
  readonly text: string
  readonly textEnds: readonly number[]
  /** Of the last event, where the events are numbered. */
  readonly number: number | undefined
}

export class RepeatedEvent {
  readonly channel: string
  readonly #template: EventTemplate
  readonly #isNumbered: boolean

  private constructor(channel: string, template: EventTemplate, isNumbered: boolean) {
    this.channel = channel
    this.#template = template
    this.#isNumbered = isNumbered
  }

  /** Undefined where the event is written in a way that the shortcut does not know. */
  static from(event: SseEvent, delta: Delta, varying: readonly Varying[] = []): RepeatedEvent | undefined {
    const template = EventTemplate.of(event, delta, varying)
    const isNumbered = varying.some(({ kind }) => kind === 'number')
    return template === undefined ? undefined : new RepeatedEvent(delta.channel, template, isNumbered)
  }

  /** Whether the event differs in nothing else. */
  isLike(raw: string): boolean {
    return this.runIn(raw, 0, raw.length)?.ends[0] === raw.length
  }

  /** The events from `from` on that differ in nothing else, and are no longer than `unitsMax`; undefined where the first does. */
  runIn(source: string, from: number, unitsMax: number): Run | undefined {
    const template = this.#template
    if (!template.begins(source, from)) return undefined
    const ends: number[] = []
    const froms: number[] = []
    const tos: number[] = []
    const textEnds: number[] = []
    const texts: string[] = []
    let length = 0
    let number: number | undefined
    for (let start = from; ;) {
      const end = template.endIn(source, start)
      if (end === -1 || end - start > unitsMax) break
      const { textFrom, textTo } = template
      const inside = source.slice(textFrom, textTo)
      const own = template.hasEscape ? unescaped(inside) : inside
      if (own === undefined) break
      if (this.#isNumbered) number = Number(source.slice(template.numberFrom, template.numberTo))
      length += own.length
      texts.push(own)
      ends.push(end)
      froms.push(textFrom)
      tos.push(textTo)
      textEnds.push(length)
      if (!template.goesOn) break
      start = end
    }
    return ends.length === 0
      ? undefined
      : { source, start: from, ends, froms, tos, text: texts.join(''), textEnds, number }
  }

  /**
   * The events of a run with `released` spread over them: where nothing was changed, each keeps what it had, but for the
   * first, which also takes the `heldBefore` units from before it, and for the last.
   */
  spread(run: Run, released: string, heldBefore: number): string {
    const { source, start, ends, text, textEnds } = run
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
      out += source.slice(copiedTo, ends[at - 1] ?? start) + this.withText(run, at, piece)
      copiedTo = ends[at] as number
    }
    return out + source.slice(copiedTo, ends[last])
  }

  /** One of the events, saying this. */
  withText({ source, start, ends, froms, tos }: Run, at: number, text: string): string {
    const inside = mustEscape.test(text) ? JSON.stringify(text.toWellFormed()).slice(1, -1) : text
    return source.slice(ends[at - 1] ?? start, froms[at]) + inside + source.slice(tos[at], ends[at])
  }
}

/** Up to where in `own`, from the end of its first event on, `released` goes on in the same words to its end. */
function sharedTo(own: string, firstTo: number, released: string, heldBefore: number): number {
  const rest = released.slice(heldBefore + firstTo)
  return own.slice(firstTo, firstTo + rest.length) === rest ? firstTo + rest.length : firstTo
}

/** `end`, or before it where it would part a surrogate pair. */
function endOfCharacter(text: string, end: number): number {
  if (end >= text.length) return text.length
  return (text.charCodeAt(end - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(end) & 0xfc00) === 0xdc00 ? end - 1 : end
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
