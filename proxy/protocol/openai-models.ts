// Owns which models a request in OpenAI's format asks beside the one that it names: those that servers in front of several
// providers let answer instead, and those that a tool of the provider's asks.
import { isObject } from '../lib/json.ts'
import type { JsonObject } from '../lib/json.ts'
import { stringOf } from './shape.ts'

/** OpenRouter's member, and LiteLLM's. */
export const standIns = ['models', 'fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks'] as const

/** Says what is wrong, or undefined: rules, limits, prices and aliases go by one model for each call. */
export function otherModels(body: JsonObject): string | undefined {
  const { model = null, svg } = body
  const lets = standIns.find((name) => {
    const listed = body[name] ?? []
    return !Array.isArray(listed) || listed.some((one) => one !== model)
  })
  if (lets !== undefined) return `${lets} lets another model answer than the request names.`
  const author = isObject(svg) ? (svg.model ?? model) : model
  return author === model ? undefined : 'svg.model asks another model beside the one that the request names.'
}

/** The tool that makes images names its model, and one that draws for it. */
export function modelsOfTool({ model, svg }: JsonObject): readonly string[] | undefined {
  const named = [stringOf(model), isObject(svg) ? stringOf(svg.model) : undefined].filter((one) => one !== undefined)
  return named.length === 0 ? undefined : named
}
