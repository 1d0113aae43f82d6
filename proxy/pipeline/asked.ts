// Owns the judging of what messages ask for: by clients, by servers, and by entries of a server's lists. Whatever is
// asked becomes an action like any other and goes to the same judge.
import type { Decision } from '../policy/decision.ts'
import type { Action, Query } from '../policy/query.ts'
import type { Act } from '../protocol/content.ts'
import type { Identified, Inspected } from './exchange.ts'
import { queryOf } from './query.ts'
import type { Runtime } from './runtime.ts'

export type Judged = { readonly actions: readonly Action[]; readonly decisions: readonly Decision[] }

/** A message that asks for nothing in particular is judged like a listing. */
export function judgeAsked(x: Inspected, runtime: Runtime): Judged {
  const acts = x.content?.asked?.acts ?? []
  if (acts.length === 0) return { actions: anything, decisions: [judgeListing(x, runtime)] }
  const actions = acts.map((act) => actionOf(x, act))
  const decisions = actions.map((action) => runtime.policy.evaluate(queryOf(x, runtime, action, x.findingCounts)))
  return { actions, decisions }
}

/** What a server asks of the client. `findings`: in the message that asks. */
export function judgeServer(x: Identified, runtime: Runtime, act: Act, findings: Query['findings']): Decision {
  return runtime.policy.evaluate(queryOf(x, runtime, actionOf(x, act), findings))
}

/** Whether an entry of a list stays: using it may be allowed with some arguments. */
export function mayUse(x: Identified, runtime: Runtime, act: Act): boolean {
  return runtime.policy.mayEver(queryOf(x, runtime, actionOf(x, act), undefined))
}

export function mayOffer(x: Identified, runtime: Runtime, tool: string, description: string | undefined): Decision {
  const action = {
    type: 'tool.offer',
    tool: toolName(x, tool),
    via: 'mcp',
    ...(description === undefined ? undefined : { description }),
  } as const
  return runtime.policy.evaluate(queryOf(x, runtime, action, undefined))
}

/** Two servers may have tools of one name, so rules see it below the upstream's. */
export function toolName(x: Identified, tool: string): string {
  return `${x.route.upstream.id}/${tool}`
}

function actionOf(x: Identified, act: Act): Action {
  if (act.type === 'tool.call') return { ...act, tool: toolName(x, act.tool), via: 'mcp' }
  return act.type === 'model.call' ? { stream: false, ...act } : act
}

/** All that a server can be used for, with nothing said about it. */
const anything = [
  { type: 'tool.call', via: 'mcp' },
  { type: 'resource.read' },
  { type: 'prompt.get' },
] as const satisfies readonly Action[]

function judgeListing(x: Inspected, runtime: Runtime): Decision {
  const may = anything.some((action) => runtime.policy.mayEver(queryOf(x, runtime, action, x.findingCounts)))
  const reason = may
    ? 'Something may be used here, so the server may be asked what there is.'
    : 'Nothing of this server may be used, so it may not be asked anything.'
  return {
    effect: may ? 'allow' : 'deny',
    reason,
    code: may ? 'may-be-called' : 'never-callable',
    matched: [],
    unevaluable: [],
  }
}
