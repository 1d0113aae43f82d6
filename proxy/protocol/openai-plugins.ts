// Owns the tools that a request in OpenAI's format asks for among OpenRouter's plugins: those that the provider uses by
// itself, without a call that could be judged.
import { isObject } from '../lib/json.ts'
import type { JsonObject } from '../lib/json.ts'
import type { ToolDefinition } from './content.ts'
import { arrayOf, wrongMember } from './shape.ts'

export function pluginTools({ plugins }: JsonObject): ToolDefinition[] {
  return arrayOf(plugins).flatMap((plugin, index) =>
    isObject(plugin) && plugin.id === 'web' ? [{ address: { path: ['plugins', index] }, name: 'web_search' }] : [],
  )
}

/** Says what is wrong, or undefined. */
export function wrongPlugins(body: JsonObject): string | undefined {
  return wrongMember(body, 'plugins', ['array'], '')
}
