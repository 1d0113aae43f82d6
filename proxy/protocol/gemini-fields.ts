// Owns the names of Gemini's fields: each has two spellings (protobuf's JSON takes systemInstruction and
// system_instruction alike), and each has its standing. It knows nothing of what a request or an answer means.
import type { Json, JsonObject } from '../lib/json.ts'
import { formatAddress } from '../lib/pointer.ts'
import type { Path } from '../lib/pointer.ts'
import type { Label, Layout, Standing } from './texts.ts'

/** The spelling that the tables here go by. */
export function camelName(key: string): string {
  return key.includes('_') ? key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) : key
}

/** The key under which a field stands, in whichever spelling; the camel-case one where it is missing. */
export function keyOf(owner: JsonObject, name: string): string {
  if (Object.hasOwn(owner, name)) return name
  const snake = snakeName(name)
  return Object.hasOwn(owner, snake) ? snake : name
}

export function fieldOf(owner: JsonObject, name: string): Json | undefined {
  return owner[keyOf(owner, name)]
}

/** A repeated field may be written as its one item, without the list. */
export function itemsOf(value: Json | undefined, path: Path): { readonly item: Json; readonly path: Path }[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value.map((item, index) => ({ item, path: [...path, index] })) : [{ item: value, path }]
}

export type FieldLayout = Layout & {
  /** What is wrong where a field was met in both spellings: readers differ in which of the two they take. */
  readonly ambiguous: () => string | undefined
}

/** For one reading. `grown` are parts whose text the caller reads itself. */
export function fieldLayout(roleAt: Layout['roleAt'], grown?: ReadonlySet<JsonObject>): FieldLayout {
  let ambiguous: string | undefined
  return {
    roleAt,
    standing(key, owner, path) {
      if (key === 'text' && grown?.has(owner) === true) return 'handled'
      const name = camelName(key)
      if (name !== key && Object.hasOwn(owner, name)) {
        const place = formatAddress({ path: path.slice(0, -1) })
        ambiguous ??= `${place === '' ? 'The document' : place} has a field in both of its spellings.`
      }
      return standing(name, owner, path)
    },
    ambiguous: () => ambiguous,
  }
}

const snakeNames = new Map<string, string>()

/** Asked for a handful of names only. */
function snakeName(name: string): string {
  let snake = snakeNames.get(name)
  if (snake === undefined) {
    snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    snakeNames.set(name, snake)
  }
  return snake
}

/** What must not change or cannot be read; everything else is inspected. */
function standing(name: string, owner: JsonObject, path: Path): Standing {
  const fixed = standings.get(name)
  if (fixed !== undefined) return fixed
  switch (name) {
    case 'name':
      return calling.has(parentOf(path)) || parentOf(path) === 'functionDeclarations' ? 'identifier' : 'inspected'
    case 'args':
    case 'response':
      return calling.has(parentOf(path)) || parentOf(path) === 'functionDeclarations' ? 'free' : 'inspected'
    case 'parameters':
      return parentOf(path) === 'functionDeclarations' ? 'free' : 'inspected'
    case 'data':
      return parentOf(path) === 'inlineData' ? mediaLabel(fieldOf(owner, 'mimeType')) : 'inspected'
    default:
      return 'inspected'
  }
}

/** The object that the last step of a path belongs to, by the name it has in its own owner. */
function parentOf(path: Path): string {
  const above = path.at(-2)
  const named = typeof above === 'number' ? path.at(-3) : above
  return typeof named === 'string' ? camelName(named) : ''
}

const calling: ReadonlySet<string> = new Set(['functionCall', 'functionResponse', 'toolCall', 'toolResponse'])

/** Opaque to everybody but the provider, and refused by it when changed. Its dummies are words, so they are inspected. */
const signature: Label = { label: 'encrypted', how: 'encoded' }

const standings = new Map<string, Standing>([
  ...[
    'blockReason',
    'category',
    'createTime',
    'finishReason',
    'id',
    'language',
    'languageCode',
    'mimeType',
    'modality',
    'mode',
    'model',
    'modelVersion',
    'outcome',
    'probability',
    'responseId',
    'responseMimeType',
    'role',
    'severity',
    'taskType',
    'threshold',
    'toolType',
    'trafficType',
    'voiceName',
  ].map((name) => [name, 'identifier'] as const),
  ...[
    'ResponseJsonSchema',
    '_responseJsonSchema',
    'labels',
    'parametersJsonSchema',
    'responseJsonSchema',
    'responseSchema',
  ].map((name) => [name, 'free'] as const),
  ['seed', 'number'],
  ['thoughtSignature', signature],
  ['continuationToken', signature],
  ['sdkBlob', { label: 'grounding', how: 'encoded' }],
  ['fileUri', { label: 'file', how: 'walk' }],
  ['cachedContent', { label: 'cached-content', how: 'walk' }],
  ['logprobsResult', { label: 'logprobs', how: 'skip' }],
])

function mediaLabel(mimeType: Json | undefined): Label {
  const kind = typeof mimeType === 'string' ? mimeType.slice(0, mimeType.indexOf('/')) : ''
  return { label: kind === 'image' || kind === 'audio' || kind === 'video' ? kind : 'file', how: 'encoded' }
}
