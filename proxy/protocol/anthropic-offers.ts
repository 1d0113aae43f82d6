// Owns the tools that a request of Anthropic's offers, in its list and by messages that add some later, and how those that
// may not be called leave it.
import type { Edit } from '../lib/edit.ts'
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import { textBlock } from './anthropic-refusal.ts'
import type { ToolDefinition } from './content.ts'
import { arrayOf, present, stringOf, wrongMember } from './shape.ts'

/** A string says what is wrong. A tool of the provider's own may go by its type alone. */
export function offeredTools(body: JsonObject): ToolDefinition[] | string {
  const definitions: ToolDefinition[] = []
  for (const [index, tool] of arrayOf(body.tools).entries()) {
    const definition = definitionOf(tool, ['tools', index])
    if (definition === undefined) return `tools[${index}] is not a tool.`
    definitions.push(definition)
  }
  const wrong = wrongMember(body, 'mcp_servers', ['array'], '')
  if (wrong !== undefined) return wrong
  // Some versions call all tools of a server that is named here, without any in the list.
  for (const index of arrayOf(body.mcp_servers).keys())
    definitions.push({ address: { path: ['mcp_servers', index] }, name: 'mcp_toolset' })
  for (const { block, path } of toolChanges(body)) {
    const { tool } = block
    if (!isObject(tool) || tool.type !== 'tool_definition') continue
    const definition = definitionOf(tool.definition, path)
    if (definition === undefined) return 'A message adds a tool that is none.'
    definitions.push(definition)
  }
  return definitions
}

/** A request without any tool must not speak of tools, and a message that is left without content is refused. */
export function withoutMessagesTools(body: Json, withheld: readonly ToolDefinition[]): readonly Edit[] {
  if (!isObject(body)) return []
  const names = new Set(withheld.map(({ name }) => name))
  const gone = withheld.filter(({ address }) => address.path[0] === 'tools')
  const edits: Edit[] = []
  const none = gone.length > 0 && gone.length === arrayOf(body.tools).length
  if (none) edits.push({ address: { path: ['tools'] }, remove: true })
  else for (const { address } of gone) edits.push({ address, remove: true })
  edits.push(...withoutServers(body, withheld))
  const { tool_choice: choice } = body
  if (choice !== undefined && (none || (isObject(choice) && names.has(stringOf(choice.name) ?? ''))))
    edits.push({ address: { path: ['tool_choice'] }, remove: true })
  for (const { block, path, alone } of toolChanges(body)) {
    const name = changedName(block.tool)
    if (name === undefined || !names.has(name)) continue
    edits.push(alone ? { address: { path }, json: textBlock(withheldTool) } : { address: { path }, remove: true })
  }
  return edits
}

function withoutServers(body: JsonObject, withheld: readonly ToolDefinition[]): Edit[] {
  const gone = withheld.filter(({ address }) => address.path[0] === 'mcp_servers')
  if (gone.length === 0) return []
  const none = gone.length === arrayOf(body.mcp_servers).length
  return none
    ? [{ address: { path: ['mcp_servers'] }, remove: true }]
    : gone.map(({ address }) => ({ address, remove: true }))
}

const withheldTool = '[Gatewright withheld a tool that may not be called.]'

function definitionOf(tool: Json | undefined, path: Path): ToolDefinition | undefined {
  const name = isObject(tool) ? (stringOf(tool.name) ?? stringOf(tool.type)) : undefined
  if (!isObject(tool) || name === undefined) return undefined
  const model = stringOf(tool.model)
  return present<ToolDefinition>({
    address: { path },
    name,
    description: stringOf(tool.description),
    models: model === undefined ? undefined : [model],
  })
}

/** Defined there, or only named and defined before. */
function changedName(tool: Json | undefined): string | undefined {
  if (!isObject(tool)) return undefined
  const { definition } = tool
  if (isObject(definition)) return stringOf(definition.name) ?? stringOf(definition.type)
  return tool.type === 'tool_reference' ? stringOf(tool.name) : undefined
}

/** `alone`: it is a block of a message, which must not be left without content. */
type ToolChange = { readonly block: JsonObject; readonly path: Path; readonly alone: boolean }

/** A compaction has those of the messages whose place it takes. */
function* toolChanges({ messages }: JsonObject): Generator<ToolChange> {
  for (const [index, message] of arrayOf(messages).entries()) {
    const blocks = isObject(message) ? arrayOf(message.content) : []
    for (const [at, block] of blocks.entries()) {
      if (!isObject(block)) continue
      const path = ['messages', index, 'content', at]
      if (isToolChange(block)) yield { block, path, alone: true }
      if (block.type !== 'compaction') continue
      for (const [nth, change] of arrayOf(block.tool_changes).entries())
        if (isObject(change) && isToolChange(change))
          yield { block: change, path: [...path, 'tool_changes', nth], alone: false }
    }
  }
}

function isToolChange({ type }: JsonObject): boolean {
  return type === 'tool_addition' || type === 'tool_removal'
}
