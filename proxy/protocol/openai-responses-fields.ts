// Owns what the members of OpenAI's Responses format are: which must not change, which cannot be read. Requests, answers,
// stored items and stream events share their members, so they share this. It knows no shapes.
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { Role } from './content.ts'
import type { Label, Standing } from './texts.ts'

/** What must not change or cannot be read; everything else is inspected. */
export function standing(key: string, owner: JsonObject, path: Path): Standing {
  // What is filled into a stored prompt has names of the prompt author's own choosing.
  if (path.at(-2) === 'variables') return 'inspected'
  const fixed = standings.get(key)
  if (fixed !== undefined) return fixed
  const type = owner.type
  switch (key) {
    case 'name':
      return isToolName(type, path) ? 'identifier' : 'inspected'
    case 'image_url':
    case 'partial_image_b64':
      return typeof owner[key] === 'string' ? image : 'inspected'
    case 'url':
      return type === 'image' ? image : 'inspected'
    case 'result':
      return type === 'image_generation_call' ? image : 'inspected'
    case 'data':
      if (path.at(-2) === 'input_audio') return audio
      return type === 'base64' ? encodedFile : 'inspected'
    case 'fingerprint':
      return type === 'program' ? encrypted : 'inspected'
    case 'delta':
      return type === 'response.audio.delta' ? audio : 'inspected'
    case 'logprobs':
      return isEmpty(owner[key]) ? 'inspected' : logprobs
    default:
      return 'inspected'
  }
}

const audio: Label = { label: 'audio', how: 'encoded' }
const image: Label = { label: 'image', how: 'encoded' }
const file: Label = { label: 'file', how: 'walk' }
const encodedFile: Label = { label: 'file', how: 'encoded' }
const encrypted: Label = { label: 'encrypted', how: 'encoded' }
/** They repeat the text piece by piece, so no value in them is whole. */
const logprobs: Label = { label: 'logprobs', how: 'skip' }

const standings = new Map<string, Standing>([
  ...[
    'type',
    'id',
    'object',
    'role',
    'model',
    'status',
    'phase',
    'item_id',
    'call_id',
    'caller_id',
    'response_id',
    'previous_response_id',
    'approval_request_id',
    'container_id',
    'service_tier',
    'obfuscation',
  ].map((key) => [key, 'identifier'] as const),
  ...['created_at', 'completed_at', 'expires_at', 'cancelled_at', 'sequence_number'].map(
    (key) => [key, 'number'] as const,
  ),
  ...['parameters', 'schema', 'input_schema', 'output_schema', 'metadata', 'attributes', 'env'].map(
    (key) => [key, 'free'] as const,
  ),
  ['file_id', file],
  ['file_url', file],
  ['file_data', encodedFile],
  ['encrypted_content', encrypted],
  ['review_target', encrypted],
])

const namedTypes: ReadonlySet<Json | undefined> = new Set([
  'function',
  'custom',
  'namespace',
  'json_schema',
  'function_call',
  'custom_tool_call',
  'mcp_call',
  'mcp_approval_request',
])

/** Where a tool is offered, chosen, listed or called. */
function isToolName(type: Json | undefined, path: Path): boolean {
  return namedTypes.has(type) || path.at(-3) === 'tools'
}

function isEmpty(value: Json | undefined): boolean {
  return value === null || (Array.isArray(value) && value.length === 0)
}

/** Who speaks in an item of the conversation. What a tool did stands in its call as well as in an item of its own. */
export function itemRole(item: JsonObject): Role {
  const role = roles.get(item.role)
  if (role !== undefined) return role
  const type = typeof item.type === 'string' ? item.type : ''
  if (type.endsWith('_output') || type === 'mcp_list_tools') return 'tool'
  if (type === 'additional_tools') return 'definition'
  return type === 'mcp_approval_response' ? 'user' : 'assistant'
}

const roles = new Map<Json | undefined, Role>([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
])
