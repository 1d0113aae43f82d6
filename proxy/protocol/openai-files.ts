// Owns what is served of OpenAI's files and batches: looking at what there is, and stopping a batch. Their contents go in
// and out as files that nobody here can read, so those ways are closed.
import type { Json } from '../lib/json.ts'
import { standing } from './openai-responses-fields.ts'
import type { Operation, Reading } from './protocol.ts'
import { readTexts } from './texts.ts'

export function filesOperation(method: string, rest: string): Operation | undefined {
  const [, kind = '', id, more = ''] = /^\/(files|batches)(?:\/(\w[\w-]*)(\/cancel)?)?$/.exec(rest) ?? []
  if (kind === '') return undefined
  if (method === 'GET' && more === '') return operation(`${kind}.${id === undefined ? 'list' : 'get'}`, rest)
  return method === 'POST' && kind === 'batches' && more !== '' ? operation('batches.cancel', rest) : undefined
}

function operation(name: string, rest: string): Operation {
  return { name, path: `/v1${rest}`, action: 'none', body: 'none', idempotent: true, readRequest: refuse, readAnswer }
}

function refuse(): Reading {
  return { ok: false, message: 'This operation takes no body.' }
}

/** Names of files and metadata are their owners' texts. */
function readAnswer(body: Json, text: string): Reading {
  return {
    ok: true,
    content: { ...readTexts(body, text, { roleAt: () => 'other', standing }), toolCalls: [], tools: [] },
  }
}
