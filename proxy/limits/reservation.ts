// Owns what one request takes of its limits and how that is put right when it is over. Which limits those are, and who
// asks, is the limiter's business.
import { reservedAmount, spentAmount } from './amounts.ts'
import type { Limit, Quota } from './compile.ts'
import { isTooLarge, type Charge, type Correction, type Taken } from './counters.ts'
import type { Admission, Admitted, Demand, LimitState, LimitSubject, Refused, Spent } from './limiter.ts'
import type { Asked, Held } from './slots-held.ts'
import type { Unit } from './options.ts'
import type { Store } from './store.ts'

/** `unpriced`: what it costs is not known, and the limit only watches. */
export type Charged = Asked & { readonly quota: Quota; readonly amount: number; readonly unpriced?: true }

/** A refusal: the limit counts money, and what this costs is not known. */
export function chargesOf(
  asked: readonly Asked[],
  subject: LimitSubject,
  demand: Demand | undefined,
): Charged[] | Refused {
  const charged: Charged[] = []
  for (const { limit, key } of asked) {
    for (const quota of limit.quotas) {
      const amount = reservedAmount(quota.unit, limit, subject, demand)
      if (amount === undefined) continue
      if (amount !== 'price-unknown') charged.push({ limit, key, quota, amount })
      else if (limit.shadow) charged.push({ limit, key, quota, amount: 0, unpriced: true })
      else return { ok: false, code: 'price-unknown', limit: limit.id, retryAfterMs: 0, states: [], open: [] }
    }
  }
  return charged
}

/** Slots are kept only by who is admitted, whatever goes wrong. */
export function conclude(
  charged: readonly Charged[],
  held: Held,
  store: Store,
  demand: Demand | undefined,
): Admission | Promise<Admission> {
  const { redis } = store
  if (redis === undefined) return keeping(held, () => verdict(countHere(charged, store), held, store, demand))
  return redis.take(charged.map(chargeOf)).then(
    (taken) =>
      keeping(held, () => {
        const outcome: Outcome =
          taken === undefined ? withoutRedis(charged, store) : { taken, charged, open: [], where: 'redis' }
        return verdict(outcome, held, store, demand)
      }),
    (error: unknown) => {
      held.release()
      throw error
    },
  )
}

function keeping(held: Held, decide: () => Admission): Admission {
  let admitted = false
  try {
    const admission = decide()
    admitted = admission.ok
    return admission
  } finally {
    if (!admitted) held.release()
  }
}

/** What is full now need not wait for the body, where asking costs nothing: Redis is asked once. */
export function fullAlready(
  asked: readonly Asked[],
  subject: LimitSubject,
  store: Store,
  held: Held,
): Refused | undefined {
  const charged = store.redis === undefined ? chargesOf(asked, subject, undefined) : []
  if (!Array.isArray(charged) || charged.length === 0) return undefined
  const taken = store.memory.take(charged.map((one) => ({ ...chargeOf(one), amount: 0 })))
  if (taken.admitted) return undefined
  held.release()
  return refusal(taken, charged, statesOf(charged, taken), [])
}

/** What a request of its own would have taken; nobody waits for it and nobody is refused. */
export function countAfterwards(asked: readonly Asked[], subject: LimitSubject, store: Store): void {
  const charged = chargesOf(asked, subject, undefined)
  if (!Array.isArray(charged) || charged.length === 0) return
  const charges = charged.map((one): Charge => ({ ...chargeOf(one), shadow: true }))
  if (store.redis === undefined) store.memory.take(charges)
  else void store.redis.take(charges)
}

/**
 * `taken` counts `charged`, which lacks the limits that were let pass. `denied`: a limit that needs the store; `watched` would,
 * but refuse nothing.
 */
type Outcome =
  | {
      readonly taken: Taken
      readonly charged: readonly Charged[]
      readonly open: readonly string[]
      readonly where: 'memory' | 'redis'
      readonly watched?: readonly Charged[]
    }
  | { readonly denied: Charged }

function countHere(charged: readonly Charged[], store: Store): Outcome {
  const taken = store.memory.take(charged.map(chargeOf))
  if (taken.forgotten.length === 0) return { taken, charged, open: [], where: 'memory' }
  const forgotten = charged.filter(({ quota }) => taken.forgotten.includes(quota.namespace))
  return { taken, charged, open: each(forgotten.map((one) => opened(one, 'forgotten', store))), where: 'memory' }
}

function withoutRedis(charged: readonly Charged[], store: Store): Outcome {
  const denied = charged.find(({ limit }) => limit.onStoreError === 'deny' && !limit.shadow)
  if (denied !== undefined) return { denied }
  const watched = charged.filter(({ limit }) => limit.onStoreError === 'deny')
  const local = charged.filter(({ limit }) => limit.onStoreError === 'local').map((one) => shareOf(one, store.replicas))
  const taken = store.memory.take(local.map(chargeOf))
  const passed = watched.length === 0 ? charged : charged.filter((one) => !watched.includes(one))
  const open = passed.map((one) => {
    const how = one.limit.onStoreError === 'allow' ? 'allow' : 'local'
    return opened(one, taken.forgotten.includes(one.quota.namespace) ? 'forgotten' : how, store)
  })
  return { taken, charged: local, open: each(open), where: 'memory', watched }
}

/** Several processes that cannot see each other's counts together let through no more than the limit, but for rounding. */
function shareOf(charged: Charged, replicas: number): Charged {
  if (replicas === 1) return charged
  const { quota } = charged
  const { window } = quota
  return {
    ...charged,
    quota: {
      ...quota,
      quota: Math.max(1, Math.floor(quota.quota / replicas)),
      window: window.kind === 'bucket' ? { ...window, perMs: window.perMs / replicas } : window,
    },
  }
}

function opened({ limit }: Charged, how: 'local' | 'allow' | 'forgotten', store: Store): string {
  store.onEvent({ kind: 'open', limit: limit.id, how })
  return `store:${limit.id}`
}

function each(names: readonly string[]): readonly string[] {
  return names.length < 2 ? names : [...new Set(names)]
}

function chargeOf({ limit, key, quota, amount }: Charged): Charge {
  const charge = { namespace: quota.namespace, key, quota: quota.quota, window: quota.window, amount }
  return limit.shadow ? { ...charge, shadow: true } : charge
}

/** Redis is asked again at least this often. */
const storeRetryMs = 1000

function verdict(outcome: Outcome, held: Held, store: Store, demand: Demand | undefined): Admission {
  if ('denied' in outcome) {
    const { id } = outcome.denied.limit
    return { ok: false, code: 'store-unavailable', limit: id, retryAfterMs: storeRetryMs, states: [], open: [] }
  }
  const { taken, charged, open, where, watched } = outcome
  const states = statesOf(charged, taken)
  if (!taken.admitted) return refusal(taken, charged, states, open)
  const missed = watched === undefined ? held.exceeded : [...held.exceeded, ...watched.map(({ limit }) => limit.id)]
  const exceeded = exceededBy(taken, charged, missed)
  const { release, stand } = held
  const model = demand?.billedModel ?? demand?.model
  const maxTokens = shortest(charged, demand)
  const plain: Admitted = { ok: true, states, open, exceeded, release, stand }
  const admitted = maxTokens === undefined ? plain : { ...plain, maxTokens }
  if (!charged.some(isPutRight)) return admitted
  const countsTokens = charged.some((one) => isPutRight(one) && one.quota.unit !== 'bytes')
  const later = charged.map((one, at) => ({ ...one, mark: taken.counts[at]?.mark ?? 0, counted: one.amount }))
  const counters = where === 'redis' && store.redis !== undefined ? store.redis : store.memory
  let over = false
  return {
    ...admitted,
    ...(countsTokens ? ({ countsTokens } as const) : undefined),
    settle(spent) {
      if (over) return
      over = spent === undefined
      const corrections = later.flatMap((one) => (isPutRight(one) ? correctionOf(one, model, spent, store) : []))
      if (corrections.length > 0) counters.correct(corrections)
    },
  }
}

function exceededBy({ counts }: Taken, charged: readonly Charged[], before: readonly string[]): readonly string[] {
  let exceeded = before
  charged.forEach(({ limit, quota, unpriced }, at) => {
    if (limit.shadow && (unpriced === true || (counts[at]?.used ?? 0) > quota.quota)) exceeded = [...exceeded, limit.id]
  })
  return each(exceeded)
}

function shortest(charged: readonly Charged[], demand: Demand | undefined): number | undefined {
  let shortestMax: number | undefined
  for (const { limit, quota } of charged) {
    const { maxTokens = Infinity, assumedTokens, boundsAssumed } = limit
    const isAssumed = boundsAssumed && demand?.outputTokensMax === undefined && outputUnits.has(quota.unit)
    const bound = isAssumed ? Math.min(maxTokens, assumedTokens) : maxTokens
    if (bound !== Infinity && !limit.shadow) shortestMax = Math.min(bound, shortestMax ?? bound)
  }
  return shortestMax
}

const outputUnits: ReadonlySet<Unit> = new Set(['tokens', 'outputTokens', 'cost'])

function isPutRight({ quota: { unit } }: Charged): boolean {
  return unit !== 'requests' && unit !== 'toolCalls'
}

/** `counted` is what is counted now. */
function correctionOf(
  one: Charged & { readonly mark: number; counted: number },
  model: string | undefined,
  spent: Spent | undefined,
  { onEvent }: Pick<Store, 'onEvent'>,
): Correction[] {
  const { limit, key, quota, amount, mark } = one
  const actual = Math.ceil(spentAmount(quota.unit, limit, model, amount, spent))
  const delta = actual - one.counted
  // Of bytes nothing is reserved for the answer, so that says nothing.
  if (actual > amount && one.counted <= amount && quota.unit !== 'bytes') onEvent({ kind: 'overrun', limit: limit.id })
  one.counted = actual
  return delta === 0 ? [] : [{ namespace: quota.namespace, key, window: quota.window, mark, delta }]
}

function statesOf(charged: readonly Charged[], taken: Taken): LimitState[] {
  const states: LimitState[] = []
  charged.forEach((one, index) => {
    if (one.limit.shadow) return
    const state = stateOf(one, taken, index)
    const told = isCountedApart(one.limit)
      ? states.findIndex(({ limit, unit }) => limit === state.limit && unit === state.unit)
      : -1
    if (told === -1) states.push(state)
    else if (state.remaining < (states[told] as LimitState).remaining) states[told] = state
  })
  return states
}

/** One request may have a count for each of its roles or tools; a name may stand in the headers only once. */
function isCountedApart({ by }: Limit): boolean {
  return by.includes('role') || by.includes('tool')
}

function stateOf({ limit, quota }: Charged, { counts }: Taken, index: number): LimitState {
  const { used, resetMs } = counts[index] ?? { used: quota.quota, resetMs: quota.window.lengthMs }
  const remaining = Math.max(Math.floor(quota.quota - used), 0)
  const state = { limit: limit.id, quota: quota.quota, windowMs: quota.window.lengthMs, remaining, resetMs }
  return quota.unit === 'requests' ? state : { ...state, unit: quota.unit }
}

/** Of several that refuse, the one that refuses longest: waiting for any other would be in vain. */
function refusal(
  { counts }: Taken,
  charged: readonly Charged[],
  states: readonly LimitState[],
  open: readonly string[],
): Refused {
  const refusing = charged.flatMap((one, at) => {
    const waitMs = counts[at]?.waitMs ?? 0
    const tooLarge = isTooLarge(chargeOf(one))
    // A bucket that is empty has nothing to wait for, and yet does not hold more than it holds.
    return one.limit.shadow || (waitMs <= 0 && !tooLarge) ? [] : [{ one, waitMs, tooLarge }]
  })
  const [first] = refusing
  if (first === undefined) throw new Error('A store refused what no limit refuses.')
  const longest = refusing.reduce((a, b) => (b.tooLarge || (!a.tooLarge && b.waitMs > a.waitMs) ? b : a))
  const { one, waitMs, tooLarge } = longest
  return {
    ok: false,
    code: tooLarge ? 'quota-exhausted' : codeOf(one.quota.window.lengthMs, waitMs),
    limit: one.limit.id,
    retryAfterMs: waitMs,
    ...(tooLarge ? { tooLarge } : undefined),
    states,
    open,
  }
}

/** Waiting is no advice when the wait is longer than `Retry-After` may say and the window is a quota's. */
function codeOf(windowMs: number, waitMs: number): 'rate-limited' | 'quota-exhausted' {
  return windowMs >= 3_600_000 && waitMs > 60_000 ? 'quota-exhausted' : 'rate-limited'
}
