// Owns what passes in a conversation over a WebSocket: each message of the client is judged and redacted like a request
// of its own, each of the server goes through the filter for streams. A message of the client that may not pass is
// answered in its place, and the conversation goes on.
import { Fault } from '../../errors.ts'
import { applyEdits } from '../../lib/edit.ts'
import { framings } from '../../lib/framing.ts'
import type { Piece } from '../../lib/peer.ts'
import type { Decision } from '../../policy/decision.ts'
import {
  messageLine,
  messagesOf,
  type AnswerEvent,
  type SaidByClient,
  type SocketOperation,
  type SocketReader,
} from '../../protocol/socket.ts'
import { grow, noteUninspected, type Answered, type Decided, type Decoded } from '../exchange.ts'
import type { Runtime } from '../runtime.ts'
import { consult } from '../stages/consult.ts'
import { decide } from '../stages/decide.ts'
import { stopIfBlocked, stopUnlessAllowed } from '../stages/enforce.ts'
import { inspect } from '../stages/inspect.ts'
import { redact } from '../stages/oblige.ts'
import { view } from '../stages/refuse.ts'
import { AnswerRedaction } from './answer-redaction.ts'
import { ReservedAnswers } from './reserved-answers.ts'
import { StreamFilter } from './stream.ts'

/** What is sent on, what is sent back to whoever spoke, and the fault that ends the conversation behind that. */
export type Turn = { readonly on: readonly Piece[]; readonly back?: readonly Piece[]; readonly fault?: Fault }

/** Beyond these the record says no more of them; the metrics count all decisions. */
const refusalsMax = 100
const decisionsMax = 100

export class Conversation {
  readonly #x: Answered
  readonly #runtime: Runtime
  readonly #operation: SocketOperation
  readonly #reader: SocketReader
  readonly #redaction: AnswerRedaction
  readonly #filter: StreamFilter
  readonly #answers: ReservedAnswers

  constructor(x: Answered, runtime: Runtime, operation: SocketOperation) {
    this.#x = x
    this.#runtime = runtime
    this.#operation = operation
    this.#reader = operation.openSocket()
    this.#redaction = new AnswerRedaction(x, runtime)
    this.#answers = new ReservedAnswers(x, runtime)
    this.#filter = new StreamFilter({
      x,
      runtime,
      redaction: this.#redaction,
      reader: this.#reader,
      framing: framings[operation.framing],
      // Tokens may be given out at any time, and then arguments must be whole to be restored.
      holds: x.route.request.plan !== undefined,
      outlivesErrors: true,
    })
  }

  async fromClient(piece: Piece): Promise<Turn> {
    if (typeof piece !== 'string') throw notText()
    const said = this.#reader.readClient(piece)
    if (!said.ok) return this.#refuse('unread', new Fault('body-malformed', said.message), said.eventId)
    try {
      return { on: [await this.#judged(said)] }
    } catch (error) {
      if (error instanceof Fault && error.code !== 'internal') return this.#refuse(said.type, error, said.eventId)
      throw error
    }
  }

  /** A promise only where a limit must be asked. */
  fromServer(piece: Piece): Turn | Promise<Turn> {
    const turn = this.#filtered(piece)
    let told: Turn | Promise<Turn> = turn
    for (const event of this.#reader.answers()) {
      const reserving = this.#answers.told(event)
      if (reserving !== undefined) told = this.#unasked(turn, reserving, event)
    }
    return told
  }

  /** An answer that the server began by itself, and that may be stopped again. */
  async #unasked(turn: Turn, reserving: Promise<unknown>, event: AnswerEvent): Promise<Turn> {
    try {
      await reserving
      return turn
    } catch (error) {
      if (!(error instanceof Fault) || error.code === 'internal' || event.type !== 'begun') throw error
      const { back = [] } = this.#refuse('response.created', error, undefined)
      return { ...turn, on: [...turn.on, ...back], back: [this.#reader.cancelAnswer(event.id)] }
    }
  }

  #filtered(piece: Piece): Turn {
    if (typeof piece !== 'string') throw new Fault('upstream-invalid', 'The upstream sent a message that is not text.')
    const on: string[] = []
    try {
      this.#filter.block(`${messageLine(piece)}\n`)
      on.push(...messagesOf(this.#filter.take()))
    } catch (error) {
      if (error instanceof Fault) return { on, fault: error }
      throw error
    } finally {
      // What it reports in-band is about one message; whether the connection holds is another question.
      this.#x.trace.upstreamError = false
    }
    return { on }
  }

  /** Why the server says that it closes, as the client may read it. */
  reason(text: string): string {
    return this.#redaction.whole(text)
  }

  /** Said before the connection is closed because of a fault. */
  lastWords(fault: Fault): string {
    return this.#reader.refusal(view(this.#x, fault))
  }

  close(): void {
    this.#answers.close()
    this.#filter.close()
  }

  /** What is sent up for it. Faults as for a request. */
  async #judged(said: SaidByClient): Promise<string> {
    const x = await this.#asRequest(said)
    for (const what of said.content.uninspected) noteUninspected(x.trace, `request:${what}`)
    if (said.asks !== 'nothing') this.#judge(x, said)
    stopIfBlocked(x)
    this.#answers.heard(said)
    const tokensMax = said.asks === 'answer' ? await this.#answers.ask(said) : undefined
    const edits = [
      ...(tokensMax === undefined ? [] : this.#reader.boundAnswer(said.value, tokensMax)),
      ...(x.vault === undefined ? [] : redact(x, this.#runtime, x.vault)),
      ...(x.withheld.length === 0 ? [] : this.#operation.withdrawTools(said.value, x.withheld)),
    ]
    const message = edits.length === 0 ? said.text : applyEdits(said.text, edits)
    this.#reader.sent(said, message)
    return message
  }

  /** The exchange, as if the message had been its body: the trace, the vault and the caller are the same. */
  async #asRequest({ content, text, value }: SaidByClient): Promise<Decided & Pick<Answered, 'vault' | 'permit'>> {
    const body = { form: 'json', bytes: nothing, text, value } as const
    const decoded: Decoded & Pick<Answered, 'vault' | 'permit'> = { ...this.#x, body, content, asked: undefined }
    const inspected = inspect(await consult(decoded, this.#runtime))
    return { ...decoded, ...inspected, actions: [], decisions: [], withheld: [], withheldModels: [] }
  }

  /** Settings and content are judged like the call that they prepare: what comes of them may ask for nothing any more. */
  #judge(x: Decided, { asks, alsoModels, content }: SaidByClient): void {
    const { decisions } = decide(x, this.#runtime)
    const further = alsoModels.map((model) =>
      decide({ ...x, content: { ...content, tools: [], model } }, this.#runtime),
    )
    for (const decision of [...decisions, ...further.flatMap((one) => one.decisions)]) {
      this.#note(decision, asks)
      stopUnlessAllowed(decision, x.route.denyStatus)
    }
  }

  /** What is merely said comes many times a second, and is no decision that anybody would look for. */
  #note(decision: Decision, asks: SaidByClient['asks']): void {
    if (asks === 'content' && decision.effect === 'allow' && decision.shadow === undefined) return
    const { decisions } = this.#x
    // The metrics count those of the exchange when it ends.
    if (decisions.length < decisionsMax) grow(this.#x, { decisions: [...decisions, decision] })
    else this.#runtime.metrics.decision(decision)
  }

  #refuse(type: string, fault: Fault, eventId: string | undefined): Turn {
    const { refusals } = this.#x.trace
    if (refusals.length < refusalsMax) refusals.push({ type, fault })
    return { on: [], back: [this.#reader.refusal(view(this.#x, fault), eventId)] }
  }
}

const nothing = new Uint8Array()

function notText(): Fault {
  return new Fault('media-type-unsupported', 'Binary messages have no adapter here, so they are refused.')
}
