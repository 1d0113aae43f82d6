// Owns bodies that carry in another format what could be JSON: forms and JSON lines. They are read as the JSON that they
// could be, so that rules, redaction and limits look at them as at any other, and edits are written back in their own format.
import { readForm } from '../lib/form-pairs.ts'
import { readLines } from '../lib/json-lines.ts'
import { parseJsonText, type Json, type JsonLimits } from '../lib/json.ts'
import { pairsReadMax } from '../lib/query-pairs.ts'
import { decodeUtf8 } from '../lib/utf8.ts'
import type { Runtime } from './runtime.ts'

export type Carried = {
  readonly text: string
  readonly value: Json
  /** The edited JSON in the format that it came in. */
  readonly write: (edited: string) => string
  /** Some readers see other members. */
  readonly isDisputed: boolean
}

export type CarriedReading =
  | ({ readonly ok: true } & Carried)
  | { readonly ok: false; readonly code: 'body-malformed' | 'body-too-deep'; readonly message: string }

export function readCarried(kind: 'form' | 'ndjson', bytes: Uint8Array, { limits }: Runtime): CarriedReading {
  const source = decodeUtf8(bytes)
  if (source === undefined) return { ok: false, code: 'body-malformed', message: 'it is not valid UTF-8' }
  const bounds = { depthMax: limits.jsonDepthMax, keysMax: limits.jsonKeysMax }
  return kind === 'form' ? carriedByForm(source, bounds) : carriedByLines(source, bounds)
}

function carriedByForm(source: string, bounds: JsonLimits): CarriedReading {
  const form = readForm(source, bounds.keysMax)
  if (!form.ok) return refused('body-malformed', form.message, ` (at character ${form.offset})`)
  // Names that some readers take for one are refused as those of JSON are. An object of lists is two deep.
  const parsed = parseJsonText(form.json, { ...bounds, depthMax: bounds.depthMax + 1 })
  if (!parsed.ok) return refused(parsed.code, parsed.message)
  // Some servers take `;` for `&`, and some stop reading.
  const isDisputed = source.includes(';') || form.pairCount > pairsReadMax
  return { ok: true, text: parsed.text, value: parsed.value, write: form.write, isDisputed }
}

function carriedByLines(source: string, bounds: JsonLimits): CarriedReading {
  const lines = readLines(source, bounds)
  if (!lines.ok) return refused(lines.code, lines.message, ` (at line ${lines.line})`)
  return { ok: true, text: lines.json, value: lines.value, write: lines.write, isDisputed: false }
}

function refused(code: 'body-malformed' | 'body-too-deep', message: string, where = ''): CarriedReading {
  return { ok: false, code, message: message.replace(/\.$/, '') + where }
}
