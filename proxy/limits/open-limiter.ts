// Owns the decision whether a request may be served now: which limits apply, in which order they are asked, and what
// happens without the store. It does not know how counts are kept.
import type { Limit, LimitPlan } from './compile.ts'
import { appliesTo, appliesToBody } from './filters.ts'
import { subjectKey } from './key.ts'
import type { Admission, Demand, Limiter, LimitSubject } from './limiter.ts'
import { chargesOf, conclude, countAfterwards } from './reservation.ts'
import { holdSlots, type Asked, type Held } from './slots-held.ts'
import type { Store } from './store.ts'

/** A new limiter over the same store continues the counts of every limit whose id, rate and dimensions are the same. */
export function openLimiter(plan: LimitPlan, store: Store): Limiter {
  const head = plan.filter((limit) => limit.phase === 'head')
  const body = plan.filter((limit) => limit.phase === 'body')
  return {
    countsBytes: plan.some(({ quotas }) => quotas.some(({ unit }) => unit === 'bytes')),
    admit(subject) {
      const asked = head.flatMap((limit) => (appliesTo(limit.filters, subject) ? named(limit, subject) : []))
      const later = body.filter((limit) => appliesTo(limit.filters, subject))
      if (asked.length === 0 && later.length === 0) return unlimited
      // Slots first: they are free to give back, a count in Redis is not.
      const held = holdSlots(asked, store.slots, subject.standing === true)
      if ('ok' in held) return held
      if (later.length > 0) return deferred({ asked, later, subject, store }, held)
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

type Deferred = {
  readonly asked: readonly Asked[]
  readonly later: readonly Limit[]
  readonly subject: LimitSubject
  readonly store: Store
}

/** All are asked in one step once the body is known, so that a refusal by one consumes nothing of the others. */
function deferred({ asked, later, subject, store }: Deferred, held: Held): Admission {
  let open = true
  return {
    ok: true,
    states: [],
    open: [],
    ...held,
    release() {
      held.release()
      // It ended before anybody asked, and would cost whoever sends such requests nothing.
      if (open) countAfterwards(asked, subject, store)
      open = false
    },
    reserve(demand) {
      open = false
      const more = later.flatMap((limit) => (appliesToBody(limit.filters, demand) ? named(limit, subject, demand) : []))
      const heldLater = holdSlots(more, store.slots, subject.standing === true)
      if ('ok' in heldLater) return heldLater
      const charged = chargesOf([...asked, ...more], subject, demand)
      if (!Array.isArray(charged)) {
        heldLater.release()
        return charged
      }
      if (charged.length === 0) return { ok: true, states: [], open: [], ...heldLater }
      return conclude(charged, heldLater, store, demand.model)
    },
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
