// Owns the decision whether a request may be served now: which limits apply, in which order they are asked, and what
// happens without the store. It does not know how counts are kept.
import type { Limit, LimitPlan } from './compile.ts'
import type { Charge, Taken } from './counters.ts'
import { subjectKey } from './key.ts'
import type { Admission, Limiter, LimitState, LimitSubject } from './limiter.ts'
import type { Store } from './store.ts'

/** A new limiter over the same store continues the counts of every limit whose id, rate and dimensions are the same. */
export function openLimiter(plan: LimitPlan, store: Store): Limiter {
  const limits = {
    head: plan.filter((limit) => limit.phase === 'head'),
    body: plan.filter((limit) => limit.phase === 'body'),
  }
  return {
    admit(phase, subject) {
      const asked: Asked[] = []
      for (const limit of limits[phase])
        if (applies(limit, subject)) asked.push({ limit, key: subjectKey(limit.by, subject) })
      if (asked.length === 0) return unlimited
      // Slots first: they are free to give back, a count in Redis is not.
      const slots = acquire(asked, store, subject.standing === true)
      if ('ok' in slots) return slots
      const charged = asked.filter(isCharged)
      if (charged.length === 0) return { ok: true, states: [], open: [], ...slots }
      const { redis } = store
      if (redis === undefined) return conclude(slots, () => countHere(charged, store))
      return redis.take(charged.map(chargeOf)).then(
        (taken) =>
          conclude(slots, () => (taken === undefined ? withoutRedis(charged, store) : { taken, charged, open: [] })),
        (error: unknown) => {
          slots.release()
          throw error
        },
      )
    },
  }
}

type Asked = { readonly limit: Limit; readonly key: string }
type Charged = { readonly limit: Limit & Required<Pick<Limit, 'rate'>>; readonly key: string }

const unlimited: Admission = { ok: true, states: [], open: [], release: () => undefined, stand: () => undefined }

function applies(limit: Limit, subject: LimitSubject): boolean {
  return (
    (limit.principals?.has(subject.principal) ?? true) &&
    (limit.routes?.has(subject.route) ?? true) &&
    (limit.upstreams?.has(subject.upstream) ?? true)
  )
}

function isCharged(asked: Asked): asked is Charged {
  return asked.limit.rate !== undefined
}

type Held = Pick<Extract<Admission, { ok: true }>, 'release' | 'stand'>

/** When a slot is free again depends on how long others take, so this is only a pause against hammering. */
const slotRetryMs = 1000

function acquire(
  asked: readonly Asked[],
  { slots }: Store,
  standing: boolean,
): Held | (Admission & { readonly ok: false }) {
  let held: string[] = []
  const giveBack = (names: readonly string[]): void => {
    for (const name of names) slots.release(name)
  }
  const release = (): void => giveBack(held.splice(0))
  for (const { limit, key } of asked) {
    if (limit.concurrency === undefined) continue
    const name = slotName(limit, key, standing)
    if (slots.acquire(name, limit.concurrency)) {
      held.push(name)
      continue
    }
    release()
    return { ok: false, code: 'concurrency-limited', limit: limit.id, retryAfterMs: slotRetryMs, states: [], open: [] }
  }
  const stand = (): string | undefined => {
    if (held.length === 0 || standing) return undefined
    const taken: string[] = []
    for (const { limit, key } of asked) {
      if (limit.concurrency === undefined) continue
      const name = slotName(limit, key, true)
      if (!slots.acquire(name, limit.concurrency)) {
        giveBack(taken)
        return limit.id
      }
      taken.push(name)
    }
    release()
    held = taken
    return undefined
  }
  return { release, stand }
}

/** As many streams may stand as requests may be in flight, beside each other. No id of a limit has a colon. */
function slotName({ slots }: Limit, key: string, standing: boolean): string {
  return standing ? `standing:${slots}/${key}` : `${slots}/${key}`
}

/** `taken` counts `charged`, which lacks the limits that were let pass. `denied`: a limit that needs the store. */
type Outcome =
  | { readonly taken: Taken; readonly charged: readonly Charged[]; readonly open: readonly string[] }
  | { readonly denied: Charged }

/** Slots are kept only by who is admitted, whatever goes wrong. */
function conclude(slots: Held, outcome: () => Outcome): Admission {
  let admitted = false
  try {
    const verdict = judge(outcome())
    admitted = verdict.ok
    return verdict.ok ? { ...verdict, ...slots } : verdict
  } finally {
    if (!admitted) slots.release()
  }
}

function countHere(charged: readonly Charged[], store: Store): Outcome {
  const taken = store.memory.take(charged.map(chargeOf))
  if (taken.forgotten.length === 0) return { taken, charged, open: [] }
  const forgotten = charged.filter(({ limit }) => taken.forgotten.includes(limit.namespace))
  return { taken, charged, open: forgotten.map(({ limit }) => opened(limit, 'forgotten', store)) }
}

function withoutRedis(charged: readonly Charged[], store: Store): Outcome {
  const denied = charged.find(({ limit }) => limit.onStoreError === 'deny')
  if (denied !== undefined) return { denied }
  const local = charged.filter(({ limit }) => limit.onStoreError === 'local')
  const taken = store.memory.take(local.map(chargeOf))
  const open = charged.map(({ limit }) => {
    const how = limit.onStoreError === 'allow' ? 'allow' : 'local'
    return opened(limit, taken.forgotten.includes(limit.namespace) ? 'forgotten' : how, store)
  })
  return { taken, charged: local, open }
}

function opened(limit: Limit, how: 'local' | 'allow' | 'forgotten', store: Store): string {
  store.onEvent({ kind: 'open', limit: limit.id, how })
  return `store:${limit.id}`
}

function chargeOf({ limit, key }: Charged): Charge {
  return { namespace: limit.namespace, key, quota: limit.rate.amount, windowMs: limit.rate.windowMs }
}

/** Redis is asked again at least this often. */
const storeRetryMs = 1000

function judge(
  outcome: Outcome,
): { ok: true; states: LimitState[]; open: readonly string[] } | (Admission & { ok: false }) {
  if ('denied' in outcome) {
    const { id } = outcome.denied.limit
    return { ok: false, code: 'store-unavailable', limit: id, retryAfterMs: storeRetryMs, states: [], open: [] }
  }
  const { taken, charged, open } = outcome
  const states = charged.map(({ limit }, index): LimitState => {
    const { used, resetMs } = taken.counts[index] ?? { used: limit.rate.amount, resetMs: limit.rate.windowMs }
    const remaining = Math.max(limit.rate.amount - used, 0)
    return { limit: limit.id, quota: limit.rate.amount, windowMs: limit.rate.windowMs, remaining, resetMs }
  })
  if (taken.admitted) return { ok: true, states, open }
  // Of several that refuse, the one that refuses longest: waiting for any other would be in vain.
  const refusing = states.filter((state) => state.remaining === 0)
  const longest = refusing.reduce((a, b) => (b.resetMs > a.resetMs ? b : a))
  return { ok: false, code: codeOf(longest), limit: longest.limit, retryAfterMs: longest.resetMs, states, open }
}

/** Waiting is no advice when the wait is longer than `Retry-After` may say and the window is a quota's. */
function codeOf(state: LimitState): 'rate-limited' | 'quota-exhausted' {
  return state.windowMs >= 3_600_000 && state.resetMs > 60_000 ? 'quota-exhausted' : 'rate-limited'
}
