// Owns what of a report of usage is believed, and the adding up of reports. What an upstream says is paid for, and summed for
// good, so a report with a number that cannot be true counts as none. Formats split reports over events or repeat growing
// totals, so the largest of each field counts, never the last.
import type { Json } from '../lib/json.ts'
import type { Usage } from './content.ts'

/**
 * Ten times the largest context window that any model has (ten million), because a provider that runs tools itself reads the
 * context again for each round and reports the sum. No field of one answer's report is larger.
 */
const tokensMax = 100_000_000

const fields = ['input', 'output', 'cacheRead', 'cacheWrite'] as const

type Growing = { -readonly [K in keyof Usage]: Usage[K] }
type Counts = { readonly [K in (typeof fields)[number]]: number | undefined }

/** Undefined: nothing is said. NaN: what is said is no count. */
export function tokenCount(value: Json | undefined): number | undefined {
  if (value === undefined || value === null) return undefined
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : NaN
}

/**
 * What was written, where the report has a total, too: some servers leave what was thought out of the output (xAI, Gemini behind
 * OpenAI's format), or all of the output out of the report. A total that is less, or no count, says nothing.
 */
export function outputWithin(
  output: number | undefined,
  input: number | undefined,
  total: number | undefined,
): number | undefined {
  const rest = (total ?? NaN) - (input ?? NaN)
  return rest >= 0 ? Math.max(output ?? 0, rest) : output
}

/** Of one report; undefined where it has no counts. */
export function usageFrom(counts: Counts): Usage | undefined {
  const usage: Growing = {}
  let said = false
  for (const field of fields) {
    const count = counts[field]
    if (count === undefined) continue
    // So written that it holds of NaN as well.
    if (!(count <= tokensMax)) return implausible
    usage[field] = count
    said = true
  }
  return said ? usage : undefined
}

/** Of reports about one answer. One that cannot be true leaves nothing of the others. */
export function largerUsage(before: Usage | undefined, now: Usage | undefined): Usage | undefined {
  if (before === undefined || now === undefined) return before ?? now
  if (before.implausible === true || now.implausible === true) return implausible
  const merged: Growing = { ...before }
  for (const field of fields) {
    const value = now[field]
    if (value !== undefined) merged[field] = Math.max(merged[field] ?? 0, value)
  }
  return merged
}

/** Of reports about several answers. One that cannot be true leaves the others as they are. */
export function sumUsage(before: Usage, more: Usage): Usage {
  const sum: Growing = { ...before, ...(more.implausible === true ? implausible : undefined) }
  for (const field of fields) {
    const value = more[field]
    // A conversation may last for days.
    if (value !== undefined) sum[field] = Math.min((sum[field] ?? 0) + value, Number.MAX_SAFE_INTEGER)
  }
  return sum
}

const implausible: Usage = { implausible: true }
