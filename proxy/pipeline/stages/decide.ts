// Owns the translation of an exchange into actions, and asks the policy about each.
import type { Decision } from '../../policy/decision.ts'
import type { Action, Query } from '../../policy/query.ts'
import { withheldModels } from '../alternates.ts'
import { grow, type Decided, type Inspected } from '../exchange.ts'
import { judgeAsked } from '../asked.ts'
import { saidTo } from '../http-args.ts'
import { listingDecision } from '../listing.ts'
import { withheldTools } from '../offers.ts'
import { modelAction, queryOf } from '../query.ts'
import type { Runtime } from '../runtime.ts'

export function decide(x: Inspected, runtime: Runtime): Decided {
  if (x.operation.action === 'asked') return grow(x, { ...judgeAsked(x, runtime), withheld: [], withheldModels: [] })
  const action =
    x.operation.action === 'none'
      ? listingAction(x)
      : x.operation.action === 'tool.call'
        ? toolAction(x)
        : modelAction(x)
  const query = queryOf(x, runtime, action, x.findingCounts)
  const decision = x.operation.action === 'none' ? decideListing(query, runtime) : runtime.policy.evaluate(query)
  return grow(x, {
    actions: [action],
    decisions: [decision],
    withheld: withheldTools(x, runtime),
    withheldModels: withheldModels(x, runtime),
  })
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

function toolAction(x: Inspected): Action {
  return {
    type: 'tool.call',
    tool: x.route.upstream.id,
    via: 'http',
    path: x.operation.path,
    operation: x.operation.name,
    ...saidTo(x),
  }
}
