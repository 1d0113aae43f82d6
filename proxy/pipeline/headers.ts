// Owns the headers by which a client sees what was done to its exchange.
import type { Fault } from '../errors.ts'
import type { Decision } from '../policy/decision.ts'
import { noCounts, type Counts, type Ended } from './exchange.ts'

/**
 * Flat list: request id, decision, deciding rule, redactions, what became a value again, what an opaque route lets pass
 * unread, openings, and how often upstreams were asked where it was more than once.
 */
export function decisionHeaders(x: Ended, fault?: Fault): string[] {
  const headers = ['x-gatewright-request-id', x.id]
  const decision = decisionOf(x, fault)
  if (decision !== undefined) headers.push('x-gatewright-decision', decision)
  const rule = ruleOf(x, fault)
  if (rule !== undefined) headers.push('x-gatewright-rule', rule)
  const redactions = redactionsOf(x)
  if (redactions !== '') headers.push('x-gatewright-redactions', redactions)
  const restored = restoredOf(x)
  if (restored !== '') headers.push('x-gatewright-restored', restored)
  if (fault === undefined && x.route?.posture === 'opaque' && x.trace.uninspected.size > 0)
    headers.push('x-gatewright-uninspected', [...x.trace.uninspected].join(', '))
  if (x.trace.open.length > 0) headers.push('x-gatewright-open', x.trace.open.join(', '))
  const { length } = x.trace.attempts
  if (length > 1) headers.push('x-gatewright-attempts', String(length))
  return headers
}

export type DecisionLabel = 'allow' | 'deny' | 'approve' | 'shadow-deny'

/** Undefined while nothing was decided: a request without a valid key was neither allowed nor denied by a rule. */
export function decisionOf(x: Ended, fault: Fault | undefined = x.trace.fault): DecisionLabel | undefined {
  if (fault?.code === 'approval-unserved') return 'approve'
  if (fault?.kind === 'denied') return 'deny'
  const decisions = x.decisions ?? []
  const { answerDecisions } = x.trace
  if (x.trace.refusals.some(isDenial)) return 'deny'
  if (decisions.length === 0 && answerDecisions.length === 0) return undefined
  const answered = answerDecisions.find(isDenied)?.decision.effect
  if (answered !== undefined) return answered
  const shadowed = decisions.some(isShadowed) || answerDecisions.some(({ decision }) => isShadowed(decision))
  return shadowed ? 'shadow-deny' : 'allow'
}

/** A tool call in the answer: the answer itself goes on without it. */
function isDenied({ decision }: Ended['trace']['answerDecisions'][number]): boolean {
  return decision.effect !== 'allow'
}

/** A message of the client: the conversation goes on without it. */
function isDenial({ fault: { kind } }: Ended['trace']['refusals'][number]): boolean {
  return kind === 'denied'
}

function isShadowed({ shadow }: Decision): boolean {
  return shadow !== undefined && shadow.effect !== 'allow'
}

/**
 * The rule to name: the one that denied, be it a call in the answer; the one that would have; else the one that decided.
 * None where what was decided was the default, whatever rules looked on.
 */
function ruleOf(x: Ended, fault: Fault | undefined): string | undefined {
  if (fault?.kind === 'denied' || fault?.details.rule !== undefined) return fault.details.rule
  const decisions = x.decisions ?? []
  const { answerDecisions } = x.trace
  const denied = answerDecisions.filter(isDenied)
  const refused = x.trace.refusals.filter(isDenial)
  if (denied.length > 0 || refused.length > 0)
    return denied.find(({ decision }) => decision.rule !== undefined)?.decision.rule ?? refused[0]?.fault.details.rule
  const shadowed = decisions.find(isShadowed) ?? answerDecisions.find(({ decision }) => isShadowed(decision))?.decision
  if (shadowed !== undefined) return shadowed.shadow?.rule
  return decisions.find((decision) => decision.rule !== undefined)?.rule
}

function redactionsOf({ trace }: Ended): string {
  return listed(trace.redactedRequest, trace.redactedAnswer)
}

/** Tokens that became values again: in what a tool was sent, and in an answer that was known whole. */
function restoredOf({ trace, vault }: Ended): string {
  return listed(trace.restoredRequest, vault?.restored ?? noCounts)
}

function listed(request: Counts, answer: Counts): string {
  let list = ''
  for (const [entity, count] of request) list += `${separator(list)}${entity}=${count + (answer.get(entity) ?? 0)}`
  for (const [entity, count] of answer) if (!request.has(entity)) list += `${separator(list)}${entity}=${count}`
  return list
}

function separator(listed: string): string {
  return listed === '' ? '' : ', '
}
