// Owns the filter for answers that are known whole: JSON, or a text.
import type { RestorePlace } from '../../detect/options.ts'
import { Fault } from '../../errors.ts'
import { applyEdits, type Edit } from '../../lib/edit.ts'
import { parseJson, parseJsonText, type Json } from '../../lib/json.ts'
import type { Content, ToolCall } from '../../protocol/content.ts'
import { givesModelAnswer, type Reading, type RefusedCall } from '../../protocol/protocol.ts'
import { decodeUtf8 } from '../../lib/utf8.ts'
import { readCarried } from '../carried-json.ts'
import { noteUninspected, noteUsage, type Answered } from '../exchange.ts'
import { partEdit } from '../part-edit.ts'
import type { Runtime } from '../runtime.ts'
import { flawOf, type MediaKind } from '../stages/decode.ts'
import { AnswerRedaction } from './answer-redaction.ts'
import { readPlain } from './plain.ts'
import { judgeCall, stopAtCall } from './tool-calls.ts'

/** `must`: an answer that cannot be read is a fault; otherwise it is relayed and recorded as not inspected. */
export function filterDocument(
  x: Answered,
  runtime: Runtime,
  kind: MediaKind,
  bytes: Uint8Array,
  must: boolean,
): Uint8Array | string {
  if (kind === 'json') return filterJson(x, runtime, bytes, must)
  const why = whyUnreadable(x, kind)
  if (why !== undefined) return unread(x, bytes, must, why, kind)
  if (kind === 'form' || kind === 'ndjson') return filterCarried(x, runtime, kind, bytes, must)
  return filterText(x, runtime, kind, bytes, must)
}

function filterText(
  x: Answered,
  runtime: Runtime,
  kind: MediaKind,
  bytes: Uint8Array,
  must: boolean,
): Uint8Array | string {
  const text = decodeUtf8(bytes)
  if (text === undefined) return unread(x, bytes, must, 'it is not valid UTF-8')
  const flaw = flawOf(kind, text)
  if (flaw !== undefined) return unread(x, bytes, must, flaw)
  const redaction = new AnswerRedaction(x, runtime)
  const filtered = kind === 'xml' || kind === 'html' ? redaction.wholeMarkup(text, kind) : redaction.whole(text)
  return filtered === text ? bytes : filtered
}

function filterCarried(
  x: Answered,
  runtime: Runtime,
  kind: 'form' | 'ndjson',
  bytes: Uint8Array,
  must: boolean,
): Uint8Array | string {
  const carried = readCarried(kind, bytes, runtime)
  if (!carried.ok) return unread(x, bytes, must, carried.message, kind)
  const filtered = filterRead(x, runtime, carried, bytes, must)
  return typeof filtered === 'string' ? carried.write(filtered) : filtered
}

/**
 * Undefined: content of that kind can be read. A stream is no document: where its operation has no reader for it, its
 * events would be read as one text, and what is split over two of them by nobody.
 */
export function whyUnreadable(x: Answered, kind: MediaKind): string | undefined {
  if (kind === 'json') return undefined
  // A model's answer that calls itself text, or a stream where there is none, would get past whoever judges its calls.
  if (kind !== 'other' && givesModelAnswer(x.operation) && x.answer.status < 400) return 'a model answers in JSON'
  return kind === 'event-stream' || kind === 'other' ? 'its content type cannot be inspected' : undefined
}

function filterJson(x: Answered, runtime: Runtime, bytes: Uint8Array, must: boolean): Uint8Array | string {
  const parsed = parseJson(bytes, jsonLimits(runtime))
  return parsed.ok ? filterRead(x, runtime, parsed, bytes, must) : unread(x, bytes, must, parsed.message)
}

function filterRead(
  x: Answered,
  runtime: Runtime,
  parsed: { readonly value: Json; readonly text: string },
  bytes: Uint8Array,
  must: boolean,
): Uint8Array | string {
  const reading = read(x, parsed.value, parsed.text)
  if (!reading.ok) return unread(x, bytes, must, reading.message)
  const { content } = reading
  if (content.usage !== undefined) noteUsage(x.trace, content.usage)
  if (x.trace.usage?.output === undefined)
    for (const { text } of content.parts) x.trace.answerTextBytes += Buffer.byteLength(text)
  const redaction = new AnswerRedaction(x, runtime)
  for (const what of content.uninspected) redaction.unread(what)
  const refused = judgeCalls(x, runtime, content.toolCalls)
  if (refused.length > 0) return withoutCalls(x, runtime, redaction, parsed, refused)
  const edits = editsOf(redaction, content)
  return edits.length === 0 ? bytes : applyEdits(parsed.text, edits)
}

/** Those that are denied. Fault `answer-denied` or `approval-unserved` where the format cannot do without one. */
function judgeCalls(x: Answered, runtime: Runtime, calls: readonly ToolCall[]): RefusedCall[] {
  const refused: RefusedCall[] = []
  for (const call of calls) {
    const denied = judgeCall(x, runtime, call)
    if (denied === undefined) continue
    if (x.operation.refuseCalls === undefined) stopAtCall(x, denied)
    refused.push({ call, text: denied.text })
  }
  return refused
}

/** What takes the place of the calls is read and redacted like the rest: it names tools as the model did. */
function withoutCalls(
  x: Answered,
  runtime: Runtime,
  redaction: AnswerRedaction,
  answer: { readonly value: Json; readonly text: string },
  refused: readonly RefusedCall[],
): string {
  const edited = applyEdits(answer.text, x.operation.refuseCalls?.(answer.value, refused) ?? [])
  const parsed = parseJsonText(edited, jsonLimits(runtime))
  const reading = parsed.ok ? read(x, parsed.value, parsed.text) : parsed
  if (!reading.ok) throw new Fault('answer-denied', `The answer holds a denied tool call: ${reading.message}`)
  return applyEdits(edited, editsOf(redaction, reading.content))
}

function jsonLimits({ limits }: Runtime): { readonly depthMax: number; readonly keysMax: number } {
  return { depthMax: limits.jsonDepthMax, keysMax: limits.jsonKeysMax }
}

/** An error answer has the upstream's own shape: it is read as plain JSON, every text in it. */
function read(x: Answered, value: Json, text: string): Reading {
  return x.answer.status < 400 ? x.operation.readAnswer(value, text) : readPlain(value, text)
}

/** The edits for the arguments of a tool call. */
export function documentEdits(redaction: AnswerRedaction, value: Json, text: string): Edit[] {
  const reading = readPlain(value, text)
  return reading.ok ? editsOf(redaction, reading.content, 'tool.args') : []
}

function editsOf(redaction: AnswerRedaction, content: Content, place?: RestorePlace): Edit[] {
  const edits: Edit[] = []
  if (!redaction.changes) return edits
  for (const part of content.parts) {
    const text = redaction.whole(part.text, part.address, place, part.form)
    if (text !== part.text) edits.push(partEdit(part, text))
  }
  return edits
}

function unread(x: Answered, bytes: Uint8Array, must: boolean, why: string, kind: MediaKind = 'json'): Uint8Array {
  if (must)
    throw new Fault('upstream-invalid', `The answer must be inspected and cannot be: ${why.replace(/\.$/, '')}.`)
  noteUnread(x, kind)
  return bytes
}

export function noteUnread(x: Answered, kind: MediaKind): void {
  noteUninspected(x.trace, kind === 'event-stream' || kind === 'ndjson' ? 'answer:stream' : 'answer:body')
}
