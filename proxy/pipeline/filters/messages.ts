// Owns the filter for answers that are messages (MCP): one as a document, or one an event of a stream. Each is read whole,
// judged, and loses what the caller may not use; then its texts are redacted.
import { Fault } from '../../errors.ts'
import { applyEdits, type Edit } from '../../lib/edit.ts'
import { framings, leftOver } from '../../lib/framing.ts'
import { parseJsonText, type Json } from '../../lib/json.ts'
import { eventName, formatEvent, parseBlock, SseDecoder, type SseEvent } from '../../lib/sse.ts'
import { undecodable } from '../../lib/unfinished-text.ts'
import { decodeUtf8 } from '../../lib/utf8.ts'
import type { Answered } from '../exchange.ts'
import { partEdit } from '../part-edit.ts'
import type { Runtime } from '../runtime.ts'
import { sealId } from '../session.ts'
import type { MediaKind } from '../stages/decode.ts'
import type { AnswerRedaction } from './answer-redaction.ts'
import { consultJson, consultsAnswer } from './consult-answer.ts'
import { filterMessage } from './message.ts'

/** Faults: `upstream-invalid`, `content-blocked`, `answer-denied`, `approval-unserved`. */
export function filterMessageDocument(
  x: Answered,
  runtime: Runtime,
  redaction: AnswerRedaction,
  kind: MediaKind,
  bytes: Uint8Array,
): Uint8Array | string {
  if (kind !== 'json') throw unreadable('it is not JSON')
  const text = decodeUtf8(bytes)
  if (text === undefined) throw unreadable(undecodable['not-utf8'])
  const filtered = filterText(x, runtime, redaction, text, 'document')
  return filtered === undefined || filtered === text ? bytes : filtered
}

/** As clients read it: whatever it says that it is, and not as strictly as we do. */
export function isLikeMessage({ operation }: Answered, bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString()
    .replace(/^\ufeff/, '')
  if (!/^\s*[[{]/.test(text)) return false
  try {
    return operation.isMessageLike?.(JSON.parse(text) as Json) === true
  } catch {
    return false
  }
}

/**
 * The same for an event stream. A server may end one whenever it likes and go on in the next, so no message is the end of
 * it; a client knows by the id whether it has been answered. Fault `upstream-truncated` for half an event.
 */
export async function* filterMessageStream(
  x: Answered,
  runtime: Runtime,
  redaction: AnswerRedaction,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new SseDecoder({ eventBytesMax: runtime.limits.bodyBytesMax })
  const asks = consultsAnswer(x)
  const texts = async function* (blocks: readonly string[]): AsyncGenerator<string> {
    for (const raw of blocks) {
      const event = parseBlock(raw)
      if (asks && !event.comment && event.data !== '') await consultJson(x, runtime, event.data)
      const text = filterEvent(x, runtime, redaction, event)
      if (text !== '') yield text
    }
  }
  for await (const chunk of isStanding(x) ? untilSilent(body) : body) {
    const { blocks, error } = decoder.split(chunk)
    yield* texts(blocks)
    if (error !== undefined) throw unreadable(undecodable[error], error === 'too-large')
  }
  const last = leftOver(decoder, framings.sse)
  if (last === undefined) throw new Fault('upstream-truncated')
  if (last !== '') yield* texts([last])
}

/** A stream that answers nothing: the server says something when it has something to say, or never. */
function isStanding(x: Answered): boolean {
  return x.operation.standing === true || x.asked?.standing === true
}

/** Silence is no fault of such a server, so it ends the stream as the server itself might; the client opens another. */
async function* untilSilent(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'upstream-timeout') throw error
  }
}

function filterEvent(x: Answered, runtime: Runtime, redaction: AnswerRedaction, event: SseEvent): string {
  const said = (event.comment ? '' : event.event) + (event.id ?? '')
  if (otherLineEnds.test(said)) throw unreadable('the name or id of an event is none')
  const id = idOf(x, runtime, redaction, event)
  // A comment is no part of the answer, and nobody looks into it: only its beat goes on, and where and when to resume.
  if (event.comment) {
    const place = retryLine(event.raw) + (id === undefined ? '' : `id: ${id}\n`)
    return place === '' ? ':\n\n' : `${place}\n`
  }
  const filtered = event.data === '' ? '' : filterText(x, runtime, redaction, event.data, 'stream')
  if (filtered === undefined) return ''
  const data = onOneLine(filtered)
  if (id === undefined && data === event.data && knownLines.test(event.raw)) return event.raw
  const name = redaction.eventName(event.event)
  return retryLine(event.raw) + formatEvent(name, data, id)
}

/**
 * Some clients (those of Python's httpx) take these for line ends, too, and what a tool says behind two of them for an event
 * of its own. In JSON they can only stand in strings, where an escape means the same.
 */
const otherLineEnds = /[\u0085\u2028\u2029]|[\v\f\u001c-\u001e]/ // oxlint-disable-line no-control-regex -- it looks for them

function onOneLine(data: string): string {
  if (!otherLineEnds.test(data)) return data
  return data.replaceAll(/[\u0085\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/**
 * A place to resume from is the caller's own. An empty one takes the last one back. It comes back in a header, where the server
 * must find the token that it wrote, not what that stands for.
 */
function idOf(x: Answered, runtime: Runtime, redaction: AnswerRedaction, { id }: SseEvent): string | undefined {
  if (id === undefined || id === '') return id
  return sealId(x, 'event', redaction.unrestored(id), runtime)
}

/** How long to wait before resuming, in milliseconds. */
function retryLine(raw: string): string {
  const waitMs = /(?:^|[\r\n])retry: ?(\d{1,9})(?=[\r\n])/.exec(raw)?.[1]
  return waitMs === undefined ? '' : `retry: ${waitMs}\n`
}

/** Nothing but data, names and the time to wait: whatever else is between them is read by nobody here. */
const knownLines = new RegExp(
  String.raw`^(?:(?:data:[^\r\n]*|event: ?(?:${eventName})?|retry: ?\d{1,9})(?:\r\n|\r|\n))*[\r\n]*$`,
)

/** Undefined: the message is not for the client. */
function filterText(
  x: Answered,
  runtime: Runtime,
  redaction: AnswerRedaction,
  text: string,
  place: 'stream' | 'document',
): string | undefined {
  const { jsonDepthMax, jsonKeysMax } = runtime.limits
  const parsed = parseJsonText(text, { depthMax: jsonDepthMax, keysMax: jsonKeysMax })
  if (!parsed.ok) throw unreadable(parsed.message)
  const reading = x.operation.readAnswer(parsed.value, parsed.text)
  if (!reading.ok) throw unreadable(reading.message)
  const { content } = reading
  for (const what of content.uninspected) redaction.unread(what)
  const removed = filterMessage(x, runtime, content, place)
  if (removed === undefined) return undefined
  const edits: Edit[] = [...removed]
  if (redaction.changes) {
    for (const part of content.parts) {
      const replaced = part.echoed
        ? redaction.unrestored(part.text, part.address, part.form)
        : redaction.whole(part.text, part.address, undefined, part.form)
      if (replaced !== part.text) edits.push(partEdit(part, replaced))
    }
  }
  return applyEdits(text, edits)
}

function unreadable(why: string, isTooLarge = false): Fault {
  const code = isTooLarge ? 'answer-too-large' : 'upstream-invalid'
  return new Fault(code, `The answer must be inspected and cannot be: ${why.replace(/\.$/, '')}.`)
}
