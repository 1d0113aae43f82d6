// Owns the judging of what messages ask for: by clients, by servers, and by entries of a server's lists. Whatever is
// asked becomes an action like any other and goes to the same judge.
import type { Decision } from '../policy/decision.ts'
import type { Action, Query } from '../policy/query.ts'
import type { Act, ToolDefinition } from '../protocol/content.ts'
import type { Identified, Inspected } from './exchange.ts'
import { listingDecision } from './listing.ts'
import { queryOf } from './query.ts'
import type { Runtime } from './runtime.ts'
import type { Distrust } from './tool-pins.ts'

export type Judged = { readonly actions: readonly Action[]; readonly decisions: readonly Decision[] }

/** A message that asks for nothing in particular is judged like a listing. */
export function judgeAsked(x: Inspected, runtime: Runtime): Judged {
  const acts = x.content?.asked?.acts ?? []
  if (acts.length === 0) return { actions: anything, decisions: [judgeListing(x, runtime)] }
  const actions = acts.map((act) => actionOf(x, act))
  const decisions = acts.map((act, at) => {
    const pinned = act.type === 'tool.call' ? judgePin(x, runtime, act.tool) : undefined
    return pinned ?? runtime.policy.evaluate(queryOf(x, runtime, actions[at] as Action, x.findingCounts))
  })
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

export function mayOffer(x: Identified, runtime: Runtime, { name, description }: ToolDefinition): Decision {
  const pinned = judgePin(x, runtime, name)
  if (pinned !== undefined) return pinned
  const action = {
    type: 'tool.offer',
    tool: toolName(x, name),
    via: 'mcp',
    ...(description === undefined ? undefined : { description }),
  } as const
  return runtime.policy.evaluate(queryOf(x, runtime, action, undefined))
}

/** Undefined: no pin stands against the tool. A policy that blocks nothing only notes it. */
function judgePin(x: Identified, runtime: Runtime, tool: string): Decision | undefined {
  const code = x.route.pins?.distrust(tool)
  if (code === undefined) return undefined
  const denied = { effect: 'deny', reason: distrustReasons[code] } as const
  const rest = { code, matched: [], unevaluable: [] }
  return runtime.policy.mode === 'shadow'
    ? { ...rest, effect: 'allow', reason: 'Not enforced: the policy is in shadow mode.', shadow: denied }
    : { ...rest, ...denied }
}

const distrustReasons: Readonly<Record<Distrust, string>> = {
  'tool-changed': 'The tool is not what it was when it was pinned.',
  'tool-look-alike': 'The name of the tool looks like that of another one.',
  'tool-unpinned': 'The tool is not among those that are pinned.',
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
  return listingDecision(
    may,
    'Something may be used here, so the server may be asked what there is.',
    'Nothing of this server may be used, so it may not be asked anything.',
  )
}
