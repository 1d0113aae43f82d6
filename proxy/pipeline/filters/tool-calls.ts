// Owns the judging of tool calls that a model emitted: they are actions like any other and go to the same judge.
import type { ToolCall } from '../../protocol/content.ts'
import type { Answered } from '../exchange.ts'
import type { Runtime } from '../runtime.ts'
import { countFindings } from '../stages/inspect.ts'
import { readPlain } from './plain.ts'
import { emittedAction, queryOf } from '../query.ts'
import { stopUnlessAllowed } from '../stages/enforce.ts'

/** Fault `answer-denied` or `approval-unserved`. */
export function judgeCall(x: Answered, runtime: Runtime, call: ToolCall): void {
  if (!x.route.needs.answer) return
  const query = queryOf(x, runtime, emittedAction(call), findingsIn(x, call))
  const decision = runtime.policy.evaluate(query)
  x.trace.answerDecisions.push({ tool: call.name.slice(0, 128), decision })
  stopUnlessAllowed(decision, x.route.denyStatus, 'answer-denied')
}

function findingsIn(x: Answered, call: ToolCall): Record<string, number> | undefined {
  const { scanner } = x.route.answer
  if (scanner === undefined || call.args === undefined) return undefined
  const reading = readPlain(call.args, JSON.stringify(call.args))
  return reading.ok ? countFindings(reading.content.parts.map((part) => scanner.scan(part.text))) : undefined
}
