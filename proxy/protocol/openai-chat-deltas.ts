// Owns which texts of a chat delta grow from chunk to chunk beside the calls, and how more of each is written. Clients
// join whatever stands at the same place, in members that no vendor here is known for as well. It reads no chunks.
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'

export type GrowingText = {
  readonly channel: string
  /** From the delta. */
  readonly path: Path
  readonly text: string
  /** A delta with nothing but more of it. */
  readonly writer: (text: string) => JsonObject
}

export function growingTexts(delta: JsonObject, index: number): GrowingText[] {
  const texts: GrowingText[] = []
  for (const field of Object.keys(delta)) {
    const member = delta[field] as Json
    const name = textFields.get(field)
    if (typeof member === 'string') {
      if (quiet.has(field)) continue
      const channel = name === undefined ? `more:${index}:${field}` : `${name}:${index}`
      texts.push({ channel, path: [field], text: member, writer: (text) => ({ [field]: text }) })
    } else if (field === 'audio' && isObject(member) && typeof member.transcript === 'string') {
      const writer = (transcript: string): JsonObject => ({ audio: { transcript } })
      texts.push({ channel: `transcript:${index}`, path: ['audio', 'transcript'], text: member.transcript, writer })
    } else if (member !== null && typeof member === 'object' && !whole.has(field)) {
      addNested(member, [field], `more:${index}:${field}`, (inner) => ({ [field]: inner }), texts)
    }
  }
  return texts
}

/** Vendors disagree about the name of reasoning; some send both. */
const textFields: ReadonlyMap<string, string> = new Map([
  ['content', 'text'],
  ['refusal', 'refusal'],
  ['reasoning_content', 'reasoning'],
  ['reasoning', 'reasoning-text'],
])

/** Said once, or the same every time. */
const quiet: ReadonlySet<string> = new Set(['role', 'id', 'type', 'object', 'model', 'encrypted_content'])

/** Their entries come whole, or are read as calls. */
const whole: ReadonlySet<string> = new Set(['tool_calls', 'function_call', 'audio', 'annotations', 'images', 'context'])

/** What of an entry is text, and what says which entry it is. */
const texts: ReadonlySet<string> = new Set(['text', 'summary', 'thinking', 'content', 'reasoning', 'reasoning_content'])
const marks = ['type', 'index', 'id', 'format'] as const

function addNested(
  owner: Json,
  path: Path,
  channel: string,
  around: (inner: Json) => JsonObject,
  found: GrowingText[],
): void {
  if (Array.isArray(owner)) {
    for (const [at, entry] of owner.entries()) {
      if (!isObject(entry)) continue
      const place = Number.isSafeInteger(entry.index) ? (entry.index as number) : at
      const kind = typeof entry.type === 'string' ? entry.type : ''
      addNested(entry, [...path, at], `${channel}:${place}:${kind}`, (inner) => around([inner]), found)
    }
  } else if (isObject(owner)) {
    const marked = Object.fromEntries(marks.flatMap((key) => (owner[key] === undefined ? [] : [[key, owner[key]]])))
    for (const key of Object.keys(owner)) {
      const member = owner[key] as Json
      const writer = (inner: Json): JsonObject => around({ ...marked, [key]: inner })
      if (typeof member !== 'string') addNested(member, [...path, key], `${channel}:${key}`, writer, found)
      else if (texts.has(key)) found.push({ channel: `${channel}:${key}`, path: [...path, key], text: member, writer })
    }
  }
}
