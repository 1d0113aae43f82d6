// Owns what the audit log says of an exchange. It is made from the trace alone: what ran, not what was configured.
// Addresses, kinds and keyed digests; never content, keys or query strings, and names only where they look like some.
// Members of members are written in the order that they have in the log, which spares their sorting.
import { faults } from '../errors.ts'
import type { Decision } from '../policy/decision.ts'
import type { Operation } from '../protocol/protocol.ts'
import { isOutputUntold, reachedModel, spentOf } from './consumption.ts'
import { noCounts, type AuditFields, type Counts, type Decided, type Ended, type Trace } from './exchange.ts'
import type { DecisionLabel } from './headers.ts'
import type { Route, Runtime } from './runtime.ts'
import { shownName, shownNamePath } from './shown-name.ts'
import { hasTarget, maskedPath } from './target.ts'

/** What is made durable before the upstream call. */
export function intentFields(x: Decided, runtime: Runtime): AuditFields {
  const fields = whoAndWhat(x, runtime)
  fields['decisions'] = x.decisions.map(decisionFields)
  fields['config'] = runtime.hash
  return fields
}

/** What the record, the metrics and the log line have in common, worked out once. */
export type Ending = {
  readonly decision: DecisionLabel | 'none'
  readonly end: string
  readonly totalMs: number
  readonly bytesIn: number
  readonly bytesOut: number
}

export function outcomeFields(x: Ended, runtime: Runtime, ending: Ending): AuditFields {
  const { trace } = x
  const fields = whoAndWhat(x, runtime)
  fields['config'] = runtime.hash
  fields['decision'] = ending.decision
  fields['end'] = ending.end
  fields['bytesIn'] = ending.bytesIn
  fields['bytesOut'] = ending.bytesOut
  fields['durationUs'] = Math.round(ending.totalMs * 1000)
  if (trace.status !== undefined) fields['status'] = trace.status
  if (trace.fault !== undefined) {
    const { code, details } = trace.fault
    fields['fault'] = code
    if (details.rule !== undefined) fields['rule'] = details.rule
    if (details.limit !== undefined) fields['limit'] = details.limit
  }
  if (trace.shed !== undefined) fields['shed'] = { ...trace.shed }
  if (trace.carried !== undefined) fields['messages'] = { ...trace.carried }
  if (trace.refusals.length > 0) fields['refusals'] = trace.refusals.map((refusal) => refusalFields(refusal, runtime))
  if (x.decisions !== undefined) fields['decisions'] = x.decisions.map(decisionFields)
  const withheld = [...(x.withheld ?? []).map(({ name }) => name), ...trace.withheld]
  if (withheld.length > 0) fields['toolsWithheld'] = withheld.slice(0, 100).map((name) => shownName(name, runtime))
  const models = x.withheldModels ?? []
  if (models.length > 0)
    fields['modelsWithheld'] = models.slice(0, 100).map(({ model }) => shownName(model ?? 'default', runtime))
  if (trace.answerDecisions.length > 0) {
    fields['answerDecisions'] = trace.answerDecisions.map(({ tool, decision }) => ({
      tool: shownName(tool, runtime),
      ...decisionFields(decision),
    }))
  }
  addInspection(fields, trace)
  const restored = counted(trace.restoredRequest, x.vault?.restored ?? noCounts)
  if (restored.length > 0) fields['restored'] = restored
  if (trace.open.length > 0) fields['open'] = trace.open
  if (trace.attempts.length > 0) fields['attempts'] = trace.attempts.map(attemptFields)
  if (trace.earlier.length > 0) fields['earlier'] = trace.earlier
  if (trace.limitsExceeded.length > 0) fields['limitsExceeded'] = trace.limitsExceeded
  if (trace.usageAsked !== undefined) fields['usageAsked'] = trace.usageAsked
  if (trace.usageImplausible) fields['usageReported'] = 'implausible'
  if (trace.usage !== undefined) addUsage(fields, x, isOutputUntold(x) ? completedUsage(x) : { ...trace.usage })
  else if (x.route?.limitsBody === true && reachedModel(x)) addUsage(fields, x, estimatedUsage(x))
  const digest = digestSent(trace, trace, x.route?.upstream.id)
  if (digest !== undefined) fields['digestForwarded'] = digest
  return fields
}

/** What was made of a request for one upstream, and what that was sent: only digests and counts. */
export function sentFields(
  upstream: string,
  made: Pick<Trace, 'redactedRequest' | 'digestForwarded'>,
  trace: Trace,
): AuditFields {
  const redactions = counted(made.redactedRequest, noCounts)
  const digest = digestSent(made, trace, upstream)
  return {
    ...(redactions.length === 0 ? undefined : { redactions }),
    ...(digest === undefined ? undefined : { digestForwarded: digest }),
  }
}

function digestSent(
  { digestForwarded }: Pick<Trace, 'digestForwarded'>,
  trace: Trace,
  upstream: string | undefined,
): string | undefined {
  return digestForwarded !== undefined && wasSent(trace, upstream) ? digestForwarded : undefined
}

/** Without a connection nothing is sent, nor where a breaker or an answer that was kept stood in the way. */
function wasSent({ attempts, fault }: Trace, upstream: string | undefined): boolean {
  let tried = false
  for (const attempt of attempts) {
    if (attempt.upstream !== undefined && attempt.upstream !== upstream) continue
    if (attempt.connectMs !== undefined) return true
    tried = true
  }
  // Whoever was interrupted may have left an attempt that nobody has told of.
  return !tried && fault !== undefined && interruptions.test(fault.code)
}

const interruptions = /^(?:client-|shutting-down$|internal$)/

/** What was looked for in the content, what was found, and what was not read. */
function addInspection(fields: AuditFields, trace: Trace): void {
  const { request, answer } = trace.scanned
  if (request.length > 0 || answer.length > 0) {
    const scanned: AuditFields = {}
    if (answer.length > 0) scanned['answer'] = answer
    if (request.length > 0) scanned['request'] = request
    fields['scanned'] = scanned
  }
  const redactions = counted(trace.redactedRequest, trace.redactedAnswer)
  if (redactions.length > 0) fields['redactions'] = redactions
  const observed = counted(trace.observedRequest, trace.observedAnswer)
  if (observed.length > 0) fields['observed'] = observed
  if (trace.vaultUnavailable) fields['vault'] = 'unavailable'
  if (trace.redactedAt.length > 0) fields['redactedAt'] = trace.redactedAt
  if (trace.uninspected.size > 0) fields['uninspected'] = [...trace.uninspected]
}

function counted(request: Counts, answer: Counts): AuditFields[] {
  const fields: AuditFields[] = []
  // Most exchanges have none, and an iterator costs more than the question.
  if (request.size > 0) for (const [entity, count] of request) fields.push({ count, direction: 'request', entity })
  if (answer.size > 0) for (const [entity, count] of answer) fields.push({ count, direction: 'answer', entity })
  return fields
}

/** `complete` only when the answer's last byte was written and nothing was missing. */
export function endOf(x: Ended): string {
  if (x.trace.fault !== undefined && faults[x.trace.fault.code].status === 499) return 'client-gone'
  return x.trace.end ?? 'client-gone'
}

function whoAndWhat(x: Ended, runtime: Runtime): AuditFields {
  const fields: AuditFields = { request: x.id, method: x.head.method, ip: x.head.ip }
  if (x.route === undefined) return fields
  fields['route'] = x.route.id
  fields['upstream'] = x.route.upstream.id
  if (x.operation !== undefined) {
    fields['operation'] = x.asked?.operation ?? x.operation.name
    fields['path'] = shownPath(x, x.route, x.operation, runtime).slice(0, pathLengthMax)
  } else fields['path'] = refusedPath(x.route, x.head.path)
  const { principal } = x
  if (principal !== undefined) {
    fields['principal'] = principal.id
    // Here and not only beside usage: what was denied is looked for by org, too.
    if (principal.org !== undefined) fields['org'] = principal.org
    if (principal.team !== undefined) fields['team'] = principal.team
  }
  if (x.keyId !== undefined) fields['key'] = x.keyId
  if (x.content?.model !== undefined) fields['model'] = shownName(x.content.model, runtime)
  const tools = (x.actions ?? []).flatMap(({ tool, via }) =>
    tool === undefined || via !== 'mcp' ? [] : [shownName(tool, runtime)],
  )
  if (tools.length > 0) fields['tools'] = tools
  if (x.trace.digestRequest !== undefined) fields['digestRequest'] = x.trace.digestRequest
  return fields
}

const pathLengthMax = 1024

/** What is refused before it was looked into is looked into now. Of a model call that is known, the path is made of names. */
function shownPath(x: Ended, { request: { scanner } }: Route, operation: Operation, runtime: Runtime): string {
  if (x.shownPath !== undefined) return x.shownPath
  const { path } = operation
  if (!hasTarget(operation)) return shownNamePath(path, runtime)
  return x.targetFindings !== undefined || scanner === undefined ? path : maskedPath(path, scanner)
}

/** What no adapter knows, below its route. Nobody has looked into it, so that is done now. */
function refusedPath({ path: prefix, request: { scanner } }: Route, asked: string): string {
  const path = asked.slice(prefix.length) || '/'
  return (scanner === undefined ? path : maskedPath(path, scanner)).slice(0, pathLengthMax)
}

export function decisionFields(decision: Decision): AuditFields {
  const fields: AuditFields = { code: decision.code, effect: decision.effect }
  if (decision.matched.length > 0) fields['matched'] = decision.matched.map(({ rule }) => rule)
  if (decision.rule !== undefined) fields['rule'] = decision.rule
  if (decision.shadow !== undefined) {
    fields['shadow'] = {
      effect: decision.shadow.effect,
      ...(decision.shadow.rule === undefined ? undefined : { rule: decision.shadow.rule }),
    }
  }
  if (decision.unevaluable.length > 0) fields['unevaluable'] = decision.unevaluable.map(({ rule }) => rule)
  return fields
}

function attemptFields({ outcome, status, quota, upstream, credential }: Trace['attempts'][number]): AuditFields {
  const fields: AuditFields = { outcome }
  if (status !== undefined) fields['status'] = status
  if (quota === true) fields['quota'] = true
  if (upstream !== undefined) fields['upstream'] = upstream
  if (credential !== undefined) fields['credential'] = credential
  return fields
}

function refusalFields({ type, fault }: Trace['refusals'][number], runtime: Runtime): AuditFields {
  const { code, details } = fault
  return {
    type: shownName(type, runtime),
    fault: code,
    ...(details.rule === undefined ? undefined : { rule: details.rule }),
  }
}

/** What limits have counted, where the upstream said nothing. */
function estimatedUsage(x: Ended): AuditFields {
  const { input, output } = spentOf(x, 0)
  return { input, output, estimated: true }
}

/** Where it said only what was read. */
function completedUsage(x: Ended): AuditFields {
  return { ...x.trace.usage, output: spentOf(x, 0).output, estimated: true }
}

/** Who is billed stands in the same record, so that reports need no other source. */
function addUsage(fields: AuditFields, { trace }: Ended, usage: AuditFields): void {
  fields['usage'] = usage
  if (trace.costNanos !== undefined) fields['costNanos'] = trace.costNanos
}
