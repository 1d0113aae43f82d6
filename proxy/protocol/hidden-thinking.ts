// Owns whether a model may think out of sight: that is billed like any answer, but how much of it there was is told at the end.
// What follows for whoever leaves before that it does not know.
import { isObject, type Json, type JsonObject } from '../lib/json.ts'
import type { ProtocolName } from './protocol.ts'

/** Unknown until usage was `reported` for the first time, or until the answer is `complete`. */
export type Hidden = 'reported' | 'complete'

/** Undefined: what is billed is seen as it comes. `model`: what the upstream calls it. */
export function thinksHidden(protocol: ProtocolName, body: Json, model = ''): Hidden | undefined {
  if (!isObject(body)) return undefined
  switch (protocol) {
    case 'openai':
      return mayThinkOpenai(body, model) ? 'complete' : undefined
    case 'anthropic':
      return mayThinkAnthropic(body, model) ? 'complete' : undefined
    case 'gemini':
      // Each event counts what was thought so far.
      return mayThinkGemini.test(model) || hasThinkingConfig(body) ? 'reported' : undefined
    default:
      return undefined
  }
}

/** Models that do whatever is asked of them; behind gateways their names have the vendor's before them. */
const thinkers = /(?:^|[/.:])(?:o\d|gpt-(?:[5-9]|\d\d)|codex|computer-use|grok-[3-9]|gemini-(?:2\.5|[3-9]))/i
/** Models that never do, also where clients use the newer name of the maximum. */
const plain = /(?:^|[/.:])(?:gpt-[34]|chatgpt-4|davinci|babbage)/i

/** `max_completion_tokens` is what reasoning models have in the place of `max_tokens`. */
function mayThinkOpenai(body: JsonObject, model: string): boolean {
  const { reasoning_effort: effort, reasoning, thinking, max_completion_tokens: tokensMax } = body
  if (thinkers.test(model)) return true
  if ((typeof effort === 'string' && effort !== 'none') || isObject(reasoning) || isAsked(thinking)) return true
  return typeof tokensMax === 'number' && !plain.test(model)
}

/** What is shown of their thinking is a summary or nothing; these think unless they are told not to. */
const thinksByItself = /mythos|fable|claude-[a-z]+-[5-9]/i

function mayThinkAnthropic({ thinking = null }: JsonObject, model: string): boolean {
  return thinking === null ? thinksByItself.test(model) : isAsked(thinking)
}

function isAsked(thinking: Json | undefined): boolean {
  return isObject(thinking) && thinking.type !== 'disabled'
}

const mayThinkGemini = /gemini-(?:2\.5|[3-9])/i

function hasThinkingConfig(body: JsonObject): boolean {
  const config = body['generationConfig'] ?? body['generation_config']
  return isObject(config) && (config['thinkingConfig'] ?? config['thinking_config'] ?? null) !== null
}
