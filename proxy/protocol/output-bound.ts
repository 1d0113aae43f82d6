// Owns where a request says how long its answer may be, in each format, and the edits that make it say no more than it may.
// Who bounds it, and why, it does not know.
import type { Edit } from '../lib/edit.ts'
import { isObject, type Json, type JsonObject } from '../lib/json.ts'
import type { ProtocolName } from './protocol.ts'

/** Members that may say it, and the one that is added where none does; `holder` is the object that they stand in. */
type Place = { readonly holders?: readonly string[]; readonly names: readonly string[]; readonly added: string }

const places: Readonly<Record<string, Place>> = {
  'openai chat.completions': { names: ['max_completion_tokens', 'max_tokens'], added: 'max_completion_tokens' },
  'openai completions': { names: ['max_tokens'], added: 'max_tokens' },
  'openai responses': { names: ['max_output_tokens'], added: 'max_output_tokens' },
  'anthropic messages': { names: ['max_tokens'], added: 'max_tokens' },
  gemini: {
    holders: ['generationConfig', 'generation_config'],
    names: ['maxOutputTokens', 'max_output_tokens'],
    added: 'maxOutputTokens',
  },
  ollama: { holders: ['options'], names: ['num_predict'], added: 'num_predict' },
}

/** Nothing where it says less already, or where the operation has no such member. */
export function boundOutput(protocol: ProtocolName, operation: string, body: Json, tokensMax: number): Edit[] {
  const place = places[`${protocol} ${operation}`] ?? (generates.test(operation) ? places[protocol] : undefined)
  if (place === undefined || !isObject(body)) return []
  const holder = place.holders?.find((name) => isObject(body[name])) ?? place.holders?.[0]
  if (holder === undefined) return within(body, [], place, tokensMax)
  const inner = body[holder]
  if (isObject(inner)) return within(inner, [holder], place, tokensMax)
  return [{ address: { path: [holder] }, json: JSON.stringify({ [place.added]: tokensMax }) }]
}

/** Of Gemini and Ollama all that writes. */
const generates = /generat|chat/i

function within(owner: JsonObject, path: readonly string[], { names, added }: Place, tokensMax: number): Edit[] {
  const json = String(tokensMax)
  const given = names.filter((name) => owner[name] !== undefined && owner[name] !== null)
  if (given.length === 0) return [{ address: { path: [...path, added] }, json }]
  return given.flatMap((name) => {
    const count = Number(owner[name])
    // Below zero is without end where it is anything.
    return count >= 0 && count <= tokensMax ? [] : [{ address: { path: [...path, name] }, json }]
  })
}
