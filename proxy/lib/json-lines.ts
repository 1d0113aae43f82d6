// Owns bodies of JSON lines as one JSON array and back: a line is an element, and what is not edited stays byte for byte.
// It does not know what the lines mean.
import { parseJsonText, type JsonLimits } from './json.ts'
import { eachMember, valueEnd } from './json-source.ts'

/** `json` is the source of the array; `write` takes it edited, with as many elements. */
export type LinesReading =
  | { readonly ok: true; readonly json: string; readonly write: (edited: string) => string }
  | {
      readonly ok: false
      readonly code: 'body-malformed' | 'body-too-deep'
      readonly message: string
      readonly line: number
    }

/** What stands in a line, and the white space around it, its end included. */
type Line = { readonly before: string; readonly json: string; readonly after: string }

/** Blank lines are none. Each line is parsed by itself, so that no two are one value or one is two. */
export function readLines(source: string, limits: JsonLimits): LinesReading {
  const lines = source.split('\n').map(lineOf)
  for (const [index, { json }] of lines.entries()) {
    const parsed = json === '' ? undefined : parseJsonText(json, limits)
    if (parsed?.ok === false) return { ok: false, code: parsed.code, message: parsed.message, line: index + 1 }
  }
  const array = lines.flatMap(({ json }) => (json === '' ? [] : [json]))
  return { ok: true, json: `[${array.join(',')}]`, write: (edited) => writeLines(lines, edited) }
}

/** White space as JSON has it: RFC 8259 section 2. */
function lineOf(raw: string): Line {
  let start = 0
  let end = raw.length
  while (start < end && ' \t\r'.includes(raw.charAt(start))) start++
  while (end > start && ' \t\r'.includes(raw.charAt(end - 1))) end--
  return { before: raw.slice(0, start), json: raw.slice(start, end), after: raw.slice(end) }
}

function writeLines(lines: readonly Line[], edited: string): string {
  const elements: string[] = []
  eachMember(edited, 0, (_step, _none, start) => {
    const end = valueEnd(edited, start)
    elements.push(edited.slice(start, end))
    return end
  })
  let next = 0
  return lines.map(({ before, json, after }) => before + (json === '' ? '' : elements[next++]) + after).join('\n')
}
