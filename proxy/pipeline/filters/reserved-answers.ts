// Owns what limits reserve for the answers of one conversation: for each before it is asked for, or as soon as the server says
// that it has begun one by itself, put right when it is over. Which answer belongs to which question nobody says, but that
// they come in the same order.
import type { Spent } from '../../limits/limiter.ts'
import type { Usage } from '../../protocol/content.ts'
import type { AnswerEvent, SaidByClient } from '../../protocol/socket.ts'
import { sumUsage } from '../../protocol/usage.ts'
import { billedOf, nothingBut, textEstimate } from '../consumption.ts'
import type { Admitted, Answered } from '../exchange.ts'
import type { Runtime } from '../runtime.ts'
import { admitAgain } from '../stages/admit.ts'

type Asked = { readonly eventId?: string | undefined; readonly tokensMax?: number | undefined }

/** `id` is there once the answer has begun. */
type Reserved = {
  readonly admissions: Admitted['admissions']
  readonly eventId: string | undefined
  begun: boolean
  id: string | undefined
}

/** Of more that are under way at a time, the oldest keep what was reserved for them. */
const underWayMax = 100

export class ReservedAnswers {
  readonly #x: Answered
  readonly #runtime: Runtime
  #reserved: Reserved[] = []
  #model: string | undefined
  /** What the next answer reads of the conversation, in tokens, as far as that was said. */
  #contextTokens = 0
  #closed = false

  constructor(x: Answered, runtime: Runtime) {
    this.#x = x
    this.#runtime = runtime
    this.#model = x.content?.model
  }

  heard({ content }: SaidByClient): void {
    this.#contextTokens += textEstimate(content.parts)
  }

  /** How long the answer may be; undefined: no limit says so. Faults: what a limit refuses with. */
  async ask({ content, eventId }: SaidByClient): Promise<number | undefined> {
    this.#model = content.model ?? this.#model
    return this.#reserve({ eventId, tokensMax: content.maxTokens }, undefined)
  }

  /** What the server says. A promise where it has begun an answer that nobody asked for, with the faults of `ask`. */
  told(event: AnswerEvent): Promise<unknown> | undefined {
    if (event.type === 'refused') this.#giveBack(event.eventId)
    else if (event.type === 'over') this.#over(event.id, event.usage)
    else {
      const waiting = this.#reserved.find(({ begun }) => !begun)
      if (waiting === undefined) return this.#reserve({ tokensMax: event.tokensMax }, event.id, true)
      waiting.begun = true
      waiting.id = event.id
    }
    return undefined
  }

  /** What was reserved for answers that are not over stays: nobody will say what they took. */
  close(): void {
    this.#closed = true
  }

  async #reserve({ eventId, tokensMax }: Asked, id: string | undefined, begun = false): Promise<number | undefined> {
    const x = this.#x
    x.trace.answersUsage ??= {}
    const admissions = await admitAgain(x, this.#runtime, {
      actions: ['model.call'],
      tools: [],
      inputTokens: this.#contextTokens,
      answers: 1,
      ...(tokensMax === undefined ? undefined : { outputTokensMax: tokensMax }),
      ...(this.#model === undefined ? undefined : { model: this.#model }),
    })
    const reserved = { admissions, eventId, begun, id }
    // The connections were gone before the store answered, so nobody was asked.
    if (this.#closed) this.#settle(reserved, undefined)
    else this.#reserved.push(reserved)
    if (this.#reserved.length > underWayMax) this.#reserved.shift()
    const bounds = admissions.flatMap(({ maxTokens }) => maxTokens ?? [])
    return bounds.length === 0 ? undefined : Math.min(...bounds)
  }

  /** An error without a name may be about the last question; if it was not, its answer is reserved for once it begins. */
  #giveBack(eventId: string | undefined): void {
    const at = this.#reserved.findLastIndex((one) => !one.begun && one.eventId === eventId)
    const [refused] = at === -1 ? [] : this.#reserved.splice(at, 1)
    this.#settle(refused, undefined)
  }

  /** What was not reserved for is left to the exchange, which settles all the rest. */
  #over(id: string | undefined, usage: Usage | undefined): void {
    const at = this.#reserved.findIndex((one) => one.begun && one.id === id)
    const [over] = at === -1 ? [] : this.#reserved.splice(at, 1)
    if (usage === undefined || over === undefined) return this.#settle(over, undefined)
    // It took something, and nobody knows how much, so what was reserved for it stays.
    if (usage.implausible === true) return this.#settle(over, { ...nothingBut(0), unfinished: true })
    const { trace } = this.#x
    trace.answersUsage = sumUsage(trace.answersUsage ?? {}, usage)
    this.#contextTokens = (usage.input ?? 0) + (usage.output ?? 0)
    this.#settle(over, { ...billedOf(usage, this.#x.route.protocol.cachedInputApart), bytes: 0 })
  }

  #settle(reserved: Reserved | undefined, spent: Spent | undefined): void {
    for (const admission of reserved?.admissions ?? []) admission.settle?.(spent)
  }
}
