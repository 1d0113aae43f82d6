// Owns what is served of OpenAI's files and batches: looking at what there is, and stopping a batch. Their contents go in
// and out as files that nobody here can read, so those ways are closed.
import type { Json } from '../lib/json.ts'
import { bodiless } from './bodiless.ts'
import { standing } from './openai-responses-fields.ts'
import { idInPath } from './paths.ts'
import type { Operation, Reading } from './protocol.ts'
import { readingOf } from './reading.ts'
import { readTexts } from './texts.ts'

export function filesOperation(method: string, rest: string): Operation | undefined {
  const [, kind = '', id, more = ''] = form.exec(rest) ?? []
  if (kind === '') return undefined
  if (method === 'GET' && more === '')
    return bodiless(`${kind}.${id === undefined ? 'list' : 'get'}`, `/v1${rest}`, readAnswer)
  return method === 'POST' && kind === 'batches' && more !== ''
    ? bodiless('batches.cancel', `/v1${rest}`, readAnswer)
    : undefined
}

const form = new RegExp(String.raw`^/(files|batches)(?:/(${idInPath})(/cancel)?)?$`)

/** Names of files and metadata are their owners' texts. */
function readAnswer(body: Json, text: string): Reading {
  return readingOf(readTexts(body, text, { roleAt: () => 'other', standing }))
}
