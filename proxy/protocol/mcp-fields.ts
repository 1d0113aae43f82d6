// Owns where text stands in MCP messages, of every version and in both directions: which members are identifiers, which
// are free JSON, which hold media that cannot be read. It does not know what a message asks for.
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { Role } from './content.ts'
import type { Label, Layout, Standing } from './texts.ts'

/** The texts of a message; `role` is whose words they are where the message does not say. */
export function mcpLayout(role: Role): Layout {
  return { roleAt: (path) => roleAt(path, role), standing }
}

/** What tools are called and do is a definition; the rest is its speaker's. */
function roleAt(path: Path, role: Role): Role {
  return path[0] === 'result' && path[1] === 'tools' ? 'definition' : role
}

function standing(key: string, owner: JsonObject, path: Path): Standing {
  // The reader of messages has seen that it says 2.0.
  if (key === 'jsonrpc' && path.length === 1) return 'handled'
  // Whatever client and server agree on, with one member that is the format's own.
  if (path.length > 2 && key !== 'progressToken' && path.lastIndexOf('_meta', -2) !== -1) return 'free'
  const fixed = standings.get(key)
  if (fixed !== undefined) return fixed
  if (correlating.has(key)) {
    if (isCorrelation(owner[key], path)) return 'handled'
    return isAsked(key, owner, path) ? 'echoed' : 'inspected'
  }
  const label = opaque.get(key)
  if (label !== undefined) return isOpaque(owner[key]) ? label : 'echoed'
  // `data` of a log message or an error is anybody's; of media it is the media.
  if (key === 'data') return media.get(owner['type'] as string) ?? 'free'
  // What a user has filled in has members of any name.
  if (key === 'content') return Object.hasOwn(owner, 'action') ? 'free' : 'inspected'
  if (key === 'src') return path.at(-3) === 'icons' ? image : 'inspected'
  return 'inspected'
}

const image: Label = { label: 'image', how: 'encoded' }
const media = new Map<string, Label>([
  ['image', image],
  ['audio', { label: 'audio', how: 'encoded' }],
])

const standings = new Map<string, Standing>([
  ...['method', 'name', 'type', 'role', 'mimeType', 'level', 'mode', 'resultType', 'status', 'stopReason', 'model'].map(
    (key) => [key, 'identifier'] as const,
  ),
  ...['progress', 'total', 'size', 'ttlMs', 'ttl', 'pollInterval', 'priority', 'maxTokens', 'code'].map(
    (key) => [key, 'number'] as const,
  ),
  ...[
    'arguments',
    'structuredContent',
    'inputSchema',
    'outputSchema',
    'requestedSchema',
    'input',
    'metadata',
    'capabilities',
  ].map((key) => [key, 'free'] as const),
  ['blob', { label: 'blob', how: 'encoded' }],
])

/** An answer finds its question by these, so they never change. */
const correlating: ReadonlySet<string> = new Set(['id', 'progressToken', 'requestId', 'taskId', 'toolUseId'])

/** Whoever sends it has made it up, and gets it back. In an answer it is the other side's own, who must know it again. */
function isAsked(key: string, owner: JsonObject, path: Path): boolean {
  if (key === 'id') return Object.hasOwn(owner, 'method')
  return key === 'progressToken' ? path.includes('_meta') : key !== 'toolUseId'
}

/** A number where the format has one, a counter or the time in a string, or a name; nothing that could be an account. */
function isCorrelation(value: Json | undefined, path: Path): boolean {
  if (typeof value === 'number') return path.length === 1 || path.at(-1) !== 'id'
  if (typeof value !== 'string' || value.length > 128) return false
  return /^[0-9]{1,13}$/.test(value) || (/^[\w.:/-]+$/.test(value) && /[A-Za-z]/.test(value))
}

/** What a server hands out to get it back unchanged. */
const opaque = new Map<string, Label>([
  ['cursor', { label: 'cursor', how: 'skip' }],
  ['nextCursor', { label: 'cursor', how: 'skip' }],
  ['requestState', { label: 'request-state', how: 'skip' }],
])

function isOpaque(value: Json | undefined): boolean {
  return typeof value === 'string' && /^[A-Za-z0-9+/=_.~:-]*$/.test(value) && /[A-Za-z]/.test(value)
}

/** `params` or `result`, where it is an object. */
export function memberOf(message: JsonObject, key: string): JsonObject | undefined {
  const value = message[key]
  return isObject(value) ? value : undefined
}
