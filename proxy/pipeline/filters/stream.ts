// Owns the filter for event streams: events in, text to write out. Text grows through one window per channel; a tool
// call is held until it is complete and judged, and then written, or text in its place.
import { Fault } from '../../errors.ts'
import type { Window } from '../../detect/window.ts'
import { applyEdits, type Edit } from '../../lib/edit.ts'
import { parseJsonText } from '../../lib/json.ts'
import { sourcesAt } from '../../lib/json-source.ts'
import type { Path } from '../../lib/pointer.ts'
import { framings, leftOver, type Framing } from '../../lib/framing.ts'
import type { BlockReader, SseEvent } from '../../lib/sse.ts'
import { undecodable, type Undecodable } from '../../lib/unfinished-text.ts'
import { readError } from '../../protocol/opening.ts'
import { givesModelAnswer } from '../../protocol/protocol.ts'
import type { Delta, RefusedCall, StreamedCall, StreamReader, StreamStep } from '../../protocol/protocol.ts'
import { isUsageOnly } from '../../protocol/usage-request.ts'
import { noteUninspected, noteUsage, type Answered } from '../exchange.ts'
import { partEdit } from '../part-edit.ts'
import type { Runtime } from '../runtime.ts'
import type { AnswerRedaction } from './answer-redaction.ts'
import { documentEdits } from './document.ts'
import { HeldCalls } from './held-calls.ts'
import { RepeatedEvent } from './repeated-event.ts'
import { judgeCall, stopAtCall, type DeniedCall } from './tool-calls.ts'

type Step = Extract<StreamStep, { ok: true }>

/** What an event becomes: the texts for its own deltas by channel, its other edits, and the events around it. */
type Draft = { readonly inPlace: Map<string, string>; readonly edits: Edit[]; before: string; after: string }

/**
 * Bytes in, text to write out, a chunk at a time. Not a generator over the body: while a stream is silent, that costs as much
 * memory as all of the filter. Faults: `upstream-truncated`, `upstream-invalid`, `content-blocked`, `answer-denied`.
 */
export class ByteFilter {
  readonly #filter: StreamFilter
  readonly #framing: Framing
  readonly #decoder: ReturnType<Framing['open']>

  constructor(x: Answered, runtime: Runtime, redaction: AnswerRedaction) {
    const { operation } = x
    const reader = operation.openStream?.()
    if (reader === undefined) throw new Fault('internal')
    const framing = framings[operation.framing ?? 'sse']
    this.#framing = framing
    this.#filter = new StreamFilter({ x, runtime, redaction, reader, framing })
    this.#decoder = framing.open({ eventBytesMax: runtime.limits.eventBytesMax })
  }

  *push(chunk: Uint8Array): Generator<string> {
    let error: Undecodable | undefined
    try {
      error = this.#decoder.read(chunk, this.#filter)
    } finally {
      const out = this.#filter.take()
      if (out !== '') yield out
    }
    if (error !== undefined) throw unreadable(undecodable[error], error === 'too-large')
  }

  /** The upstream's own error has gone out, and nothing that comes after it would. */
  get failed(): boolean {
    return this.#filter.failed
  }

  /** The body has come to its end. */
  end(): string {
    const last = leftOver(this.#decoder, this.#framing)
    if (last === undefined) throw new Fault('upstream-truncated')
    if (last !== '') this.#filter.block(last)
    return this.#filter.take() + this.#filter.finish()
  }

  /** However it ended. */
  close(): void {
    this.#filter.close()
  }
}

type Parts = {
  readonly x: Answered
  readonly runtime: Runtime
  readonly redaction: AnswerRedaction
  readonly reader: StreamReader
  readonly framing: Framing
  /** Calls are held back although nothing is changed or judged yet. */
  readonly holds?: boolean
  /** Each error is about one event, and the stream goes on. */
  readonly outlivesErrors?: boolean
}

export class StreamFilter implements BlockReader {
  readonly #x: Answered
  readonly #runtime: Runtime
  readonly #redaction: AnswerRedaction
  readonly #reader: StreamReader
  readonly #framing: Framing
  #windows: Map<string, Window> | undefined
  readonly #held: HeldCalls
  readonly #holds: boolean
  readonly #errorEnds: boolean
  /** The upstream's own error has gone out. */
  #failed = false
  /** Some call of the stream was denied, so later events may have to say something else. */
  #refused = false
  /** What the last event was, and what the last two were: only those are known to mean the same one after the other. */
  #once: RepeatedEvent | undefined
  #twice: RepeatedEvent | undefined
  /** What the events of the chunk gave so far. */
  #out = ''
  #terminated = false

  constructor({ x, runtime, redaction, reader, framing, holds = false, outlivesErrors = false }: Parts) {
    this.#x = x
    this.#runtime = runtime
    this.#redaction = redaction
    this.#reader = reader
    this.#framing = framing
    this.#held = new HeldCalls(runtime.limits.bodyBytesMax)
    this.#holds = holds || redaction.changes || x.route.needs.answer
    this.#errorEnds = givesModelAnswer(x.operation) && !outlivesErrors
  }

  get failed(): boolean {
    return this.#failed
  }

  /** What is to be written of the events since it was asked last; of an event that is refused, nothing. */
  take(): string {
    const out = this.#out
    this.#out = ''
    return out
  }

  /** After the last event, which was whole. */
  finish(): string {
    const mustTerminate = givesModelAnswer(this.#x.operation) && this.#x.answer.status < 400
    if (mustTerminate && !this.#terminated && !this.#x.trace.upstreamError) throw new Fault('upstream-truncated')
    let tail = ''
    for (const channel of this.#openChannels()) {
      const rest = this.#endChannel(channel)
      if (rest !== '') tail += this.#reader.deltaEvent(channel, rest)
    }
    return tail
  }

  close(): void {
    for (const window of this.#windows?.values() ?? []) this.#redaction.abandoned(window)
    this.#windows = undefined
  }

  block(raw: string): void {
    this.#out += this.#event(this.#framing.parse(raw))
  }

  /** Events like the one before but for their text, without parsing them. Their text is redacted in one go. */
  known(source: string, from: number, unitsMax: number): number {
    const last = this.#twice
    // Once a call was denied, later events may have to say something else.
    if (last === undefined || this.#refused) return from
    const run = last.runIn(source, from, unitsMax)
    if (run === undefined) return from
    const window = this.#windowOf(last.channel)
    const heldBefore = window?.held ?? 0
    this.#x.trace.answerTextBytes += Buffer.byteLength(run.text)
    const released = window?.push(run.text) ?? run.text
    // Of text that is cut off at a blocked value no event is left to stand for what follows.
    if (window?.blocked !== undefined) this.#out += released === '' ? '' : last.withText(run, 0, released)
    else this.#out += last.spread(run, released, heldBefore)
    if (window !== undefined) this.#redaction.stopWhereBlocked(window)
    if (run.number !== undefined) this.#reader.repeated?.(run.number)
    return run.ends.at(-1) as number
  }

  #event(event: SseEvent): string {
    // A comment is no part of the answer, and nobody looks into it: where text is redacted, only its beat goes on.
    if (event.comment) return this.#redaction.changes ? this.#framing.beat : event.raw
    // Clients stop reading at an error.
    if (this.#failed) return ''
    const step = this.#reader.read(event)
    if (!step.ok) throw unreadable(step.message)
    if (step.unknown !== undefined) this.#passUnknown(step.unknown)
    this.#note(step)
    if (step.error !== undefined || step.failed === true) this.#noteError(step, event)
    this.#failed = step.error === true && this.#errorEnds
    // What it began of a call is nothing to the client.
    if (this.#failed) this.#held.drop()
    this.#compare(event, step)
    const draft: Draft = { inPlace: new Map(), edits: this.#partEdits(step), before: '', after: '' }
    if (this.#holds && step.held !== undefined) this.#holdPieces(event, step, step.held, draft)
    for (const delta of step.deltas) {
      this.#x.trace.answerTextBytes += Buffer.byteLength(delta.text)
      if (delta.kind === 'arguments' && this.#holds && step.held !== undefined) continue
      const text = delta.kind === 'arguments' ? this.#hold(delta) : this.#grow(delta.channel, delta.text)
      draft.inPlace.set(delta.channel, (draft.inPlace.get(delta.channel) ?? '') + text)
    }
    this.#complete(step, draft)
    const written = draft.before + this.#rewrite(event, step, draft) + draft.after
    if (this.#holds && step.behind !== undefined && this.#held.addBehind(step.behind, written)) return ''
    return written
  }

  /** The first of a kind may leave the reader so that the next one would mean something else. */
  #compare(event: SseEvent, { repeatable, deltas: [delta], varying }: Step): void {
    const before = this.#once
    this.#twice = undefined
    if (repeatable !== true || delta === undefined) this.#once = undefined
    else if (before?.channel === delta.channel && before.isLike(event.raw)) this.#twice = before
    else this.#once = RepeatedEvent.from(event, delta, varying)
  }

  #passUnknown(why: string): void {
    if (this.#x.route.posture === 'inspect') throw unreadable(why)
    noteUninspected(this.#x.trace, 'answer:stream')
  }

  #noteError({ error }: Step, { event, data }: SseEvent): void {
    const { trace } = this.#x
    if (error === undefined) trace.answerFailed = true
    else trace.upstreamError = true
    const said = readError(event, data)
    trace.errorOfAsker = said === 'wrong' || said === 'limited' || said === 'exhausted'
  }

  #note(step: Step): void {
    const { trace } = this.#x
    if (step.usage !== undefined) noteUsage(trace, step.usage)
    if (step.unreadBytes !== undefined) trace.answerTextBytes += step.unreadBytes
    for (const what of step.uninspected ?? []) this.#redaction.unread(what)
    if (step.terminal) this.#terminated = true
  }

  /** Text that is whole at once. */
  #partEdits(step: Step): Edit[] {
    const edits: Edit[] = []
    if (!this.#redaction.changes) return edits
    for (const part of step.parts) {
      const text = this.#redaction.whole(part.text, part.address, undefined, part.form)
      if (text !== part.text) edits.push(partEdit(part, text))
    }
    return edits
  }

  #holdPieces(event: SseEvent, step: Step, held: NonNullable<Step['held']>, draft: Draft): void {
    const data = editData(event.data, draft.edits, step)
    const sources = sourcesAt(
      data,
      held.map(({ address }) => address.path),
    )
    for (const [index, { channel, address }] of held.entries()) {
      const delta = step.deltas.find(
        (one) => one.kind === 'arguments' && one.channel === channel && isBelow(one.address.path, address.path),
      )
      const json = sources[index]
      if (json === undefined) throw new Error('No piece of a call stands where the format says.')
      this.#held.addPiece(channel, json, delta?.address.path.slice(address.path.length))
      if (delta !== undefined) this.#held.addArguments(channel, delta.text)
    }
  }

  /**
   * Gives out what was held on channels that this event completes: in the event's own delta of the channel where it has
   * one, else in an event of its own before it. Text comes first, because a denied call is answered in text.
   */
  #complete(step: Step, draft: Draft): void {
    for (const channel of step.ends) if (!this.#held.has(channel)) this.#give(channel, this.#endChannel(channel), draft)
    const refused: RefusedCall[] = []
    for (const call of step.calls) {
      const judged = [call, ...(call.also ?? [])].map((one) => judgeCall(this.#x, this.#runtime, one))
      const denied = judged.find((one) => one !== undefined)
      if (denied === undefined) this.#release(call.channel, draft)
      else refused.push(this.#refuse(call, denied, draft))
    }
    for (const channel of step.ends) this.#give(channel, this.#endChannel(channel), draft)
    if (step.terminal || this.#failed) {
      for (const channel of this.#openChannels()) this.#give(channel, this.#endChannel(channel), draft)
    }
    if (this.#refused && step.value !== undefined)
      draft.edits.push(...(this.#reader.amend?.(step.value, refused) ?? []))
  }

  #give(channel: string, text: string, draft: Draft): void {
    const own = draft.inPlace.get(channel)
    if (own !== undefined) draft.inPlace.set(channel, own + text)
    else if (text !== '') draft.before += this.#reader.deltaEvent(channel, text)
  }

  #release(channel: string, draft: Draft): void {
    const call = this.#held.take(channel)
    if (call === undefined) return
    const text = this.#redaction.changes ? this.#redactArguments(call.arguments) : call.arguments
    if (call.pieces.length === 0) this.#give(channel, text, draft)
    for (const piece of call.withArguments(text)) draft.before += this.#reader.pieceEvent?.(channel, piece) ?? ''
    draft.after += call.behind
  }

  /** Fault `answer-denied` or `approval-unserved` where the format has nothing to put in the place of a call. */
  #refuse(call: StreamedCall, denied: DeniedCall, draft: Draft): RefusedCall {
    if (this.#reader.refuse === undefined) stopAtCall(this.#x, denied)
    this.#refused = true
    const text = this.#redaction.changes ? this.#redaction.whole(denied.text) : denied.text
    const placed = this.#reader.refuse?.(call, text)
    if (placed !== undefined) {
      draft.before += placed.opening
      this.#give(placed.channel, placed.text, draft)
    }
    draft.after += this.#held.take(call.channel)?.behind ?? ''
    return { call, text }
  }

  #rewrite(event: SseEvent, step: Step, { inPlace, edits }: Draft): string {
    // It was asked for on behalf of a limit: the client did not ask, and may not know such an event.
    if (this.#x.outgoing.unasked !== undefined && isUsageOnly(step.value)) return ''
    const holds = this.#holds && step.held !== undefined
    for (const delta of step.deltas) {
      if (holds && delta.kind === 'arguments') continue
      // Of several deltas on one channel the first takes all of it.
      const text = inPlace.get(delta.channel) ?? ''
      inPlace.set(delta.channel, '')
      if (text !== delta.text) edits.push({ address: delta.address, text })
    }
    for (const address of (this.#holds ? step.withheld : undefined) ?? []) {
      if (address.path.length === 0) return ''
      edits.push({ address, remove: true })
    }
    if (edits.length === 0 && (!this.#redaction.changes || this.#framing.isPlain(event.raw))) return event.raw
    const id = event.id === undefined || !this.#redaction.changes ? event.id : this.#redaction.whole(event.id)
    return this.#framing.format(this.#redaction.eventName(event.event), editData(event.data, edits, step), id)
  }

  #grow(channel: string, text: string): string {
    const window = this.#windowOf(channel)
    return window === undefined ? text : this.#redaction.pushed(window, text)
  }

  #windowOf(channel: string): Window | undefined {
    if (!this.#redaction.changes) return undefined
    this.#windows ??= new Map()
    let window = this.#windows.get(channel)
    if (window === undefined) this.#windows.set(channel, (window = this.#redaction.open()))
    return window
  }

  #hold(delta: Delta): string {
    if (!this.#holds) return delta.text
    this.#held.addArguments(delta.channel, delta.text)
    return ''
  }

  #endChannel(channel: string): string {
    // Arguments whose call was never completed were never judged.
    if (this.#held.has(channel)) throw new Fault('upstream-invalid', 'A tool call in the stream was not completed.')
    const window = this.#windows?.get(channel)
    if (window === undefined) return ''
    this.#windows?.delete(channel)
    return this.#redaction.ended(window)
  }

  #openChannels(): string[] {
    return [...this.#held.channels, ...(this.#windows?.keys() ?? [])]
  }

  #redactArguments(held: string): string {
    const { jsonDepthMax, jsonKeysMax } = this.#runtime.limits
    const parsed = parseJsonText(held, { depthMax: jsonDepthMax, keysMax: jsonKeysMax })
    if (!parsed.ok) return this.#redaction.whole(held, undefined, 'tool.args')
    return applyEdits(held, documentEdits(this.#redaction, parsed.value, held))
  }
}

function isBelow(path: Path, above: Path): boolean {
  return path.length > above.length && above.every((step, index) => step === path[index])
}

/** A cap of ours says nothing about the upstream: any client may ask for what is too large. */
function unreadable(why: string, isTooLarge = false): Fault {
  return new Fault(isTooLarge ? 'answer-too-large' : 'upstream-invalid', `The stream cannot be read: ${why}`)
}

/** Plain-text data (an `http` stream) has no addresses inside: its one edit is the whole. A line of JSON may be one string. */
function editData(data: string, edits: readonly Edit[], { value }: Step): string {
  const [first] = edits
  if (value === undefined && first !== undefined && first.address.path.length === 0 && 'text' in first)
    return first.text
  return applyEdits(data, edits)
}
