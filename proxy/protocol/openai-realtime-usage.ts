// Owns what realtime conversations report of usage. Every answer and every transcription reports its own, so they add up.
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Usage } from './content.ts'
import { sumUsage, tokenCount, usageFrom } from './usage.ts'

/** Undefined: the event reports none. */
export function usageIn(type: string, value: JsonObject): Json | undefined {
  if (type === 'response.done') return isObject(value.response) ? value.response.usage : undefined
  return type === 'conversation.item.input_audio_transcription.completed' ? value.usage : undefined
}

/** `input_tokens` includes the cached ones. Undefined: nothing is reported, so the sum stays. */
export function addedUsage(sum: Usage | undefined, reported: Json | undefined): Usage | undefined {
  if (!isObject(reported)) return undefined
  const details = isObject(reported.input_token_details) ? reported.input_token_details : {}
  const usage = usageFrom({
    input: tokenCount(reported.input_tokens),
    output: tokenCount(reported.output_tokens),
    cacheRead: tokenCount(details.cached_tokens),
    cacheWrite: undefined,
  })
  return sum === undefined || usage === undefined ? usage : sumUsage(sum, usage)
}
