// Owns what the audit log says of an exchange. It is made from the trace alone: what ran, not what was configured.
// Addresses, kinds and keyed digests; never content, keys or query strings.
import { faults } from '../errors.ts'
import type { Decision } from '../policy/decision.ts'
import type { Usage } from '../protocol/content.ts'
import type { Decided, Ended, AuditFields } from './exchange.ts'
import { decisionOf } from './headers.ts'
import type { Runtime } from './runtime.ts'

/** What is made durable before the upstream call. */
export function intentFields(x: Decided, runtime: Runtime): AuditFields {
  return { ...whoAndWhat(x), decisions: x.decisions.map(decisionFields), config: runtime.hash }
}

export function outcomeFields(x: Ended, runtime: Runtime, bytes: { in: number; out: number }): AuditFields {
  const { trace } = x
  const fields: AuditFields = {
    ...whoAndWhat(x),
    config: runtime.hash,
    decision: decisionOf(x) ?? 'none',
    end: endOf(x),
    bytesIn: bytes.in,
    bytesOut: bytes.out,
    durationUs: Math.round((runtime.clock.monotonic() - x.startedMs) * 1000),
  }
  if (trace.status !== undefined) fields['status'] = trace.status
  if (trace.fault !== undefined) fields['fault'] = trace.fault.code
  if (trace.fault?.details.rule !== undefined) fields['rule'] = trace.fault.details.rule
  if (trace.fault?.details.limit !== undefined) fields['limit'] = trace.fault.details.limit
  if (x.decisions !== undefined) fields['decisions'] = x.decisions.map(decisionFields)
  if (x.withheld !== undefined && x.withheld.length > 0)
    fields['toolsWithheld'] = x.withheld.slice(0, 100).map(({ name }) => name.slice(0, 128))
  if (trace.answerDecisions.length > 0) {
    fields['answerDecisions'] = trace.answerDecisions.map(({ tool, decision }) => ({
      tool,
      ...decisionFields(decision),
    }))
  }
  const scanned: AuditFields = {}
  if (trace.scanned.request.length > 0) scanned['request'] = trace.scanned.request
  if (trace.scanned.answer.length > 0) scanned['answer'] = trace.scanned.answer
  if (Object.keys(scanned).length > 0) fields['scanned'] = scanned
  const redactions = [...counted('request', trace.redactedRequest), ...counted('answer', trace.redactedAnswer)]
  if (redactions.length > 0) fields['redactions'] = redactions
  const observed = [...counted('request', trace.observedRequest), ...counted('answer', trace.observedAnswer)]
  if (observed.length > 0) fields['observed'] = observed
  if (trace.redactedAt.length > 0) fields['redactedAt'] = trace.redactedAt.slice(0, 100)
  if (trace.uninspected.size > 0) fields['uninspected'] = [...trace.uninspected]
  if (trace.open.length > 0) fields['open'] = trace.open
  if (trace.attempts.length > 0)
    fields['attempts'] = trace.attempts.map(({ outcome, status }) =>
      status === undefined ? { outcome } : { outcome, status },
    )
  if (trace.usage !== undefined) fields['usage'] = wholeNumbers(trace.usage)
  if (trace.digestForwarded !== undefined) fields['digestForwarded'] = trace.digestForwarded
  return fields
}

/** `complete` only when the answer's last byte was written and nothing was missing. */
export function endOf(x: Ended): string {
  if (x.trace.fault !== undefined && faults[x.trace.fault.code].status === 499) return 'client-gone'
  return x.trace.end ?? 'client-gone'
}

function whoAndWhat(x: Ended): AuditFields {
  const fields: AuditFields = { request: x.id, method: x.head.method, ip: x.head.ip }
  if (x.route === undefined) return fields
  fields['route'] = x.route.id
  fields['upstream'] = x.route.upstream.id
  if (x.operation !== undefined) {
    fields['operation'] = x.operation.name
    fields['path'] = (x.shownPath ?? x.operation.path).slice(0, 1024)
  }
  if (x.principal !== undefined) fields['principal'] = x.principal.id
  if (x.keyId !== undefined) fields['key'] = x.keyId
  if (x.content?.model !== undefined) fields['model'] = x.content.model.slice(0, 256)
  if (x.trace.digestRequest !== undefined) fields['digestRequest'] = x.trace.digestRequest
  return fields
}

function decisionFields(decision: Decision): AuditFields {
  const fields: AuditFields = { effect: decision.effect, code: decision.code }
  if (decision.rule !== undefined) fields['rule'] = decision.rule
  if (decision.matched.length > 0) fields['matched'] = decision.matched.map(({ rule }) => rule)
  if (decision.unevaluable.length > 0) fields['unevaluable'] = decision.unevaluable.map(({ rule }) => rule)
  if (decision.shadow !== undefined) {
    fields['shadow'] = {
      effect: decision.shadow.effect,
      ...(decision.shadow.rule === undefined ? undefined : { rule: decision.shadow.rule }),
    }
  }
  return fields
}

/** Records hold no fractions, and what an upstream reports may have some. */
function wholeNumbers(usage: Usage): AuditFields {
  return Object.fromEntries(Object.entries(usage).map(([type, count]) => [type, Math.round(count)]))
}

function counted(direction: string, counts: ReadonlyMap<string, number>): AuditFields[] {
  return [...counts].map(([entity, count]) => ({ direction, entity, count }))
}
