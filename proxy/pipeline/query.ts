// Owns what the policy is told about an exchange beside the action itself.
import type { Action, Query } from '../policy/query.ts'
import type { ToolCall } from '../protocol/content.ts'
import type { Identified } from './exchange.ts'
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
