// Owns the translation of an exchange into actions, and asks the policy about each.
import type { Decision } from '../../policy/decision.ts'
import type { Action, Query } from '../../policy/query.ts'
import { isObject, type Json } from '../../lib/json.ts'
import { grow, type Decided, type Inspected } from '../exchange.ts'
import { judgeAsked } from '../asked.ts'
import { listingDecision } from '../listing.ts'
import { withheldTools } from '../offers.ts'
import { queryOf } from '../query.ts'
import type { Runtime } from '../runtime.ts'

export function decide(x: Inspected, runtime: Runtime): Decided {
  if (x.operation.action === 'asked') return grow(x, { ...judgeAsked(x, runtime), withheld: [] })
  const action =
    x.operation.action === 'none'
      ? listingAction(x)
      : x.operation.action === 'tool.call'
        ? toolAction(x)
        : modelAction(x)
  const query = queryOf(x, runtime, action, x.findingCounts)
  const decision = x.operation.action === 'none' ? decideListing(query, runtime) : runtime.policy.evaluate(query)
  return grow(x, { actions: [action], decisions: [decision], withheld: withheldTools(x, runtime) })
}

/** A listing does nothing by itself: whoever may make some model call on this route may see what there is to call. */
function decideListing(query: Query, runtime: Runtime): Decision {
  return listingDecision(
    runtime.policy.mayEver(query),
    'Some model call may be allowed here, so the listing is.',
    'No model call can be allowed here, so neither is the listing.',
  )
}

/** What is asked for is left open: any model, any number of messages. */
function listingAction(x: Inspected): Action {
  return { type: 'model.call', operation: x.operation.name }
}

function modelAction(x: Inspected): Action {
  const { content } = x
  // Of what no adapter knows everything else is unknown, whatever its body may hold.
  if (content === undefined || x.operation.opaque === true) return { type: 'model.call', operation: x.operation.name }
  return {
    type: 'model.call',
    operation: x.operation.name,
    stream: content.stream ?? false,
    tools: content.tools.map((tool) => tool.name),
    ...(content.model === undefined ? undefined : { model: content.model }),
    ...(content.maxTokens === undefined ? undefined : { maxTokens: content.maxTokens }),
    ...(content.messages === undefined ? undefined : { messages: content.messages }),
  }
}

function toolAction(x: Inspected): Action {
  const args = argsOf(x)
  return {
    type: 'tool.call',
    tool: x.route.upstream.id,
    via: 'http',
    method: x.head.method,
    path: x.operation.path,
    operation: x.operation.name,
    ...(args === undefined ? undefined : { args }),
  }
}

/**
 * The members of a JSON body, or of a form, and the query's parameters together. Unknown when the body was not read so, or when
 * body and query both say something of the same name: the tool may believe either.
 */
function argsOf(x: Inspected): Json | undefined {
  // Some servers take `;` for `&`, so that there are other parameters for them than for us.
  if (x.query.includes(';')) return undefined
  if (x.body.form === 'none') return queryArgs(x.query)
  if (x.body.form !== 'json' || x.body.carried?.isDisputed === true) return undefined
  if (x.query === '') return x.body.value
  const inQuery = queryArgs(x.query)
  if (!isObject(x.body.value) || !isObject(inQuery)) return undefined
  const { value } = x.body
  return Object.keys(inQuery).some((name) => Object.hasOwn(value, name)) ? undefined : { ...value, ...inQuery }
}

function queryArgs(query: string): Json {
  const args = Object.create(null) as Record<string, Json>
  for (const [name, value] of new URLSearchParams(query)) {
    const before = args[name]
    args[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]
  }
  return { ...args }
}
