// Owns OpenAI's speech: a text goes in, sound comes out, which cannot be read. What comes as multipart (transcriptions,
// translations) is not served.
import { isObject } from '../lib/json.ts'
import type { Json } from '../lib/json.ts'
import { standing } from './openai-chat.ts'
import { otherModels } from './openai-models.ts'
import { plainReading } from './openai-plain.ts'
import type { Operation, Reading } from './protocol.ts'
import { wrongMember } from './shape.ts'
import { readTexts } from './texts.ts'

export const speech: Operation = {
  name: 'audio.speech',
  path: '/v1/audio/speech',
  action: 'model.call',
  emits: false,
  body: 'json',
  idempotent: true,
  readRequest: readSpeechRequest,
  readAnswer: () => ({ ok: false, message: 'Speech is no document.' }),
}

function readSpeechRequest(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The body must be an object.' }
  const wrong =
    otherModels(body) ??
    wrongMember(body, 'model', ['string'], '', true) ??
    wrongMember(body, 'input', ['string'], '', true)
  if (wrong !== undefined) return { ok: false, message: wrong }
  const texts = readTexts(body, text, {
    roleAt: ([member]) => (member === 'input' ? 'user' : member === 'instructions' ? 'system' : 'other'),
    standing,
  })
  return plainReading(body, texts)
}
