// Owns what external detectors found in the texts of one exchange. Whoever scans goes on scanning: the route's scanners
// are stood in for by ones that know these findings, too. A text that was not asked about has only what is found here.
import type { Finding } from '../detect/finding.ts'
import { countingIn, mergeFindings } from '../detect/overlap.ts'
import type { Plan } from '../detect/redaction.ts'
import type { Scanner } from '../detect/scanner.ts'
import { Fault } from '../errors.ts'
import type { Inquirer } from './inquirer.ts'
import type { Inspection, Route, Runtime } from './runtime.ts'

type Direction = 'request' | 'answer'

/** What is needed of an exchange. */
type Inquiring = {
  readonly id: string
  readonly route: Route
  readonly trace: { waitedMs: number; readonly open: string[] }
}

export class Inquiry {
  readonly #x: Inquiring
  readonly #runtime: Runtime
  readonly #sides: Record<Direction, Side>
  /** With scanners that know what was found so far. */
  readonly route: Route

  constructor(x: Inquiring, runtime: Runtime) {
    this.#x = x
    this.#runtime = runtime
    this.#sides = { request: new Side(x.route.request), answer: new Side(x.route.answer) }
    this.route = { ...x.route, request: this.#sides.request.inspection, answer: this.#sides.answer.inspection }
  }

  asks(direction: Direction): boolean {
    return this.#sides[direction].inquirers.length > 0
  }

  /** Fault `detector-unavailable` where a detector that must be asked has no answer and its configuration says deny. */
  async ask(direction: Direction, texts: readonly string[]): Promise<void> {
    const side = this.#sides[direction]
    const unknown = side.unknown(texts)
    if (unknown.length === 0) return
    const { clock } = this.#runtime
    const sinceMs = clock.monotonic()
    try {
      await Promise.all(side.inquirers.map((inquirer) => this.#put(inquirer, side, unknown)))
    } finally {
      this.#x.trace.waitedMs += clock.monotonic() - sinceMs
    }
  }

  async #put(inquirer: Inquirer, side: Side, texts: readonly string[]): Promise<void> {
    const { id, onError } = inquirer.external
    try {
      side.learn(id, texts, await inquirer.ask(texts))
    } catch (cause) {
      const retryAfterMs = cause instanceof Fault ? cause.details.retryAfterMs : undefined
      this.#runtime.log.warn({ request: this.#x.id, detector: id, err: cause }, 'detector did not answer')
      if (onError === 'deny' && side.inspection.mustAsk.has(id))
        throw new Fault('detector-unavailable', `The detector ${id} does not answer, so this cannot be looked into.`, {
          cause,
          ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
        })
      noteOpening(this.#x, this.#runtime, id)
    }
  }
}

/** Went on without a detector that was to look. */
export function noteOpening({ trace }: Pick<Inquiring, 'trace'>, runtime: Runtime, detector: string): void {
  const what = `detector:${detector}`
  if (trace.open.includes(what)) return
  trace.open.push(what)
  runtime.metrics.failOpen(what)
}

/** Streams are held for all of them where one wants it so. */
export function holdsStreams(inquirers: readonly Inquirer[]): boolean {
  return inquirers.some(({ external }) => external.onStream === 'hold')
}

class Side {
  readonly inquirers: readonly Inquirer[]
  readonly inspection: Inspection
  readonly #found = new Map<string, readonly Finding[]>()
  readonly #scans: string[]
  readonly #isHeld: boolean

  constructor(inspection: Inspection) {
    const { inquirers, scanner, entities, plan, target, headers } = inspection
    this.inquirers = inquirers
    this.#isHeld = holdsStreams(inquirers)
    this.#scans = [...inspection.scans]
    this.inspection = {
      ...inspection,
      scans: this.#scans,
      scanner: scanner === undefined ? undefined : this.#knowing(scanner, entities),
      plan: this.#planKnowing(plan),
      target: this.#planKnowing(target),
      headers: this.#planKnowing(headers),
    }
  }

  unknown(texts: readonly string[]): string[] {
    return this.inquirers.length === 0 ? [] : [...new Set(texts)].filter((text) => !this.#found.has(text))
  }

  learn(id: string, texts: readonly string[], found: readonly (readonly Finding[])[]): void {
    if (!this.#scans.includes(id)) this.#scans.push(id)
    for (const [index, text] of texts.entries())
      this.#found.set(text, [...(this.#found.get(text) ?? []), ...(found[index] ?? [])])
  }

  #planKnowing(plan: Plan | undefined): Plan | undefined {
    if (plan === undefined) return undefined
    const known: Plan = {
      ...plan,
      scanner: this.#knowing(plan.scanner, plan.entities),
      forForm: (form) => {
        const other = plan.forForm(form)
        return other === plan ? known : (this.#planKnowing(other) ?? other)
      },
    }
    return known
  }

  #knowing(scanner: Scanner, entities: ReadonlySet<string>): Scanner {
    const scan = (text: string): readonly Finding[] => {
      const here = scanner.scan(text)
      const there = this.#found.get(text)?.filter(({ entity }) => entities.has(entity)) ?? []
      return there.length === 0 ? here : mergeFindings(here, there, countingIn(text, scanner.matters))
    }
    return {
      entities,
      toldBy: scanner.toldBy,
      matters: scanner.matters,
      scan,
      // Held back until the text is whole: only then it is one that was asked about.
      scanPart: this.#isHeld ? wholly(scan) : scanner.scanPart,
      watched: this.#isHeld ? undefined : scanner.watched,
    }
  }
}

const nothing: readonly Finding[] = []

function wholly(scan: Scanner['scan']): Scanner['scanPart'] {
  return (text, from, final) =>
    final ? { findings: scan(text), decidedTo: text.length } : { findings: nothing, decidedTo: from }
}
