// Owns the asking of external detectors about an answer, before it is filtered: about every text of a document or of a
// message. Of a model's stream nothing is whole before it is over: it is held, passed by or refused.
import { parseJsonText } from '../../lib/json.ts'
import type { Reading } from '../../protocol/protocol.ts'
import { readCarried } from '../carried-json.ts'
import { noteUninspected, type Answered } from '../exchange.ts'
import { headerTexts } from '../header-redaction.ts'
import { holdsStreams, noteOpening } from '../inquiry.ts'
import type { Runtime } from '../runtime.ts'
import { refuseConversation, refuseStream } from '../stages/consult.ts'
import type { MediaKind } from '../stages/decode.ts'
import { heldStream } from './held-stream.ts'
import { readPlain } from './plain.ts'

const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })

/** Whether any detector is to be asked about this answer. */
export function consultsAnswer(x: Answered): boolean {
  return x.inquiry?.asks('answer') === true
}

/** What cannot be read is left to whoever reads it next: it is refused there, or passes as uninspected. */
export async function consultDocument(
  x: Answered,
  runtime: Runtime,
  kind: MediaKind,
  bytes: Uint8Array,
): Promise<void> {
  const text = decoder.decode(bytes)
  if (kind === 'json') await consultJson(x, runtime, text)
  else if (kind === 'text' || kind === 'xml' || kind === 'html') await x.inquiry?.ask('answer', [text])
  else if (kind === 'form' || kind === 'ndjson') {
    const carried = readCarried(kind, bytes, runtime)
    if (carried.ok) await consultJson(x, runtime, carried.text)
  }
}

export async function consultJson(x: Answered, runtime: Runtime, text: string): Promise<void> {
  const { jsonDepthMax, jsonKeysMax } = runtime.limits
  const parsed = parseJsonText(text, { depthMax: jsonDepthMax, keysMax: jsonKeysMax })
  if (!parsed.ok) return
  const isError = x.answer.status >= 400
  const reading = isError ? readPlain(parsed.value, parsed.text) : x.operation.readAnswer(parsed.value, parsed.text)
  await x.inquiry?.ask('answer', textsOf(reading))
}

/** Rules look into the arguments of calls by themselves. */
function textsOf(reading: Reading): string[] {
  if (!reading.ok) return []
  const { parts, toolCalls } = reading.content
  const called = toolCalls.flatMap(({ args }) => {
    const read = args === undefined ? undefined : readPlain(args, JSON.stringify(args))
    return read?.ok === true ? read.content.parts : []
  })
  return [...parts, ...called].map(({ text }) => text)
}

export async function consultHeaders(x: Answered): Promise<void> {
  if (x.route.answer.headers !== undefined) await x.inquiry?.ask('answer', headerTexts(x.answer.headers))
}

/**
 * Of a model's stream that detectors are asked about: its bytes, once they are all there. Undefined: they go through the filter
 * as they come. Fault `operation-unsupported` where a detector may not be passed by; one that is passed by is an opening.
 */
export function heldBody(
  x: Answered,
  runtime: Runtime,
  open: () => AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> | undefined {
  const { inquirers } = x.route.answer
  if (inquirers.length === 0) return undefined
  refuseStream(x.route)
  if (holdsStreams(inquirers)) return heldStream(x, runtime, open())
  notePassed(x, runtime)
  return undefined
}

/** A conversation has no end to wait for. */
export function passConversation(x: Answered, runtime: Runtime): void {
  refuseConversation(x.route)
  notePassed(x, runtime)
}

function notePassed(x: Answered, runtime: Runtime): void {
  for (const { external } of x.route.answer.inquirers) {
    noteOpening(x, runtime, external.id)
    noteUninspected(x.trace, `answer:detector:${external.id}`)
  }
}
