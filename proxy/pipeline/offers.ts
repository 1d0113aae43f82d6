// Owns what becomes of the tools that a request offers to a model: those that the caller may never call are taken out,
// by the same rules that judge a call, so the model does not plan with them. The calls themselves are judged all the same.
// So are those that would ask a model which the caller may not ask.
import type { Edit } from '../lib/edit.ts'
import { isObject, type Json } from '../lib/json.ts'
import type { Query } from '../policy/query.ts'
import type { ToolDefinition } from '../protocol/content.ts'
import type { Inspected } from './exchange.ts'
import { otherModelQuery, queryOf } from './query.ts'
import type { Runtime } from './runtime.ts'

export function withheldTools(x: Inspected, runtime: Runtime): ToolDefinition[] {
  const tools = x.content?.tools ?? []
  return tools.filter((tool) =>
    offerQueries(x, runtime, tool).some((query) => runtime.policy.evaluate(query).effect !== 'allow'),
  )
}

/** What the policy is asked about a tool that is offered. All must be allowed. */
export function offerQueries(x: Inspected, runtime: Runtime, tool: ToolDefinition): Query[] {
  const { name, description, models = [] } = tool
  const action = {
    type: 'tool.offer',
    tool: name,
    via: 'model',
    ...(description === undefined ? undefined : { description }),
  } as const
  const asked = models.map((model) => otherModelQuery(x, runtime, model))
  return [queryOf(x, runtime, action, x.findingCounts), ...asked]
}

/** A request that offers no tool at all any more must not speak of tools either: providers refuse it. */
const dependents = ['tool_choice', 'function_call', 'parallel_tool_calls'] as const

export function offerEdits(
  body: Json,
  offered: readonly ToolDefinition[],
  withheld: readonly ToolDefinition[],
): Edit[] {
  if (withheld.length === 0) return []
  const edits: Edit[] = []
  const allGone = withheld.length === offered.length
  const lists = new Set(offered.map((tool) => tool.address.path[0] ?? ''))
  for (const list of lists) {
    const gone = withheld.filter((tool) => tool.address.path[0] === list)
    const all = offered.filter((tool) => tool.address.path[0] === list).length
    if (gone.length === all && !mixed.has(list)) edits.push({ address: { path: [list] }, remove: true })
    else for (const tool of gone) edits.push({ address: tool.address, remove: true })
  }
  for (const name of dependents) {
    if (!isObject(body) || !Object.hasOwn(body, name)) continue
    if (allGone || names(body[name], withheld)) edits.push({ address: { path: [name] }, remove: true })
    else edits.push(...allowedEdits(body[name], name, withheld))
  }
  return edits
}

/** Members that bring tools among other things, so they stay when the tools go. */
const mixed: ReadonlySet<string | number> = new Set(['input', 'plugins'])

/** A choice of a tool that is gone would be refused by the provider. */
function names(choice: Json | undefined, withheld: readonly ToolDefinition[]): boolean {
  if (!isObject(choice)) return false
  const inner = isObject(choice['function']) ? choice['function'] : choice
  const name = inner['name'] ?? inner['type']
  return withheld.some((tool) => tool.name === name)
}

/**
 * Of OpenAI's list of tools that may be called now those that are gone go, too; it stands in an object of its own in one
 * of the two formats. Without any that is left nothing may be called, while no list at all would mean every tool.
 */
function allowedEdits(choice: Json | undefined, name: string, withheld: readonly ToolDefinition[]): Edit[] {
  if (!isObject(choice) || choice['type'] !== 'allowed_tools') return []
  const nested = isObject(choice['allowed_tools']) ? choice['allowed_tools'] : undefined
  const { tools } = nested ?? choice
  if (!Array.isArray(tools)) return []
  const path = nested === undefined ? [name, 'tools'] : [name, 'allowed_tools', 'tools']
  const gone = tools.flatMap((tool, index) => (names(tool, withheld) ? [index] : []))
  if (gone.length === 0) return []
  return gone.length === tools.length
    ? [{ address: { path: [name] }, json: '"none"' }]
    : gone.map((index) => ({ address: { path: [...path, index] }, remove: true }))
}
