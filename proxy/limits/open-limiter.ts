// Owns the decision whether a request may be served now: which limits apply, in which order they are asked, and what
// happens without the store. It does not know how counts are kept.
import type { Limit, LimitPlan } from './compile.ts'
import { appliesTo, appliesToBody } from './filters.ts'
import { subjectKey } from './key.ts'
import type { Admission, Admitted, Demand, Limiter, LimitSubject, Spent } from './limiter.ts'
import { chargesOf, conclude, countAfterwards, fullAlready } from './reservation.ts'
import { holdSlots, type Asked, type Held } from './slots-held.ts'
import type { Store } from './store.ts'

/** A new limiter over the same store continues the counts of every limit whose id, rate and dimensions are the same. */
export function openLimiter(plan: LimitPlan, store: Store): Limiter {
  const head = plan.filter((limit) => limit.phase === 'head')
  const body = plan.filter((limit) => limit.phase === 'body')
  const sorted = { head, body, settledHead: head.filter((limit) => !asksUpstream(limit)) }
  return {
    countsBytes: plan.some(({ quotas }) => quotas.some(({ unit }) => unit === 'bytes')),
    admit(subject) {
      const waits = mustWait(sorted, subject)
      const early = waits && subject.severalUpstreams === true ? sorted.settledHead : head
      const asked: Asked[] = []
      for (const limit of early) if (appliesTo(limit.filters, subject)) asked.push(...named(limit, subject))
      if (asked.length === 0 && !waits) return unlimited
      // Slots first: they are free to give back, a count in Redis is not.
      const held = holdSlots(asked, store.slots, subject.standing === true)
      if ('ok' in held) return held
      if (waits) return fullAlready(asked, subject, store, held) ?? new Deferred(plan, asked, subject, store, held)
      const charged = chargesOf(asked, subject, undefined)
      if (!Array.isArray(charged)) return charged
      return charged.length === 0
        ? { ok: true, states: [], open: [], ...held }
        : conclude(charged, held, store, undefined)
    },
  }
}

const unlimited: Admission = {
  ok: true,
  states: [],
  open: [],
  exceeded: [],
  release: () => undefined,
  stand: () => undefined,
}

function asksUpstream({ by, filters }: Limit): boolean {
  return by.includes('upstream') || filters.upstreams !== undefined
}

const everyName = (): boolean => true

/** Some limit that may apply cannot be asked yet. Where several upstreams may be asked, the first is not the only one. */
function mustWait({ head, body }: { head: LimitPlan; body: LimitPlan }, subject: LimitSubject): boolean {
  if (body.length === 0 && subject.severalUpstreams !== true) return false
  if (subject.severalUpstreams !== true) return body.some((limit) => appliesTo(limit.filters, subject))
  const may = ({ filters }: Limit): boolean => appliesTo({ ...filters, upstreams: everyName }, subject)
  return body.some(may) || head.some((limit) => asksUpstream(limit) && may(limit))
}

/** All are asked in one step once the body is known, so that a refusal by one consumes nothing of the others. */
class Deferred implements Admitted {
  readonly ok = true
  readonly states = []
  readonly open = []
  readonly exceeded: readonly string[]
  readonly #plan: LimitPlan
  readonly #early: readonly Asked[]
  #subject: LimitSubject
  readonly #store: Store
  readonly #held: Held
  #asked = false
  #released = false
  /** Counts that this request has taken already, for an upstream that was asked before. */
  readonly #counted = new Set<string>()
  #last: Admitted | undefined

  constructor(plan: LimitPlan, early: readonly Asked[], subject: LimitSubject, store: Store, held: Held) {
    this.#plan = plan
    this.#early = early
    this.#subject = subject
    this.#store = store
    this.#held = held
    this.exceeded = held.exceeded
  }

  release(): void {
    this.#held.release()
    // It ended before anybody asked, and would cost whoever sends such requests nothing.
    if (!this.#asked && !this.#released) countAfterwards(this.#early, this.#subject, this.#store)
    this.#released = true
  }

  /** Nothing is reserved here, but what never asks counts with what came of it. */
  settle(spent: Spent | undefined): void {
    if (!this.#asked && spent !== undefined) this.#subject = { ...this.#subject, bytes: spent.bytes }
  }

  stand(): string | undefined {
    return this.#held.stand()
  }

  reserve(demand: Demand, upstream: string = this.#subject.upstream): Admission | Promise<Admission> {
    this.#asked = true
    // What was reserved for another upstream was not produced there.
    this.#last?.settle?.(undefined)
    const { bytes = this.#subject.bytes ?? 0 } = demand
    const subject = { ...this.#subject, upstream, bytes }
    const asked = this.#plan.flatMap((limit) => {
      const applies =
        appliesTo(limit.filters, subject) && (limit.phase === 'head' || appliesToBody(limit.filters, demand))
      return applies ? named(limit, subject, demand) : []
    })
    const isNew = ({ limit, key }: Asked): boolean => !this.#counted.has(`${limit.slots}/${key}`)
    const early = new Set(this.#early.map(({ limit }) => limit))
    const slots = asked.filter((one) => isNew(one) && !early.has(one.limit))
    const held = holdSlots(slots, this.#store.slots, subject.standing === true)
    if ('ok' in held) return held
    const charged = chargesOf(asked, subject, demand)
    if (!Array.isArray(charged)) {
      held.release()
      return charged
    }
    const due = charged.filter(
      (one) => isNew(one) || !(one.quota.unit === 'requests' || one.quota.unit === 'toolCalls'),
    )
    if (due.length === 0) return this.#keep({ ok: true, states: [], open: [], ...held }, asked)
    const admission = conclude(due, held, this.#store, demand)
    return admission instanceof Promise
      ? admission.then((taken) => this.#keep(taken, asked))
      : this.#keep(admission, asked)
  }

  #keep(admission: Admission, asked: readonly Asked[]): Admission {
    if (!admission.ok) return admission
    for (const { limit, key } of asked) this.#counted.add(`${limit.slots}/${key}`)
    // What was not asked again is told again.
    const before = this.#last?.states.filter((state) => asked.some(({ limit }) => limit.id === state.limit)) ?? []
    const { states } = admission
    const missing = before.filter(
      (state) => !states.some((now) => now.limit === state.limit && now.unit === state.unit),
    )
    this.#last = missing.length === 0 ? admission : { ...admission, states: [...missing, ...states] }
    return this.#last
  }
}

/** One count for each role or tool where those are counted. Whoever calls no tool is not counted by tool. */
function named(limit: Limit, subject: LimitSubject, demand?: Demand): Asked[] {
  const byRole = limit.by.includes('role')
  const byTool = limit.by.includes('tool')
  const model = demand?.model
  if (!byRole && !byTool)
    return [{ limit, key: subjectKey(limit.by, model === undefined ? subject : { ...subject, model }) }]
  const roles = byRole ? some(subject.roles?.filter((role) => limit.filters.roles?.(role) ?? true)) : [undefined]
  const tools = byTool ? [...new Set(demand?.tools.filter((tool) => limit.filters.tools?.(tool) ?? true))] : [undefined]
  return roles.flatMap((role) =>
    tools.map((tool) => ({ limit, key: subjectKey(limit.by, { ...subject, model, role, tool }) })),
  )
}

function some(roles: readonly string[] | undefined): readonly (string | undefined)[] {
  return roles === undefined || roles.length === 0 ? [undefined] : [...new Set(roles)]
}
