// Owns the stop: an exchange that may not go on ends here, one that may gets its permit and, on a strict log, a durable
// intent record before anything is sent.
import type { Finding } from '../../detect/finding.ts'
import type { Plan } from '../../detect/redaction.ts'
import { Fault } from '../../errors.ts'
import type { Decision } from '../../policy/decision.ts'
import { grant } from '../../policy/permit.ts'
import { grow, type Decided, type Permitted } from '../exchange.ts'
import { intentFields } from '../outcome.ts'
import { headerTexts } from '../header-redaction.ts'
import type { Runtime } from '../runtime.ts'
import { hasFindings, targetTexts } from '../target.ts'
import { letStand } from './admit.ts'
import { reserve } from './reserve.ts'

export async function enforce(x: Decided, runtime: Runtime): Promise<Permitted> {
  for (const decision of x.decisions) stopUnlessAllowed(decision, x.route.denyStatus)
  stopIfBlocked(x)
  const reserving = reserve(x, runtime)
  if (reserving !== undefined) await reserving
  if (x.asked?.standing === true) letStand(x, runtime)
  const permit = grant(x.decisions)
  if (permit === undefined) throw new Fault('internal')
  if (runtime.audit.strict) await commitIntent(x, runtime)
  else if (!runtime.audit.log.health().ok) unrecorded(x, runtime, undefined)
  return grow(x, { permit })
}

/** Also used for tool calls in the answer, with `answer-denied` as the code. */
export function stopUnlessAllowed(
  decision: Decision,
  status: number | undefined,
  code: 'denied' | 'answer-denied' = 'denied',
): void {
  if (decision.effect === 'allow') return
  const details = {
    ...(decision.rule === undefined ? undefined : { rule: decision.rule }),
    ...(status === undefined ? undefined : { status }),
  }
  if (decision.effect === 'approve') {
    throw new Fault('approval-unserved', `${decision.reason} Approvals are not yet served, so it is denied.`, details)
  }
  throw new Fault(code, decision.reason, details)
}

/** Fault `content-blocked`. */
export function stopIfBlocked(x: Decided): void {
  const { plan, target, headers } = x.route.request
  const status = x.route.denyStatus
  const parts = x.content?.parts ?? []
  x.findings?.forEach((findings, index) => {
    const part = parts[index]
    if (part !== undefined && findings.length > 0) stopAtBlocked(findings, part.text, plan?.forForm(part.form), status)
  })
  if (hasFindings(x.targetFindings)) {
    const texts = targetTexts({ path: x.operation.path, query: x.query })
    for (const [index, text] of texts.entries()) stopAtBlocked(x.targetFindings[index], text, target, status)
  }
  if (hasFindings(x.headerFindings))
    for (const [index, text] of headerTexts(x.headers).entries())
      stopAtBlocked(x.headerFindings[index], text, headers, status)
}

function stopAtBlocked(
  findings: readonly Finding[] | undefined,
  text: string,
  plan: Plan | undefined,
  status: number | undefined,
): void {
  if (findings === undefined || plan === undefined) return
  for (const { entity, start, end } of findings) {
    const target = plan.actionFor(entity, text.slice(start, end))
    if (target?.action === 'block' && target.mode !== 'shadow') throw blocked(target.rule, entity, status)
  }
}

/** Names the kind of data, never the data. */
export function blocked(rule: string, entity: string, status: number | undefined): Fault {
  return new Fault('content-blocked', `Redaction rule ${rule} blocks content with data of kind ${entity}.`, {
    rule,
    ...(status === undefined ? undefined : { status }),
  })
}

async function commitIntent(x: Decided, runtime: Runtime): Promise<void> {
  try {
    await runtime.audit.log.commit('intent', intentFields(x, runtime))
    x.trace.intent = true
  } catch (cause) {
    runtime.metrics.auditFailure()
    unrecorded(x, runtime, cause)
  }
}

/** Fault `audit-unavailable`, unless the operator chose to go on without a record. */
function unrecorded(x: Decided, runtime: Runtime, cause: unknown): void {
  if (runtime.audit.onFailure === 'deny')
    throw new Fault('audit-unavailable', undefined, { cause, retryAfterMs: 5_000 })
  x.trace.open.push('audit')
  runtime.metrics.failOpen('audit')
}
