// Owns the way back: which of the answer's forms it is, and which filters it goes through. An answer that must be read
// and cannot be is refused; one that need not be read is relayed as it comes.
import { Fault } from '../../errors.ts'
import { gather } from '../../lib/gather.ts'
import { headerValue } from '../../lib/headers.ts'
import { givesModelAnswer } from '../../protocol/protocol.ts'
import { clearBody, mayHideCredential } from '../answer-body.ts'
import { passedHeaders } from '../answer-headers.ts'
import type { Client } from '../client.ts'
import { grow, type Answered } from '../exchange.ts'
import { AnswerRedaction, changesAnswer, mustChangeAnswer } from '../filters/answer-redaction.ts'
import {
  consultDocument,
  consultHeaders,
  consultsAnswer,
  heldBody,
  passConversation,
} from '../filters/consult-answer.ts'
import { filterDocument, noteUnread, whyUnreadable } from '../filters/document.ts'
import { filterMessageDocument, filterMessageStream, isLikeMessage } from '../filters/messages.ts'
import { ByteFilter } from '../filters/stream.ts'
import { decisionHeaders } from '../headers.ts'
import { letGo } from '../let-go.ts'
import { withLimits } from '../limit-headers.ts'
import { relayPeers } from '../relay.ts'
import type { Runtime } from '../runtime.ts'
import { isConversation } from '../sockets.ts'
import { relayStream } from '../stream-relay.ts'
import { mediaTypeOf, type MediaKind } from './decode.ts'

/** Nothing on the way to a stream's own loop is async: what waits there costs half a kilobyte as long as nothing is said. */
export function deliver(x: Answered, runtime: Runtime, client: Client): Promise<void> {
  x.trace.status = x.answer.status
  if (!consultsAnswer(x)) return deliverAs(x, runtime, client)
  return consultHeaders(x).then(() => deliverAs(x, runtime, client))
}

function deliverAs(x: Answered, runtime: Runtime, client: Client): Promise<void> {
  const { peer } = x.answer
  if (peer === undefined) return formOf(x)(x, runtime, client).then(() => arrive(x, runtime, client))
  if (isConversation(x.operation) && consultsAnswer(x)) passConversation(x, runtime)
  return relayPeers(x, runtime, client, peer)
}

type Form = (x: Answered, runtime: Runtime, client: Client) => Promise<void>

function formOf(x: Answered): Form {
  const { operation } = x
  if (hasNoBody(x)) return deliverHead
  if ((operation.openStream !== undefined || operation.action === 'asked') && isEventStream(x))
    return operation.action === 'asked' ? deliverMessages : deliverStream
  if (operation.lines !== undefined && kindOf(x) === 'ndjson' && mayRead(x)) return deliverLines
  if (passesUnread(x)) return relay
  return mayRead(x) || givesModelAnswer(operation) || operation.action === 'asked' ? deliverWhole : relay
}

/** An answer is complete when the client has it, not when it was handed over. One that is broken off never is. */
function arrive(x: Answered, runtime: Runtime, client: Client): Promise<void> | undefined {
  const taken = x.trace.end === 'broken-off' ? undefined : client.flushed()
  if (taken !== undefined) return new Waiting(x, runtime).while(taken).then(() => complete(x))
  complete(x)
  return undefined
}

function complete({ trace }: Answered): void {
  trace.end ??= 'complete'
}

/** RFC 9110 §9.3.2, §15.3.5, §15.4.5: these never carry content, whatever their Content-Length says. */
function hasNoBody(x: Answered): boolean {
  return x.head.method === 'HEAD' || x.answer.status === 204 || x.answer.status === 304
}

function isEventStream(x: Answered): boolean {
  return kindOf(x) === (x.operation.framing === 'ndjson' ? 'ndjson' : 'event-stream')
}

function kindOf(x: Answered): MediaKind {
  return mediaTypeOf(headerValue(x.answer.headers, 'content-type'))
}

/** As it comes, so that a stream that nobody reads is a stream all the same. */
function passesUnread(x: Answered): boolean {
  return (x.route.posture === 'opaque' || isWatched(x)) && whyUnreadable(x, kindOf(x)) !== undefined
}

/** Values in it are at most counted. What a model answers says what was used. */
function isWatched(x: Answered): boolean {
  return !mustChangeAnswer(x) && !givesModelAnswer(x.operation) && x.operation.action !== 'asked'
}

/** Otherwise what can be read is read all the same, and what cannot is let pass. */
function mustRead(x: Answered): boolean {
  return mustChangeAnswer(x) || isJudged(x)
}

function mayRead(x: Answered): boolean {
  return changesAnswer(x) || isJudged(x)
}

/** Calls that a model makes in it are judged. */
function isJudged(x: Answered): boolean {
  return x.route.needs.answer && givesModelAnswer(x.operation)
}

async function deliverHead(x: Answered, runtime: Runtime, client: Client): Promise<void> {
  client.start(x.answer.status, answerHeaders(x, runtime, 'as-is'))
  client.end()
}

function deliverLines(x: Answered, runtime: Runtime, client: Client): Promise<void> {
  return deliverStream(grow(x, { operation: { ...x.operation, ...x.operation.lines } }), runtime, client)
}

function deliverStream(x: Answered, runtime: Runtime, client: Client): Promise<void> {
  refuseEncoded(x)
  const { body } = x.answer
  const held = heldBody(x, runtime, () => new Waiting(x, runtime).on(body))
  startStream(x, runtime, client)
  const filter = new ByteFilter(x, runtime, new AnswerRedaction(x, runtime))
  const { clock } = runtime
  return relayStream({ x, clock, client, filter, body: held ?? body, noted: held !== undefined }).then(() =>
    endStream(x, client),
  )
}

async function deliverMessages(x: Answered, runtime: Runtime, client: Client): Promise<void> {
  refuseEncoded(x)
  startStream(x, runtime, client)
  const waiting = new Waiting(x, runtime)
  const redaction = new AnswerRedaction(x, runtime)
  for await (const text of filterMessageStream(x, runtime, redaction, waiting.on(x.answer.body))) {
    const written = client.write(text)
    if (written !== undefined) await waiting.while(written)
  }
  endStream(x, client)
}

function startStream(x: Answered, runtime: Runtime, client: Client): void {
  x.trace.streaming = true
  client.start(x.answer.status, answerHeaders(x, runtime, 'reframed'))
  // The first event may be seconds away.
  client.flush()
  letGo(x, runtime)
}

/**
 * The upstream's own error event was relayed; a clean end after it would make the answer look whole. What becomes of the
 * connection from here on is our doing and nothing to wait for.
 */
function endStream(x: Answered, client: Client): void {
  if (!x.trace.upstreamError) return client.end()
  x.trace.end = 'broken-off'
  client.breakOff('')
}

async function deliverWhole(x: Answered, runtime: Runtime, client: Client): Promise<void> {
  const collecting = collect(x, runtime)
  const bytes = collecting instanceof Promise ? await collecting : collecting
  // Errors of a server are of any form, but clients look for a message in them, too, whatever type they are said to be of.
  const isMessage = x.operation.action === 'asked' && (x.answer.status < 400 || isLikeMessage(x, bytes))
  const kind = isMessage && x.answer.status >= 400 ? 'json' : kindOf(x)
  if (kind === 'json' && isCutOff(x, bytes)) throw new Fault('upstream-truncated')
  if (consultsAnswer(x)) await consultDocument(x, runtime, kind, bytes)
  const body = bytes.length === 0 ? bytes : filterWhole(x, runtime, kind, bytes, isMessage)
  const headers = answerHeaders(x, runtime, 'reframed')
  headers.push('content-length', String(Buffer.byteLength(body)))
  client.start(x.answer.status, headers)
  client.end(body)
}

/** Where a model's answer ends with its connection, only what it says tells whether that was its end. */
function isCutOff({ answer: { closeDelimited, status }, operation }: Answered, bytes: Uint8Array): boolean {
  if (closeDelimited !== true || status >= 400 || !givesModelAnswer(operation)) return false
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
  try {
    // Not as strictly as we read it: what we refuse to read may be whole.
    JSON.parse(text.replace(/^\ufeff/, ''))
    return false
  } catch {
    return true
  }
}

function filterWhole(
  x: Answered,
  runtime: Runtime,
  kind: MediaKind,
  bytes: Uint8Array,
  isMessage: boolean,
): Uint8Array | string {
  // It says that a message has arrived, and no client reads what else stands in it.
  if (x.operation.action === 'asked' && x.answer.status === 202) return noBytes
  if (isMessage) return filterMessageDocument(x, runtime, new AnswerRedaction(x, runtime), kind, bytes)
  return filterDocument(x, runtime, kind, bytes, mustRead(x))
}

const noBytes = new Uint8Array()

async function relay(x: Answered, runtime: Runtime, client: Client): Promise<void> {
  noteUnread(x, kindOf(x))
  const decodes = mayHideCredential(x)
  const body = decodes ? clearBody(x, runtime) : x.answer.body
  client.start(x.answer.status, answerHeaders(x, runtime, decodes ? 'reframed' : 'as-is'))
  client.flush()
  const waiting = new Waiting(x, runtime)
  for await (const chunk of waiting.on(body)) {
    const written = client.write(chunk)
    if (written !== undefined) await waiting.while(written)
  }
  client.end()
}

/** A stream is asked for in clear; an upstream that encodes it all the same cannot be inspected event by event. */
function refuseEncoded(x: Answered): void {
  const encoding = headerValue(x.answer.headers, 'content-encoding')
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return
  throw new Fault('upstream-invalid', 'The upstream encoded a stream although it was asked not to.')
}

/** Where it has to be waited for, nothing of ours happens between the chunks, so all of it counts as waiting. */
function collect(x: Answered, runtime: Runtime): Promise<Uint8Array> | Uint8Array {
  const gathered = gather(clearBody(x, runtime), runtime.limits.bodyBytesMax)
  return gathered instanceof Promise ? new Waiting(x, runtime).while(gathered).then(wholeOf) : wholeOf(gathered)
}

function wholeOf(gathered: Uint8Array | undefined): Uint8Array {
  if (gathered === undefined) throw new Fault('answer-too-large')
  return gathered
}

/** With what was decided, and what is left of the limits. */
function answerHeaders(x: Answered, runtime: Runtime, framing: 'as-is' | 'reframed'): string[] {
  const { contentLength, status } = x.answer
  const kept = passedHeaders(x, runtime, framing)
  // For HEAD and 304 it is the length of what is not sent (RFC 9110 §8.6).
  if (framing === 'as-is' && contentLength !== undefined && status !== 204)
    kept.push('content-length', String(contentLength))
  kept.push(...decisionHeaders(x))
  return withLimits(kept, x.limitStates, x.route.protocol.name, runtime.clock.now())
}

/** Time spent on others, so that what is left of the total is the proxy's own. */
class Waiting {
  readonly #x: Answered
  readonly #runtime: Runtime

  constructor(x: Answered, runtime: Runtime) {
    this.#x = x
    this.#runtime = runtime
  }

  on(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    return new Awaited(this.#x, this.#runtime, body)
  }

  async while<T>(pending: Promise<T>): Promise<T> {
    const sinceMs = this.#runtime.clock.monotonic()
    try {
      return await pending
    } finally {
      this.#x.trace.waitedMs += this.#runtime.clock.monotonic() - sinceMs
    }
  }
}

type Result = IteratorResult<Uint8Array, undefined>

/** The same body; each wait for more of it is noted. Not a generator, of which every silent stream would keep one. */
class Awaited implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #x: Answered
  readonly #clock: Runtime['clock']
  readonly #body: AsyncIterator<Uint8Array, undefined>

  constructor(x: Answered, { clock }: Runtime, body: AsyncIterable<Uint8Array>) {
    this.#x = x
    this.#clock = clock
    this.#body = body[Symbol.asyncIterator]()
  }

  next(): Promise<Result> {
    const sinceMs = this.#clock.monotonic()
    return this.#body.next().then(
      (result) => {
        this.#note(sinceMs)
        return result
      },
      (error: unknown) => {
        // The upstream broke off: that was no work of ours.
        this.#note(sinceMs)
        throw error
      },
    )
  }

  async return(): Promise<Result> {
    return (await this.#body.return?.()) ?? { value: undefined, done: true }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #note(sinceMs: number): void {
    this.#x.trace.waitedMs += this.#clock.monotonic() - sinceMs
  }
}
