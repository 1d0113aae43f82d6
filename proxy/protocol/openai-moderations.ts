// Owns OpenAI's moderations: texts and images to be judged, and the verdicts on them.
import { isObject } from '../lib/json.ts'
import type { Json } from '../lib/json.ts'
import { standing } from './openai-chat.ts'
import { otherModels } from './openai-models.ts'
import { plainReading } from './openai-plain.ts'
import type { Operation, Reading } from './protocol.ts'
import { wrongMember } from './shape.ts'
import { readTexts } from './texts.ts'

export const moderations: Operation = {
  name: 'moderations',
  path: '/v1/moderations',
  action: 'model.call',
  body: 'json',
  idempotent: true,
  readRequest: (body, text) => read(body, text, 'request'),
  readAnswer: (body, text) => read(body, text, 'answer'),
}

function read(body: Json, text: string, side: 'request' | 'answer'): Reading {
  if (!isObject(body)) return { ok: false, message: 'The document must be an object.' }
  const wrong =
    wrongMember(body, 'model', ['string'], '') ??
    (side === 'request' ? (otherModels(body) ?? wrongMember(body, 'input', ['string', 'array'], '', true)) : undefined)
  if (wrong !== undefined) return { ok: false, message: wrong }
  const texts = readTexts(body, text, { roleAt: ([member]) => (member === 'input' ? 'user' : 'other'), standing })
  return plainReading(body, texts)
}
