// Owns the judging of tool calls that a model emitted: they are actions like any other and go to the same judge.
import { scanNamed } from '../../detect/named.ts'
import { applyEdits } from '../../lib/edit.ts'
import type { Json } from '../../lib/json.ts'
import type { Decision } from '../../policy/decision.ts'
import type { ToolCall } from '../../protocol/content.ts'
import type { Answered } from '../exchange.ts'
import type { Runtime } from '../runtime.ts'
import { countFindings } from '../stages/inspect.ts'
import { partEdit } from '../part-edit.ts'
import { readPlain } from './plain.ts'
import { emittedAction, queryOf } from '../query.ts'
import { stopUnlessAllowed } from '../stages/enforce.ts'

/** A call that is not allowed, and what stands in its place for the model and whoever reads along. */
export type DeniedCall = { readonly decision: Decision; readonly text: string }

/** Undefined: the call may be made. */
export function judgeCall(x: Answered, runtime: Runtime, said: ToolCall): DeniedCall | undefined {
  if (!x.route.needs.answer) return undefined
  const call = restored(x, said)
  const query = queryOf(x, runtime, emittedAction(call), findingsIn(x, call))
  const decision = runtime.policy.evaluate(query)
  const tool = call.name.slice(0, 128)
  x.trace.answerDecisions.push({ tool, decision })
  if (decision.effect === 'allow') return undefined
  const by = decision.rule === undefined ? 'by policy' : `by rule ${decision.rule}`
  const unserved = decision.effect === 'approve' ? ' Approvals are not yet served, so it is denied.' : ''
  return { decision, text: `[Gatewright denied the tool call ${tool} ${by}: ${decision.reason}${unserved}]` }
}

/** Where the format has nothing that could take the place of a call. Fault `answer-denied` or `approval-unserved`. */
export function stopAtCall(x: Answered, { decision }: DeniedCall): void {
  stopUnlessAllowed(decision, x.route.denyStatus, 'answer-denied')
}

/** With the values that the client is given for tokens, or a token would carry past a rule what the rule denies. */
function restored({ vault }: Answered, call: ToolCall): ToolCall {
  if (vault?.restores !== true || call.args === undefined) return call
  const text = JSON.stringify(call.args)
  const reading = readPlain(call.args, text)
  if (!reading.ok) return call
  const edits = reading.content.parts.flatMap((part) => {
    const value = vault.foretell(part.text, 'tool.args')
    return value === part.text ? [] : [partEdit(part, value)]
  })
  return edits.length === 0 ? call : { ...call, args: JSON.parse(applyEdits(text, edits)) as Json }
}

function findingsIn(x: Answered, call: ToolCall): Record<string, number> | undefined {
  const { scanner } = x.route.answer
  if (scanner === undefined || call.args === undefined) return undefined
  const reading = readPlain(call.args, JSON.stringify(call.args))
  if (!reading.ok) return undefined
  return countFindings(reading.content.parts.map((part) => scanNamed(scanner, part.text, part.address)))
}
