// Owns bodies that carry in another format what could be JSON: forms and JSON lines. They are read as the JSON that they
// could be, so that rules, redaction and limits look at them as at any other, and edits are written back in their own format.
import { readForm } from '../lib/form-pairs.ts'
import { readLines } from '../lib/json-lines.ts'
import { parseJsonText, type Json } from '../lib/json.ts'
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

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function readCarried(kind: 'form' | 'ndjson', bytes: Uint8Array, { limits }: Runtime): CarriedReading {
  const source = decoded(bytes)
  if (source === undefined) return malformed('it is not valid UTF-8')
  const bounds = { depthMax: limits.jsonDepthMax, keysMax: limits.jsonKeysMax }
  const carried = kind === 'form' ? readForm(source, bounds.keysMax) : readLines(source, bounds)
  if (!carried.ok) {
    const where = 'line' in carried ? `line ${carried.line}` : `character ${carried.offset}`
    const code = 'code' in carried ? carried.code : 'body-malformed'
    return { ok: false, code, message: `${carried.message.replace(/\.$/, '')} (at ${where})` }
  }
  const parsed = parseJsonText(carried.json, { ...bounds, depthMax: bounds.depthMax + 1 })
  if (!parsed.ok) return { ok: false, code: parsed.code, message: parsed.message.replace(/\.$/, '') }
  // Some servers take `;` for `&`.
  const isDisputed = kind === 'form' && source.includes(';')
  return { ok: true, text: parsed.text, value: parsed.value, write: carried.write, isDisputed }
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

function malformed(message: string): CarriedReading {
  return { ok: false, code: 'body-malformed', message }
}
