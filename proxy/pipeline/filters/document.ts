// Owns the filter for answers that are known whole: JSON, or a text.
import { Fault } from '../../errors.ts'
import { applyEdits, type Edit } from '../../lib/edit.ts'
import { parseJson, type Json } from '../../lib/json.ts'
import type { Content } from '../../protocol/content.ts'
import type { Reading } from '../../protocol/protocol.ts'
import type { Answered } from '../exchange.ts'
import type { Runtime } from '../runtime.ts'
import { AnswerRedaction } from './answer-redaction.ts'
import { readPlain } from './plain.ts'
import { judgeCall } from './tool-calls.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** `must`: an answer that cannot be read is a fault; otherwise it is relayed and recorded as not inspected. */
export function filterDocument(
  x: Answered,
  runtime: Runtime,
  kind: 'json' | 'text' | 'event-stream' | 'other',
  bytes: Uint8Array,
  must: boolean,
): Uint8Array {
  if (kind === 'json') return filterJson(x, runtime, bytes, must)
  // A model's answer that calls itself text would get past whoever judges its tool calls.
  if (kind === 'text' && x.operation.action === 'model.call' && x.answer.status < 400)
    return unread(x, bytes, must, 'a model answers in JSON')
  if (kind === 'other') return unread(x, bytes, must, 'its content type cannot be inspected')
  const redaction = new AnswerRedaction(x, runtime)
  try {
    const text = decoder.decode(bytes)
    const filtered = redaction.whole(text)
    return filtered === text ? bytes : Buffer.from(filtered)
  } catch (error) {
    if (error instanceof Fault) throw error
    return unread(x, bytes, must, 'it is not valid UTF-8')
  }
}

function filterJson(x: Answered, runtime: Runtime, bytes: Uint8Array, must: boolean): Uint8Array {
  const parsed = parseJson(bytes, { depthMax: runtime.limits.jsonDepthMax, keysMax: runtime.limits.jsonKeysMax })
  if (!parsed.ok) return unread(x, bytes, must, parsed.message)
  const reading = read(x, parsed.value, parsed.text)
  if (!reading.ok) return unread(x, bytes, must, reading.message)
  const { content } = reading
  if (content.usage !== undefined) x.trace.usage = content.usage
  const redaction = new AnswerRedaction(x, runtime)
  for (const what of content.uninspected) redaction.unread(what)
  for (const call of content.toolCalls) judgeCall(x, runtime, call)
  const edits = editsOf(redaction, content)
  return edits.length === 0 ? bytes : Buffer.from(applyEdits(parsed.text, edits))
}

/** An error answer has the upstream's own shape: it is read as plain JSON, every text in it. */
function read(x: Answered, value: Json, text: string): Reading {
  return x.answer.status < 400 ? x.operation.readAnswer(value, text) : readPlain(value, text)
}

/** The edits for JSON of no particular format, such as the arguments of a tool call. */
export function documentEdits(redaction: AnswerRedaction, value: Json, text: string): Edit[] {
  const reading = readPlain(value, text)
  return reading.ok ? editsOf(redaction, reading.content) : []
}

function editsOf(redaction: AnswerRedaction, content: Content): Edit[] {
  const edits: Edit[] = []
  if (!redaction.changes) return edits
  for (const part of content.parts) {
    const text = redaction.whole(part.text, part.address)
    if (text !== part.text) edits.push({ address: part.address, text })
  }
  return edits
}

function unread(x: Answered, bytes: Uint8Array, must: boolean, why: string): Uint8Array {
  if (must) throw new Fault('upstream-invalid', `The answer must be inspected and cannot be: ${why}.`)
  x.trace.uninspected.add('answer:body')
  return bytes
}
