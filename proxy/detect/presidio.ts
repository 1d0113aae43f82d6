// Owns what is said to a Presidio analyzer and what it answers (its HTTP API: POST /analyze). Its offsets count code
// points, as Python's strings do; ours count UTF-16 units. It sends nothing.
import type { External } from './external.ts'
import type { Finding } from './finding.ts'

export const presidioPath = '/analyze'

/** One text stands by itself, several in a list: analyzers that know no lists can be asked for one at a time. */
export function presidioQuestion(texts: readonly string[], external: External): Uint8Array {
  // Half a surrogate pair cannot be encoded there. What stands for it has the same length.
  const wellFormed = texts.map((text) => text.toWellFormed())
  return Buffer.from(
    JSON.stringify({
      text: wellFormed.length === 1 ? wellFormed[0] : wellFormed,
      language: external.language,
      entities: [...external.entities.keys()],
      score_threshold: external.scoreThreshold,
    }),
  )
}

/** In the order of the texts. Undefined: that is no answer to the question. */
export function presidioFindings(
  answer: unknown,
  texts: readonly string[],
  external: External,
): readonly (readonly Finding[])[] | undefined {
  const lists: unknown = texts.length === 1 ? [answer] : answer
  if (!Array.isArray(lists) || lists.length !== texts.length) return undefined
  const found: Finding[][] = []
  for (const [index, list] of lists.entries()) {
    const findings = findingsIn(list, texts[index] ?? '', external)
    if (findings === undefined) return undefined
    found.push(findings)
  }
  return found
}

function findingsIn(list: unknown, text: string, external: External): Finding[] | undefined {
  if (!Array.isArray(list)) return undefined
  const { entities, group, scoreThreshold, allowed } = external
  const unitOf = unitsByCodePoint(text)
  const findings: Finding[] = []
  for (const item of list as readonly unknown[]) {
    const result = resultOf(item)
    const start = result === undefined ? undefined : unitOf(result.start)
    const end = result === undefined ? undefined : unitOf(result.end)
    if (result === undefined || start === undefined || end === undefined || end <= start) return undefined
    // It may answer with more than it was asked for.
    const entity = entities.get(result.type)
    if (entity === undefined || result.score < scoreThreshold || allowed(text.slice(start, end))) continue
    findings.push({ entity, group, start, end })
  }
  return findings
}

type Result = { readonly type: string; readonly start: number; readonly end: number; readonly score: number }

function resultOf(item: unknown): Result | undefined {
  if (typeof item !== 'object' || item === null) return undefined
  const { entity_type: type, start, end, score } = item as Record<string, unknown>
  if (typeof type !== 'string' || typeof start !== 'number' || typeof end !== 'number') return undefined
  return typeof score === 'number' ? { type, start, end, score } : undefined
}

/** Undefined for what is no place in the text. */
function unitsByCodePoint(text: string): (index: number) => number | undefined {
  const isPlain = !/[\ud800-\udbff][\udc00-\udfff]/.test(text)
  const starts: number[] = []
  if (!isPlain) {
    for (let unit = 0; unit < text.length; unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1) starts.push(unit)
    starts.push(text.length)
  }
  return (index) => {
    if (!Number.isInteger(index) || index < 0) return undefined
    return isPlain ? (index <= text.length ? index : undefined) : starts[index]
  }
}
