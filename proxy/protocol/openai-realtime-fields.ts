// Owns what the members of OpenAI's realtime events are: which must not change, which cannot be read, and who speaks in
// them. Both sides of the conversation share their members, and most of them with the Responses format.
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { Role } from './content.ts'
import { itemRole, standing as responsesStanding } from './openai-responses-fields.ts'
import { arrayOf } from './shape.ts'
import type { Label, Layout, Standing } from './texts.ts'

export const serverLayout: Layout = { roleAt: () => 'assistant', standing }

export function clientLayout(event: JsonObject): Layout {
  return { roleAt: (path) => clientRole(event, path), standing }
}

function standing(key: string, owner: JsonObject, path: Path): Standing {
  if (path.at(-2) === 'variables') return 'inspected'
  const fixed = standings.get(key)
  if (fixed !== undefined) return fixed
  switch (key) {
    // Settings have an object of this name.
    case 'audio':
      return typeof owner[key] === 'string' ? audio : 'inspected'
    case 'delta':
      return isSound(owner.type) ? audio : 'inspected'
    case 'id':
      return path.length === 3 && path[1] === 'prompt' ? prompt : 'identifier'
    case 'name':
      return namingTypes.has(owner.type) ? 'identifier' : responsesStanding(key, owner, path)
    case 'event':
      return path.length === 1 && isTelephoneKey(owner[key]) ? dtmf : 'inspected'
    default:
      return responsesStanding(key, owner, path)
  }
}

function isSound(type: Json | undefined): boolean {
  return typeof type === 'string' && /^(?:response|session)\.(?:output_)?audio\.delta$/.test(type)
}

function isTelephoneKey(value: Json | undefined): boolean {
  return typeof value === 'string' && /^[0-9A-D*#]$/.test(value)
}

const audio: Label = { label: 'audio', how: 'encoded' }
/** What the provider adds from what it keeps. */
const prompt: Label = { label: 'prompt', how: 'walk' }
/** Keys of a telephone come one an event, so no number in them is whole. */
const dtmf: Label = { label: 'dtmf', how: 'skip' }

const standings = new Map<string, Standing>([
  ...['event_id', 'previous_item_id', 'conversation_id'].map((key) => [key, 'identifier'] as const),
  ...['audio_start_ms', 'audio_end_ms', 'received_at'].map((key) => [key, 'number'] as const),
])

/** Tools need no type here, and one event says again whose arguments it has. */
const namingTypes: ReadonlySet<Json | undefined> = new Set(['response.function_call_arguments.done'])

function clientRole(event: JsonObject, path: Path): Role {
  const [member, place, index] = path
  if (member === 'item') return isObject(event.item) ? itemRole(event.item) : 'other'
  const owner = member === 'session' || member === 'response' ? event[member] : undefined
  if (!isObject(owner)) return 'other'
  switch (place) {
    case 'input': {
      const item = typeof index === 'number' ? arrayOf(owner.input)[index] : undefined
      return isObject(item) ? itemRole(item) : 'other'
    }
    case 'instructions':
      return 'system'
    case 'prompt':
      return index === 'variables' ? 'user' : 'other'
    case 'tools':
    case 'tool_choice':
      return 'definition'
    default:
      // What guides a transcription.
      return path.at(-1) === 'prompt' || path.at(-2) === 'keywords' ? 'system' : 'other'
  }
}
