// Owns where a request says how long its answer may be, in each format, and the edits that make it say no more than it may.
// Who bounds it, and why, it does not know.
import type { Edit } from '../lib/edit.ts'
import { isObject, type Json, type JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { ProtocolName } from './protocol.ts'
import { countOf } from './shape.ts'

/**
 * Members that may say it, and the one that is added where none does; `holder` is the object that they stand in. `thinks`: a
 * budget for thinking is part of it, and must be less. `zeroIsNone`: some server takes zero for no maximum (Ollama, vLLM), as
 * its format's reader does.
 */
type Place = {
  readonly holders?: readonly string[]
  readonly names: readonly string[]
  readonly added: string
  readonly thinks?: true
  readonly zeroIsNone?: true
}

const places: Readonly<Record<string, Place>> = {
  // Servers with Claude behind this format take `thinking` in it.
  'openai chat.completions': {
    names: ['max_completion_tokens', 'max_tokens'],
    added: 'max_completion_tokens',
    thinks: true,
    zeroIsNone: true,
  },
  'openai completions': { names: ['max_tokens'], added: 'max_tokens' },
  'openai responses': { names: ['max_output_tokens'], added: 'max_output_tokens' },
  'anthropic messages': { names: ['max_tokens'], added: 'max_tokens', thinks: true },
  gemini: {
    holders: ['generationConfig', 'generation_config'],
    names: ['maxOutputTokens', 'max_output_tokens'],
    added: 'maxOutputTokens',
    zeroIsNone: true,
  },
  ollama: { holders: ['options'], names: ['num_predict'], added: 'num_predict', zeroIsNone: true },
}

/** Nothing where it says less already, or where the operation has no such member. */
export function boundOutput(protocol: ProtocolName, operation: string, body: Json, tokensMax: number): Edit[] {
  const place = placeOf(protocol, operation)
  if (place === undefined || !isObject(body)) return []
  const holder = place.holders?.find((name) => isObject(body[name])) ?? place.holders?.[0]
  if (holder === undefined)
    return [
      ...within(body, [], place, tokensMax),
      ...thinkingWithin(body, place, tokensMax),
      ...alternatesWithin(body, place, tokensMax),
    ]
  const inner = body[holder]
  if (isObject(inner)) return within(inner, [holder], place, tokensMax)
  return [{ address: { path: [holder] }, json: JSON.stringify({ [place.added]: tokensMax }) }]
}

/** Whatever is asked for, the answer is as long as the upstream likes (`responses/compact`, images). */
export function canBoundOutput(protocol: ProtocolName, operation: string): boolean {
  return placeOf(protocol, operation) !== undefined
}

function placeOf(protocol: ProtocolName, operation: string): Place | undefined {
  return places[`${protocol} ${operation}`] ?? (generates.test(operation) ? places[protocol] : undefined)
}

/** Of Gemini and Ollama all that writes. */
const generates = /generat|chat/i

/** Anthropic refuses less, and as much as the whole answer may have. */
const budgetMin = 1024

/**
 * Where an answer is cut short, its text keeps the room that it had beside thinking, but no more than half. Where thinking
 * has no room at all, it is not asked for.
 */
function thinkingWithin({ thinking, ...body }: JsonObject, { names, thinks }: Place, tokensMax: number): Edit[] {
  const budget = isObject(thinking) ? countOf(thinking.budget_tokens) : undefined
  if (thinks !== true || budget === undefined) return []
  const given = names.flatMap((name) => countOf(body[name]) ?? [])
  const asked = given.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...given)
  // What does not fit into what was asked for is the upstream's to judge.
  if (asked <= tokensMax || budget >= asked) return []
  if (tokensMax <= budgetMin) return [{ address: { path: ['thinking'] }, remove: true }]
  const room = Math.max(Math.floor(tokensMax - (asked - budget)), Math.ceil(tokensMax / 2), budgetMin)
  return room < budget ? [{ address: { path: ['thinking', 'budget_tokens'] }, json: String(room) }] : []
}

/** Who answers in the place of another may say a maximum of its own. */
function alternatesWithin({ fallbacks }: JsonObject, place: Place, tokensMax: number): Edit[] {
  if (place.thinks !== true || !Array.isArray(fallbacks)) return []
  return fallbacks.flatMap((one, index) =>
    isObject(one) && place.names.some((name) => (one[name] ?? null) !== null)
      ? within(one, ['fallbacks', index], place, tokensMax)
      : [],
  )
}

function within(owner: JsonObject, path: Path, place: Place, tokensMax: number): Edit[] {
  const { names, added, zeroIsNone } = place
  const json = String(tokensMax)
  const given = names.filter((name) => owner[name] !== undefined && owner[name] !== null)
  if (given.length === 0) return [{ address: { path: [...path, added] }, json }]
  const boundless = zeroIsNone === true && given.every((name) => Number(owner[name]) === 0)
  return given.flatMap((name) => {
    const count = Number(owner[name])
    // Below zero is without end where it is anything.
    return count >= 0 && count <= tokensMax && !boundless ? [] : [{ address: { path: [...path, name] }, json }]
  })
}
