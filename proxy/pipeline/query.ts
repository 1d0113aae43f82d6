// Owns what the policy is told about an exchange beside the action itself.
import type { Action, Query } from '../policy/query.ts'
import type { ToolCall } from '../protocol/content.ts'
import type { Identified, Inspected } from './exchange.ts'
import type { Runtime } from './runtime.ts'

export function queryOf(x: Identified, runtime: Runtime, action: Action, findings: Query['findings']): Query {
  return {
    action,
    principal: x.principal,
    route: x.route.id,
    upstream: x.route.upstream.id,
    client: { ip: x.head.ip },
    headers: policyHeaders(x.headers, runtime.policyHeaders),
    findings,
    timeMs: runtime.clock.now(),
  }
}

/** The action of a request to a model. */
export function modelAction({ content, operation }: Inspected): Action {
  // Of what no adapter knows everything else is unknown, whatever its body may hold.
  if (content === undefined || operation.opaque === true) return { type: 'model.call', operation: operation.name }
  return {
    type: 'model.call',
    operation: operation.name,
    stream: content.stream ?? false,
    tools: content.tools.map((tool) => tool.name),
    model: content.model,
    maxTokens: content.maxTokens,
    messages: content.messages,
  }
}

/** What the policy is asked about another model than a request names. Undefined: whichever the provider likes. */
export function otherModelQuery(x: Inspected, runtime: Runtime, model: string | undefined): Query {
  return queryOf(x, runtime, { ...modelAction(x), model }, x.findingCounts)
}

/** The action behind a tool call that the model emitted in its answer. */
export function emittedAction(call: ToolCall): Action {
  return {
    type: 'tool.call',
    tool: call.name,
    via: 'model',
    ...(call.args === undefined ? undefined : { args: call.args }),
  }
}

const noHeaders: Readonly<Record<string, string>> = Object.freeze({})

function policyHeaders(headers: readonly string[], allowed: ReadonlySet<string>): Readonly<Record<string, string>> {
  if (allowed.size === 0) return noHeaders
  const visible: Record<string, string> = {}
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    if (!allowed.has(name)) continue
    const value = headers[i + 1] as string
    const before = visible[name]
    visible[name] = before === undefined ? value : `${before}, ${value}`
  }
  return visible
}
