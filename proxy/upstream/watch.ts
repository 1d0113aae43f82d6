// Owns what is told of one attempt on its way. It lasts as long as the answer, so what only the head asks for goes with the head.
import type { Fault } from '../errors.ts'
import type { Pass } from './breakers.ts'
import type { Judgement } from './classify.ts'
import type { AnswerHead } from './head.ts'
import type { Observer } from './receiver.ts'

/** `pass` is absent while its verdict waits for how the stream begins. */
export type OnEnd = (pass: Pass | undefined, fault: Fault | undefined, ours: boolean, durationMs: number) => void

export class Watch implements Observer {
  judgement: Judgement | undefined
  /** Whether it went well shows only in how the stream begins. */
  held = false
  #onHead: ((head: AnswerHead, watch: Watch) => void) | undefined
  readonly #pass: Pass
  readonly #onEnd: OnEnd

  constructor(pass: Pass, onHead: (head: AnswerHead, watch: Watch) => void, onEnd: OnEnd) {
    this.#pass = pass
    this.#onHead = onHead
    this.#onEnd = onEnd
  }

  head(head: AnswerHead): void {
    const onHead = this.#onHead
    this.#onHead = undefined
    onHead?.(head, this)
  }

  content(): void {
    if (!this.held) this.#pass.content()
  }

  end(fault: Fault | undefined, ours: boolean, durationMs: number): void {
    this.#onEnd(this.held ? undefined : this.#pass, fault, ours, durationMs)
  }
}
