// Owns what is done to text on its way back to the client: redaction by the answer's plan, then the restoring of tokens
// that this exchange gave out. It counts what it did; it knows nothing of wire formats.
import { Fault } from '../../errors.ts'
import { writerFor } from '../../detect/json-fence.ts'
import { openWindow, type Window } from '../../detect/window.ts'
import type { RestorePlace } from '../../detect/options.ts'
import { scanMarkup } from '../../detect/markup.ts'
import { scanNamed } from '../../detect/named.ts'
import { enforces } from '../../detect/redaction.ts'
import { replace } from '../../detect/replace.ts'
import type { Address } from '../../lib/pointer.ts'
import { isEventName } from '../../lib/sse.ts'
import { markupWriter, type Markup } from '../../lib/xml-text.ts'
import { givesModelAnswer } from '../../protocol/protocol.ts'
import type { TextPart } from '../../protocol/content.ts'
import { addCount, addCounts, noteRedactedAt, noteUninspected, type Answered } from '../exchange.ts'
import { redactHeaderValue } from '../header-redaction.ts'
import type { Runtime } from '../runtime.ts'
import { blocked } from '../stages/enforce.ts'

/** Redaction applies to the answer, or tokens were given out that must be restored in it. */
export function changesAnswer(x: Answered): boolean {
  return x.route.answer.plan !== undefined || x.vault?.restores === true
}

/** The same, unless all of it is only recorded: then what cannot be read is no worse than what is not looked for. */
export function mustChangeAnswer(x: Answered): boolean {
  return enforces(x.route.answer.plan) || x.vault?.restores === true
}

/** The arguments of a model's calls stand under these names, whatever the format. */
const argumentNames: ReadonlySet<string | number> = new Set(['arguments', 'args', 'input'])

function placeOf({ operation }: Answered, address: Address | undefined): RestorePlace {
  const isArguments = address?.path.some((step) => argumentNames.has(step)) === true
  return isArguments && givesModelAnswer(operation) ? 'tool.args' : 'response.text'
}

type Form = TextPart['form']

/** Word by word, or as the numbers of a vocabulary. */
const repeatsText: ReadonlySet<string> = new Set(['logprobs', 'tokens'])

export class AnswerRedaction {
  readonly #x: Answered
  readonly #runtime: Runtime

  constructor(x: Answered, runtime: Runtime) {
    this.#x = x
    this.#runtime = runtime
    const { scanner, headers, scans } = x.route.answer
    if (scanner !== undefined || headers !== undefined) x.trace.scanned.answer = scans
  }

  /** Whether text can come out other than it went in. */
  get changes(): boolean {
    return changesAnswer(this.#x)
  }

  /** A text that is known whole. Fault `content-blocked`. */
  whole(text: string, address?: Address, place = placeOf(this.#x, address), form: Form = 'string'): string {
    return this.#whole(text, address, place, form)
  }

  /** What an event of a stream is called: whatever is no name is a text. Fault `content-blocked`. */
  eventName(name: string): string {
    return this.changes && !isEventName(name) ? this.whole(name) : name
  }

  /** The same of a document in XML or HTML. */
  wholeMarkup(text: string, markup: Markup): string {
    return this.#whole(text, undefined, 'response.text', 'string', markup)
  }

  /** What clients send back where no redaction looks: no value is put in the place of a token. Fault `content-blocked`. */
  unrestored(text: string, address?: Address, form: Form = 'string'): string {
    return this.#redacted(text, address, form)
  }

  #whole(text: string, address: Address | undefined, place: RestorePlace, form: Form, markup?: Markup): string {
    const { vault } = this.#x
    if (vault === undefined) return text
    const result = this.#redacted(text, address, form, markup)
    if (markup !== undefined) return vault.restore(result, place, 0, markupWriter(result, markup))
    return vault.restore(result, place, 0, place === 'response.text' ? writerFor(result) : undefined)
  }

  #redacted(text: string, address: Address | undefined, form: Form, markup?: Markup): string {
    const { plan } = this.#x.route.answer
    const { vault } = this.#x
    if (vault === undefined || plan === undefined) return text
    const ofForm = plan.forForm(form)
    const { scanner } = ofForm
    const findings = markup === undefined ? scanNamed(scanner, text, address) : scanMarkup(scanner, text, markup)
    if (findings.length === 0) return text
    // As the same answer gives it when it is streamed.
    const inPieces = givesModelAnswer(this.#x.operation)
    const replaced = replace(text, findings, ofForm, vault, { number: form === 'number', inPieces })
    this.#stop(replaced.blocked)
    this.#count(replaced.counts, replaced.observed)
    if (address !== undefined && replaced.text !== text) noteRedactedAt(this.#x.trace, 'answer', address)
    return replaced.text
  }

  /** Notes what the answer holds that no scan can read. Fault `answer-denied` where it would undo the redaction. */
  unread(what: string): void {
    noteUninspected(this.#x.trace, `answer:${what}`)
    if (repeatsText.has(what) && enforces(this.#x.route.answer.plan)) {
      throw new Fault(
        'answer-denied',
        `The answer carries ${what}, which repeat its text where no redaction can reach; ask without them.`,
      )
    }
  }

  /** For text that grows. The window's pieces go through `pushed` and `ended`. */
  open(): Window {
    const { plan } = this.#x.route.answer
    const { vault } = this.#x
    return openWindow({ plan, vault })
  }

  /** Headers are looked into where a rule says so. `name` in lower case. Fault `content-blocked`. */
  header(name: string, value: string): string {
    const plan = this.#x.route.answer.headers
    const replaced = plan === undefined ? undefined : redactHeaderValue(name, value, plan, this.#x.vault)
    if (replaced === undefined) return value
    this.#stop(replaced.blocked)
    this.#count(replaced.counts, replaced.observed)
    if (replaced.text !== value) noteRedactedAt(this.#x.trace, 'answer', 'headers')
    return replaced.text
  }

  pushed(window: Window, text: string): string {
    const released = window.push(text)
    this.#stop(window.blocked)
    return released
  }

  /** Fault `content-blocked`. For a caller that pushes by itself, to give out first what came before the value. */
  stopWhereBlocked(window: Window): void {
    this.#stop(window.blocked)
  }

  ended(window: Window): string {
    const released = window.end()
    this.#stop(window.blocked)
    this.#count(window.counts, window.observed)
    return released
  }

  /** For a window that is given up because the stream broke off: what it did is still counted. */
  abandoned(window: Window): void {
    window.abandon()
    this.#count(window.counts, window.observed)
  }

  #count(counts: Readonly<Record<string, number>>, observed: Readonly<Record<string, number>>): void {
    const { trace } = this.#x
    addCounts(trace, 'observedAnswer', observed)
    for (const [entity, count] of Object.entries(counts)) {
      addCount(trace, 'redactedAnswer', entity, count)
      this.#runtime.metrics.redaction(entity, 'response', count)
    }
  }

  #stop(target: { readonly rule: string; readonly entity: string } | undefined): void {
    if (target === undefined) return
    throw blocked(target.rule, target.entity, this.#x.route.denyStatus)
  }
}
