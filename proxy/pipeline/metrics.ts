// Owns the metrics: their names (part of the interface) and their labels, all bounded by the configuration. Middle
// folders report through return values and events; only the pipeline and config/ call this.
import { Gauge, Registry } from 'prom-client'
import type { Decision } from '../policy/decision.ts'
import type { Usage } from '../protocol/content.ts'
import type { Attempt } from '../upstream/answer.ts'
import type { BreakerState } from '../upstream/breaker.ts'
import { CounterSeries, HistogramSeries, LevelSeries } from './series.ts'

const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]
const overheadBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1]

const usageTypes = [
  ['input', 'input'],
  ['output', 'output'],
  ['cacheRead', 'cache_read'],
  ['cacheWrite', 'cache_write'],
] as const

export type Metrics = ReturnType<typeof openMetrics>

export type RequestSample = {
  readonly route: string
  readonly decision: string
  readonly status: number
  readonly totalMs: number
  readonly overheadMs: number
}

/** `limit`: how many requests may be under way at the same time, where somebody has said. */
export type UpstreamInForce = {
  readonly id: string
  readonly state: BreakerState
  readonly limit: number | undefined
}

const breakerValues: { readonly [S in BreakerState]: number } = { closed: 0, 'half-open': 1, open: 2 }

export function openMetrics() {
  const registry = new Registry()
  const i = instrumentsIn(registry)
  return {
    registry,
    inflight: i.inflight,
    auditSize: i.auditSize,
    auditCheckpointAge: i.auditCheckpointAge,
    buildInfo: i.buildInfo,

    request({ route, decision, status, totalMs, overheadMs }: RequestSample) {
      i.requests.add(1, route, decision, status)
      i.requestSeconds.observe(totalMs / 1000, route)
      i.overheadSeconds.observe(overheadMs / 1000, route)
    },
    decision(made: Decision) {
      // In shadow mode nothing is enforced, and the default has not allowed it either.
      const maker = made.rule ?? (made.code === 'shadow-mode' ? 'shadow-mode' : 'default')
      i.decisions.add(1, maker, made.effect, 'enforce')
      if (made.shadow !== undefined) i.decisions.add(1, made.shadow.rule ?? 'default', made.shadow.effect, 'shadow')
    },
    redaction: (entity: string, direction: 'request' | 'response', count: number) =>
      i.redactions.add(count, entity, direction),
    rateLimited: (limit: string) => i.rateLimited.add(1, limit),
    limitOverrun: (limit: string) => i.limitOverruns.add(1, limit),
    tokens(usage: Usage) {
      for (const [field, type] of usageTypes) {
        const count = usage[field]
        if (count !== undefined) i.tokens.add(count, type)
      }
    },
    implausibleUsage: (upstream: string) => i.implausibleUsages.add(1, upstream),
    /** In billionths of a dollar. */
    cost: (nanos: number) => i.cost.add(nanos / 1e9),
    attempt(upstream: string, { outcome, status, firstByteMs }: Attempt) {
      const classed = outcome === 'answered' && status !== undefined
      i.upstreamRequests.add(1, upstream, classed ? `${Math.floor(status / 100)}xx` : outcome)
      if (firstByteMs !== undefined) i.firstByteSeconds.observe(firstByteMs / 1000, upstream)
    },
    upstreamEnd: (upstream: string, durationMs: number) => i.upstreamSeconds.observe(durationMs / 1000, upstream),
    upstreams: (inForce: Iterable<UpstreamInForce>) => showUpstreams(i, inForce),
    breakerOpened: (upstream: string, part: 'connection' | 'model') => i.breakerOpenings.add(1, upstream, part),
    retry: (upstream: string) => i.retries.add(1, upstream),
    upstreamQuota: (upstream: string) => i.upstreamQuotas.add(1, upstream),
    queueRefused: (upstream: string, why: 'full' | 'late') => i.queueRefused.add(1, upstream, why),
    credentialRefused: (upstream: string) => i.credentialsRefused.add(1, upstream),
    credentialRest: (upstream: string, credential: string) => i.credentialRests.add(1, upstream, credential),
    auditRecord: (kind: string) => i.auditRecords.add(1, kind),
    auditFailure: () => i.auditFailures.add(1),
    /** `what` is `audit` or `store:<limit id>`. */
    failOpen: (what: string) => i.failOpen.add(1, what),
    uninspected: (what: string) => i.uninspected.add(1, what),
    connectionRefused: () => i.connectionsRefused.add(1),
    shed: (priority: string, signal: string) => i.shed.add(1, priority, signal),
    slow: (route: string) => i.slow.add(1, route),
    storeError: (what: string) => i.storeErrors.add(1, what),
    configInForce(hash: string) {
      i.reloadSuccess.set(1)
      i.configInfo.reset()
      i.configInfo.set({ hash }, 1)
    },
    reloaded: () => i.reloads.add(1, 'taken-over'),
    reloadRefused() {
      i.reloadSuccess.set(0)
      i.reloads.add(1, 'refused')
    },
  }
}

/** Every instrument, under its name in this file. */
function instrumentsIn(registry: Registry) {
  return { ...exchangesIn(registry), ...upstreamsIn(registry), ...processIn(registry) }
}

function exchangesIn(registry: Registry) {
  const counter = counterIn(registry)
  const histogram = histogramIn(registry)
  const level = levelIn(registry)
  return {
    requests: counter('requests_total', 'Exchanges by route, decision and status sent', [
      'route',
      'decision',
      'status',
    ]),
    requestSeconds: histogram(
      'request_duration_seconds',
      'Time from the first byte of a request to the end of its answer',
      ['route'],
      secondsBuckets,
    ),
    overheadSeconds: histogram(
      'overhead_seconds',
      'Time spent in the proxy itself: the total less the waiting for client, upstream and body',
      ['route'],
      overheadBuckets,
    ),
    decisions: counter('policy_decisions_total', 'Decisions by the rule that made them', ['rule', 'effect', 'mode']),
    redactions: counter('redactions_total', 'Values replaced', ['entity', 'direction']),
    rateLimited: counter('rate_limited_total', 'Requests refused by a limit', ['limit']),
    limitOverruns: counter(
      'limit_overruns_total',
      'Calls that took more of the tokens or money of a limit than was reserved for them',
      ['limit'],
    ),
    tokens: counter('tokens_total', 'Tokens as reported by upstreams', ['type']),
    cost: counter('cost_total', 'US dollars by the prices that are known, where limits or prices ask for them', []),
    failOpen: counter('fail_open_total', 'Exchanges that went on although a configured check could not be made', [
      'what',
    ]),
    uninspected: counter('uninspected_total', 'Content that was passed without being read', ['what']),
    slow: counter('slow_requests_total', 'Exchanges that took longer than log.slow', ['route']),
    inflight: level('inflight_requests', 'Exchanges under way'),
  }
}

function upstreamsIn(registry: Registry) {
  const counter = counterIn(registry)
  const gauge = gaugeIn(registry)
  const histogram = histogramIn(registry)
  return {
    upstreamRequests: counter('upstream_requests_total', 'Attempts by outcome', ['upstream', 'outcome']),
    upstreamSeconds: histogram(
      'upstream_duration_seconds',
      'Time from sending a request upstream to the end of the answer',
      ['upstream'],
      secondsBuckets,
    ),
    firstByteSeconds: histogram(
      'upstream_time_to_first_byte_seconds',
      'Time from sending a request upstream to the head of the answer',
      ['upstream'],
      secondsBuckets,
    ),
    breakerState: gauge('breaker_state', 'State of the worst of its breakers: 0 closed, 1 half-open, 2 open', [
      'upstream',
    ]),
    breakerOpenings: counter(
      'breaker_openings_total',
      'Times a breaker opened: of all requests (connection) or of those for one model',
      ['upstream', 'part'],
    ),
    retries: counter('retries_total', 'Attempts after the first', ['upstream']),
    upstreamQuotas: counter('upstream_quota_exhausted_total', 'Answers that say that a quota or budget is used up', [
      'upstream',
    ]),
    implausibleUsages: counter(
      'upstream_implausible_usage_total',
      'Answers that report a usage that cannot be true, and are estimated instead',
      ['upstream'],
    ),
    queueRefused: counter(
      'queue_refused_total',
      'Requests refused because the queue before an upstream was full or slow',
      ['upstream', 'why'],
    ),
    concurrencyLimit: gauge('upstream_concurrency_limit', 'Requests that may be under way at the same time', [
      'upstream',
    ]),
    credentialsRefused: counter(
      'upstream_credential_refused_total',
      'Answers of 401 or 403 to requests that were sent with a credential of ours',
      ['upstream'],
    ),
    credentialRests: counter('credential_rests_total', 'Times one of several credentials was left alone for a while', [
      'upstream',
      'credential',
    ]),
  }
}

function processIn(registry: Registry) {
  const counter = counterIn(registry)
  const gauge = gaugeIn(registry)
  return {
    auditRecords: counter('audit_records_total', 'Records accepted by the audit log', ['kind']),
    auditFailures: counter('audit_failures_total', 'Records that the audit log did not accept or make durable', []),
    auditSize: gauge('audit_size', 'Records in the audit log', []),
    auditCheckpointAge: gauge('audit_checkpoint_age_seconds', 'Age of the newest signed checkpoint', []),
    reloadSuccess: gauge('config_reload_success', '1 when the last reload was taken over, 0 when it was refused', []),
    configInfo: gauge('config_info', 'Always 1; the label is the digest of the configuration in force', ['hash']),
    reloads: counter('config_reloads_total', 'Reloads by result', ['result']),
    storeErrors: counter('store_errors_total', 'Limit store calls that failed', ['what']),
    shed: counter('shed_total', 'Requests refused because the gateway had too much to do', ['priority', 'signal']),
    connectionsRefused: counter('connections_refused_total', 'Connections above server.limits.connections', []),
    buildInfo: gauge('build_info', 'Always 1; the labels say what runs', ['version', 'node']),
  }
}

const prefix = 'gatewright_'

function counterIn(registry: Registry) {
  return (name: string, help: string, labelNames: readonly string[]) =>
    new CounterSeries({ registry, name: prefix + name, help, labelNames })
}

function gaugeIn(registry: Registry) {
  return <T extends string>(name: string, help: string, labelNames: T[]) =>
    new Gauge({ name: prefix + name, help, labelNames, registers: [registry] })
}

function levelIn(registry: Registry) {
  return (name: string, help: string) => new LevelSeries({ registry, name: prefix + name, help, labelNames: [] })
}

function histogramIn(registry: Registry) {
  return (name: string, help: string, labelNames: readonly string[], bounds: readonly number[]) =>
    new HistogramSeries({ registry, name: prefix + name, help, labelNames }, bounds)
}

/** One that was replaced or removed is not shown any more, whatever becomes of its last exchanges. */
function showUpstreams(
  { breakerState, concurrencyLimit }: ReturnType<typeof instrumentsIn>,
  inForce: Iterable<UpstreamInForce>,
): void {
  breakerState.reset()
  concurrencyLimit.reset()
  for (const { id, state, limit } of inForce) {
    breakerState.set({ upstream: id }, breakerValues[state])
    if (limit !== undefined) concurrencyLimit.set({ upstream: id }, limit)
  }
}
