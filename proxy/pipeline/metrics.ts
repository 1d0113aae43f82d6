// Owns the metrics: their names (part of the interface) and their labels, all bounded by the configuration. Middle
// folders report through return values and events; only the pipeline and config/ call this.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Decision } from '../policy/decision.ts'
import type { Usage } from '../protocol/content.ts'
import type { Attempt } from '../upstream/answer.ts'
import type { BreakerState } from '../upstream/breaker.ts'

const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]
const overheadBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1]

export type Metrics = ReturnType<typeof openMetrics>

export type RequestSample = { readonly route: string; readonly decision: string; readonly status: number; readonly totalMs: number; readonly overheadMs: number }

export function openMetrics() {
  const registry = new Registry()
  const counter = counterIn(registry)
  const gauge = gaugeIn(registry)
  const histogram = histogramIn(registry)

  const requests = counter('requests_total', 'Exchanges by route, decision and status sent', ['route', 'decision', 'status'])
  const requestSeconds = histogram('request_duration_seconds', 'Time from the first byte of a request to the end of its answer', ['route'], secondsBuckets)
  const overheadSeconds = histogram('overhead_seconds', 'Time spent in the proxy itself: the total less the waiting for client, upstream and body', ['route'], overheadBuckets)
  const decisions = counter('policy_decisions_total', 'Decisions by the rule that made them', ['rule', 'effect', 'mode'])
  const redactions = counter('redactions_total', 'Values replaced', ['entity', 'direction'])
  const rateLimited = counter('rate_limited_total', 'Requests refused by a limit', ['limit'])
  const tokens = counter('tokens_total', 'Tokens as reported by upstreams', ['type'])
  const upstreamRequests = counter('upstream_requests_total', 'Attempts by outcome', ['upstream', 'outcome'])
  const upstreamSeconds = histogram('upstream_duration_seconds', 'Time from sending a request upstream to the end of the answer', ['upstream'], secondsBuckets)
  const firstByteSeconds = histogram('upstream_time_to_first_byte_seconds', 'Time from sending a request upstream to the head of the answer', ['upstream'], secondsBuckets)
  const breakerState = gauge('breaker_state', 'State of the breaker: 0 closed, 1 half-open, 2 open', ['upstream'])
  const retries = counter('retries_total', 'Attempts after the first', ['upstream'])
  const auditRecords = counter('audit_records_total', 'Records accepted by the audit log', ['kind'])
  const auditFailures = counter('audit_failures_total', 'Records that the audit log did not accept or make durable', [])
  const failOpen = counter('fail_open_total', 'Exchanges that went on although a configured check could not be made', ['what'])
  const uninspected = counter('uninspected_total', 'Content that was passed without being read', ['what'])
  const reloadSuccess = gauge('config_reload_success', '1 when the last reload was taken over, 0 when it was refused', [])
  const configInfo = gauge('config_info', 'Always 1; the label is the digest of the configuration in force', ['hash'])
  const reloads = counter('config_reloads_total', 'Reloads by result', ['result'])
  const storeErrors = counter('store_errors_total', 'Limit store calls that failed', ['what'])
  const slow = counter('slow_requests_total', 'Exchanges that took longer than log.slow', ['route'])

  return {
    registry,
    inflight: gauge('inflight_requests', 'Exchanges under way', []),
    auditSize: gauge('audit_size', 'Records in the audit log', []),
    auditCheckpointAge: gauge('audit_checkpoint_age_seconds', 'Age of the newest signed checkpoint', []),
    buildInfo: gauge('build_info', 'Always 1; the labels say what runs', ['version', 'node']),

    request({ route, decision, status, totalMs, overheadMs }: RequestSample) {
      requests.inc({ route, decision, status })
      requestSeconds.observe({ route }, totalMs / 1000)
      overheadSeconds.observe({ route }, overheadMs / 1000)
    },
    decision(made: Decision) {
      decisions.inc({ rule: made.rule ?? 'default', effect: made.effect, mode: 'enforce' })
      if (made.shadow !== undefined) decisions.inc({ rule: made.shadow.rule ?? 'default', effect: made.shadow.effect, mode: 'shadow' })
    },
    redaction: (entity: string, direction: 'request' | 'response', count: number) => redactions.inc({ entity, direction }, count),
    rateLimited: (limit: string) => rateLimited.inc({ limit }),
    tokens(usage: Usage) {
      for (const [type, count] of Object.entries(usage)) tokens.inc({ type: snake(type) }, count)
    },
    attempt(upstream: string, { outcome, status, firstByteMs }: Attempt) {
      upstreamRequests.inc({ upstream, outcome: status === undefined ? outcome : `${Math.floor(status / 100)}xx` })
      if (firstByteMs !== undefined) firstByteSeconds.observe({ upstream }, firstByteMs / 1000)
    },
    upstreamEnd: (upstream: string, durationMs: number) => upstreamSeconds.observe({ upstream }, durationMs / 1000),
    breaker: (upstream: string, state: BreakerState) => breakerState.set({ upstream }, state === 'closed' ? 0 : state === 'open' ? 2 : 1),
    retry: (upstream: string) => retries.inc({ upstream }),
    auditRecord: (kind: string) => auditRecords.inc({ kind }),
    auditFailure: () => auditFailures.inc(),
    /** `what` is `audit` or `store:<limit id>`. */
    failOpen: (what: string) => failOpen.inc({ what }),
    uninspected: (what: string) => uninspected.inc({ what }),
    slow: (route: string) => slow.inc({ route }),
    storeError: (what: string) => storeErrors.inc({ what }),
    reloaded(hash: string) {
      reloadSuccess.set(1)
      configInfo.reset()
      configInfo.set({ hash }, 1)
      reloads.inc({ result: 'taken-over' })
    },
    reloadRefused() {
      reloadSuccess.set(0)
      reloads.inc({ result: 'refused' })
    },
  }
}

const prefix = 'gatewright_'

function counterIn(registry: Registry) {
  return <T extends string>(name: string, help: string, labelNames: T[]) => new Counter({ name: prefix + name, help, labelNames, registers: [registry] })
}

function gaugeIn(registry: Registry) {
  return <T extends string>(name: string, help: string, labelNames: T[]) => new Gauge({ name: prefix + name, help, labelNames, registers: [registry] })
}

function histogramIn(registry: Registry) {
  return <T extends string>(name: string, help: string, labelNames: T[], buckets: number[]) =>
    new Histogram({ name: prefix + name, help, labelNames, buckets, registers: [registry] })
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
