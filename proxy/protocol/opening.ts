// Owns what the first event of a model's stream says of the whole: whether it is content, or an error that a status should
// have told. It reads only as much as that takes; what the event means otherwise is its format's business.
import { framings, type FramingName } from '../lib/framing.ts'
import { isObject, type Json, type JsonObject } from '../lib/json.ts'

/**
 * `limited`: who asks was limited. `exhausted`: what may be used or spent is used up, and no waiting heals it. `failed`: the
 * upstream could not. `wrong`: what was asked is wrong, and the upstream is well. `refused`: it will not, and does not say why.
 */
export type Opening = 'content' | 'limited' | 'exhausted' | 'failed' | 'wrong' | 'refused'

/** Longer than any first event that is an error. */
const eventBytesMax = 64 * 1024

/** Longer than most first events: the rest of what has come would be taken apart for nothing. */
const firstBytes = 1024

/** `bytes` from the beginning of the stream; undefined while they hold no event that says anything. */
export function readOpening(bytes: Uint8Array, framing: FramingName): Opening | undefined {
  return (
    readFirst(bytes.subarray(0, firstBytes), framing) ??
    (bytes.length > firstBytes ? readFirst(bytes, framing) : undefined)
  )
}

function readFirst(bytes: Uint8Array, framing: FramingName): Opening | undefined {
  const framed = framings[framing]
  const { blocks, error } = framed.open({ eventBytesMax }).split(bytes)
  for (const block of blocks) {
    const { event, data, comment } = framed.parse(block)
    if (comment || data === '' || event === 'ping') continue
    // Of most streams this is all that is looked at.
    if (event !== 'error' && !data.includes('"error"')) return 'content'
    return readError(event, data)
  }
  return error === undefined ? undefined : 'content'
}

/** What an event says that may be an error, wherever in a stream it stands. */
export function readError(event: string, data: string): Opening {
  const value = parsed(data)
  return isObject(value) ? openingOf(event, value) : 'content'
}

function parsed(data: string): Json | undefined {
  try {
    return JSON.parse(data) as Json
  } catch {
    return undefined
  }
}

function openingOf(event: string, value: JsonObject): Opening {
  const response = isObject(value['response']) ? value['response']['error'] : undefined
  const inside = value['error'] ?? response
  const named = event === 'error' || value['type'] === 'error'
  const error = inside === undefined || inside === null ? (named ? value : undefined) : inside
  if (error === undefined) return 'content'
  // Ollama says it as a text, of failures only: what it refuses has a status.
  if (!isObject(error)) return 'failed'
  const said = [error['type'], error['code'], error['status']].map((word) =>
    typeof word === 'string' || typeof word === 'number' ? String(word).toLowerCase() : '',
  )
  if (said.some((word) => quotas.test(word))) return 'exhausted'
  if (said.some((word) => limits.test(word))) return 'limited'
  if (said.some((word) => failures.test(word))) return 'failed'
  return said.some((word) => wrongs.test(word)) ? 'wrong' : 'refused'
}

const quotas = /insufficient_quota|spend_limit|billing_hard_limit/
const limits = /^429$|rate_limit|resource_exhausted|too_many_requests|quota/
const failures = /^5\d\d$|overloaded|server_error|api_error|internal|unavailable|timeout|deadline_exceeded/
const wrongs =
  /^4\d\d$|invalid|bad_?request|not_found|unsupported|permission|authentication|content_|image|policy|context_length/
