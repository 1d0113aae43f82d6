// Owns bodies of JSON lines as one JSON array and back: a line is an element, and what is not edited stays byte for byte.
// It does not know what the lines mean.
import { itemsPerKey, parseJsonText, type Json, type JsonLimits } from './json.ts'
import { eachMember, valueEnd } from './json-source.ts'

/** `json` is the source of the array `value`; `write` takes it edited, with as many elements. */
export type LinesReading =
  | {
      readonly ok: true
      readonly json: string
      readonly value: Json[]
      readonly write: (edited: string) => string
    }
  | {
      readonly ok: false
      readonly code: 'body-malformed' | 'body-too-deep'
      readonly message: string
      readonly line: number
    }

/** Where the JSON of a line stands in the source. */
type Line = { readonly start: number; readonly end: number }

/** Blank lines are none, and there may be as many others as an array has items. Each line is parsed by itself, so that no two are one value or one is two. */
export function readLines(source: string, limits: JsonLimits): LinesReading {
  const linesMax = itemsPerKey * limits.keysMax
  const lines: Line[] = []
  const texts: string[] = []
  const value: Json[] = []
  let number = 1
  for (let start = 0; start <= source.length; number += 1) {
    const lf = source.indexOf('\n', start)
    const lineEnd = lf === -1 ? source.length : lf
    const line = trimmed(source, start, lineEnd)
    start = lineEnd + 1
    if (line === undefined) continue
    const text = source.slice(line.start, line.end)
    const parsed = parseJsonText(text, limits)
    if (!parsed.ok) return { ok: false, code: parsed.code, message: parsed.message, line: number }
    if (lines.length === linesMax)
      return { ok: false, code: 'body-malformed', message: `There are more than ${linesMax} lines.`, line: number }
    lines.push(line)
    texts.push(text)
    value.push(parsed.value)
  }
  return { ok: true, json: `[${texts.join(',')}]`, value, write: (edited) => writeLines(source, lines, edited) }
}

/** White space as JSON has it: RFC 8259 section 2. */
function trimmed(source: string, from: number, to: number): Line | undefined {
  let start = from
  let end = to
  while (start < end && isSpace(source.charCodeAt(start))) start++
  while (end > start && isSpace(source.charCodeAt(end - 1))) end--
  return start === end ? undefined : { start, end }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d
}

function writeLines(source: string, lines: readonly Line[], edited: string): string {
  const pieces: string[] = []
  let copied = 0
  let next = 0
  eachMember(edited, 0, (_step, _none, from) => {
    const to = valueEnd(edited, from)
    const { start, end } = lines[next++] as Line
    pieces.push(source.slice(copied, start), edited.slice(from, to))
    copied = end
    return to
  })
  return pieces.join('') + source.slice(copied)
}
