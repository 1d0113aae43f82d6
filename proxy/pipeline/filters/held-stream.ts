// Owns holding a stream until it is over, so that external detectors can be asked about what it says as a whole: each
// channel's text, the texts in the arguments of its calls, and what its events say by themselves.
import { Fault } from '../../errors.ts'
import { framings, leftOver } from '../../lib/framing.ts'
import { innerLimits, parseJsonText, type Json } from '../../lib/json.ts'
import type { StreamReader } from '../../protocol/protocol.ts'
import type { Answered } from '../exchange.ts'
import type { Runtime } from '../runtime.ts'
import { readPlain } from './plain.ts'

/** The same bytes, once the detectors have been asked. Fault `answer-too-large`, `detector-unavailable`. */
export async function* heldStream(
  x: Answered,
  runtime: Runtime,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > runtime.limits.bodyBytesMax) throw new Fault('answer-too-large')
    chunks.push(chunk)
  }
  await x.inquiry?.ask('answer', textsOf(x, runtime, chunks))
  yield* chunks
}

/** What cannot be read ends the reading: the filter that comes next says so to the client. */
function textsOf(x: Answered, runtime: Runtime, chunks: readonly Uint8Array[]): string[] {
  const reader = x.operation.openStream?.()
  const framing = framings[x.operation.framing ?? 'sse']
  const decoder = framing.open({ eventBytesMax: runtime.limits.eventBytesMax })
  const heard = new Heard()
  if (reader === undefined) return heard.texts
  const add = (raw: string): boolean => {
    const event = framing.parse(raw)
    if (event.comment) return true
    const step = reader.read(event)
    if (step.ok) heard.add(step)
    return step.ok
  }
  for (const chunk of chunks) {
    const { blocks, error } = decoder.split(chunk)
    if (!blocks.every(add) || error !== undefined) return heard.finish()
  }
  const last = leftOver(decoder, framing)
  if (last) add(last)
  return heard.finish()
}

type Step = Extract<ReturnType<StreamReader['read']>, { ok: true }>

class Heard {
  readonly texts: string[] = []
  readonly #channels = new Map<string, string>()

  add({ deltas, parts, calls, ends, terminal }: Step): void {
    for (const { channel, text } of deltas) this.#channels.set(channel, (this.#channels.get(channel) ?? '') + text)
    for (const { text } of parts) this.texts.push(text)
    for (const { args } of calls) if (args !== undefined) this.#addJson(args, JSON.stringify(args))
    for (const channel of terminal ? [...this.#channels.keys()] : ends) this.#end(channel)
  }

  finish(): string[] {
    for (const channel of this.#channels.keys()) this.#end(channel)
    return this.texts
  }

  #end(channel: string): void {
    const text = this.#channels.get(channel)
    this.#channels.delete(channel)
    if (text === undefined) return
    this.texts.push(text)
    const parsed = /^\s*[[{]/.test(text) ? parseJsonText(text, innerLimits) : undefined
    if (parsed?.ok === true) this.#addJson(parsed.value, parsed.text)
  }

  #addJson(value: Json, text: string): void {
    const reading = readPlain(value, text)
    if (reading.ok) for (const part of reading.content.parts) this.texts.push(part.text)
  }
}
