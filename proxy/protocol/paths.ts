// Owns what real clients do to paths: a missing, doubled or extra `/v1`, doubled slashes. And the listing of models,
// which is the same in every format that has it.
import type { Json } from '../lib/json.ts'
import type { Operation, Reading } from './protocol.ts'
import { readTexts, type Layout } from './texts.ts'

/** What follows the version, beginning with `/`: `/v1/messages`, `/messages` and `/v1//v1/messages` are the same. */
export function pathBelowVersion(path: string): string {
  let rest = path.includes('//') ? path.replaceAll(/\/{2,}/g, '/') : path
  for (let count = 0; count < 2 && rest.startsWith('/v1/'); count += 1) rest = rest.slice(3)
  return rest
}

/** `GET /models` and `GET /models/{id}`; an id may have an organisation before it. */
export function listing(rest: string): Operation | undefined {
  if (rest === '/models') return operation('models.list', '/v1/models')
  const id = /^\/models\/((?:[\w:@+-][\w.:@+-]*\/)?[\w:@+-][\w.:@+-]*)$/.exec(rest)?.[1]
  return id === undefined ? undefined : operation('models.get', `/v1/models/${id}`)
}

function operation(name: string, path: string): Operation {
  return { name, path, action: 'none', body: 'none', idempotent: true, readRequest: refuse, readAnswer: read }
}

function refuse(): Reading {
  return { ok: false, message: 'This operation takes no body.' }
}

/** A catalogue says little, but models that were made to order have their owners' names and texts. */
function read(body: Json, text: string): Reading {
  return { ok: true, content: { ...readTexts(body, text, layout), toolCalls: [], tools: [] } }
}

const layout: Layout = {
  roleAt: () => 'other',
  standing: (key) => (key.startsWith('created') ? 'number' : 'inspected'),
}
