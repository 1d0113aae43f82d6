// Owns what is said of OpenAI's operations that are refused on purpose. What is not here is just unknown.

/** Undefined where there is nothing to say but that there is no adapter. `rest` is the path below the version. */
export function whyUnserved(method: string, rest: string): string | undefined {
  const [, family = '', kind = '', ...more] = rest.replace(/\/$/, '').split('/')
  if (family === 'files') return method === 'DELETE' ? undefined : filesSay
  if (family === 'batches') return method === 'POST' && kind === '' && more.length === 0 ? batchesSay : undefined
  if (family === 'audio' || family === 'images') return multipart.has(kind) ? multipartSays : undefined
  if (family === 'realtime') return realtimeSays(kind === 'translations' ? (more[0] ?? kind) : kind)
  // What was stored of chats is looked at and deleted below the path by which they are made.
  if (family === 'chat') return kind === 'completions' && (more.length > 0 || method === 'GET') ? keptSays : undefined
  return kept.has(family) ? keptSays : undefined
}

function realtimeSays(kind: string): string {
  if (kind === '' || kind === 'translations') return upgradeSays
  return kind === 'calls' ? callsSay : keysSay
}

const upgradeSays = 'A realtime conversation begins with an upgrade to a WebSocket.'
const callsSay = 'Calls go past whoever stands between, so nothing in them can be inspected; use a WebSocket.'
const keysSay =
  'A key that this operation gives out would let its holder talk to the provider past the gateway; open the WebSocket with the key for here.'
const filesSay = 'What is in files cannot be inspected here, so none may be sent or fetched.'
const batchesSay = 'The requests of a batch stand in a file, which cannot be inspected here; send them one by one.'
const multipartSays = 'This operation takes multipart bodies, which cannot be inspected here.'
const keptSays = 'What this operation works on is kept at the provider, where it cannot be inspected.'

const multipart: ReadonlySet<string> = new Set(['transcriptions', 'translations', 'edits', 'variations'])

const kept: ReadonlySet<string> = new Set([
  'assistants',
  'threads',
  'conversations',
  'containers',
  'evals',
  'fine_tuning',
  'skills',
  'uploads',
  'vector_stores',
  'videos',
])
