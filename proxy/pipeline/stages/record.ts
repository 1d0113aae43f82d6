// Owns the end of every exchange, whatever it was: slots are given back, the breaker is told, one outcome record is
// appended, metrics and the log line are written. It must not throw and must run exactly once.
import { costNanos } from '../../limits/prices.ts'
import type { Client } from '../client.ts'
import { billedModel, reachedModel, settledOf, spentOf } from '../consumption.ts'
import type { Ended, Exchange } from '../exchange.ts'
import { decisionOf } from '../headers.ts'
import { endOf, outcomeFields, type Ending } from '../outcome.ts'
import type { Runtime } from '../runtime.ts'

export function record(x: Exchange, runtime: Runtime, client: Client): void {
  const ended = x as Ended
  // Of an answer that was kept nothing is produced again, so nobody is billed for what it says.
  if (ended.answer?.replayed === true) {
    ended.trace.usage = undefined
    ended.trace.usageImplausible = false
  }
  settleLimits(ended, runtime, client)
  ended.answer?.settle(settlement(ended))
  const ending: Ending = {
    decision: decisionOf(ended) ?? 'none',
    end: endOf(ended),
    totalMs: runtime.clock.monotonic() - x.startedMs,
    bytesIn: client.bytesIn,
    bytesOut: client.bytesOut,
  }
  appendOutcome(ended, runtime, ending)
  measure(ended, runtime, ending)
}

/** What was reserved becomes what was used. */
function settleLimits(x: Ended, { prices, metrics }: Runtime, client: Client): void {
  const { trace } = x
  const model = billedModel(x)
  if (prices !== undefined && model !== undefined && (trace.usage !== undefined || reachedModel(x))) {
    const price = prices.of(model)
    if (price !== undefined) metrics.cost((trace.costNanos = costNanos(price, spentOf(x, 0))))
  }
  for (const admission of x.admissions ?? []) {
    admission.settle?.(settledOf(x, client.bytesIn + client.bytesOut))
    admission.release()
  }
}

/** A client that leaves, and a refusal of ours, must not trip a breaker that others share. */
function settlement(x: Ended): 'complete' | 'broken' | 'neutral' {
  const { fault, upstreamError, answerFailed, errorOfAsker } = x.trace
  if (upstreamError || answerFailed) return errorOfAsker ? 'neutral' : 'broken'
  if (fault === undefined) return 'complete'
  return fault.code.startsWith('upstream-') ? 'broken' : 'neutral'
}

function appendOutcome(x: Ended, runtime: Runtime, ending: Ending): void {
  try {
    runtime.audit.log.append('outcome', outcomeFields(x, runtime, ending))
  } catch (error) {
    runtime.metrics.auditFailure()
    runtime.log.error({ request: x.id, err: error }, 'outcome record was not accepted by the audit log')
  }
}

function measure(x: Ended, runtime: Runtime, { decision, end, totalMs }: Ending): void {
  const { trace } = x
  const overheadMs = Math.max(0, totalMs - trace.waitedMs)
  const status = trace.status ?? 499
  // How long a WebSocket stays open says nothing about how quick anybody was.
  const slow = totalMs > runtime.slowMs && status !== 101
  runtime.metrics.request({ route: x.route?.id ?? 'none', decision, status, totalMs, overheadMs })
  for (const made of x.decisions ?? []) runtime.metrics.decision(made)
  for (const { decision: made } of trace.answerDecisions) runtime.metrics.decision(made)
  for (const what of trace.uninspected) runtime.metrics.uninspected(what)
  if (trace.usage !== undefined) runtime.metrics.tokens(trace.usage)
  if (trace.usageImplausible && x.route !== undefined) runtime.metrics.implausibleUsage(x.route.upstream.id)
  const line = {
    request: x.id,
    route: x.route?.id,
    operation: x.operation?.name,
    principal: x.principal?.id,
    decision,
    rule: trace.fault?.details.rule,
    fault: trace.fault?.code,
    status,
    end,
    totalMs: round(totalMs),
    overheadMs: round(overheadMs),
    firstByteMs: trace.firstByteMs === undefined ? undefined : round(trace.firstByteMs),
    open: trace.open.length > 0 ? trace.open : undefined,
    // Here and not as a second argument, which the logger would take for a format.
    msg: slow ? 'slow request' : 'request',
  }
  if (slow) {
    runtime.metrics.slow(line.route ?? 'none')
    runtime.log.warn(line)
  } else runtime.log.info(line)
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100
}
