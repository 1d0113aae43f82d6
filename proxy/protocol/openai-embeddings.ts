// Owns OpenAI's embeddings. Vectors are numbers and say nothing that could be replaced.
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { chatUsage, hasTokens, standing, tokens } from './openai-chat.ts'
import { tokensIn } from './openai-completions.ts'
import { otherModels, standIns } from './openai-models.ts'
import { plainReading } from './openai-plain.ts'
import type { Operation, Reading } from './protocol.ts'
import { readingOf } from './reading.ts'
import { arrayOf, lookalikeIn, namesOf, stringOf, wrongMember } from './shape.ts'
import { readTexts } from './texts.ts'
import type { Label, Layout } from './texts.ts'

export const embeddings: Operation = {
  name: 'embeddings',
  path: '/v1/embeddings',
  action: 'model.call',
  body: 'json',
  idempotent: true,
  readRequest: readEmbeddingsRequest,
  readAnswer: readEmbeddingsAnswer,
}

const members = namesOf('model', 'input', ...standIns)

function readEmbeddingsRequest(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The body must be an object.' }
  const wrong =
    lookalikeIn(body, members) ??
    otherModels(body) ??
    wrongMember(body, 'model', ['string'], '', true) ??
    wrongMember(body, 'input', ['string', 'array'], '', true)
  if (wrong !== undefined) return { ok: false, message: wrong }
  return readingOf(readTexts(body, text, requestLayout), { model: stringOf(body.model), tokens: tokensIn(body.input) })
}

function readEmbeddingsAnswer(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The answer must be an object.' }
  return plainReading(body, readTexts(body, text, answerLayout), chatUsage(body.usage))
}

const requestLayout: Layout = {
  roleAt: ([member]) => (member === 'input' ? 'user' : 'other'),
  standing: (key, owner, path) =>
    key === 'input' && path.length === 1 && hasTokens(owner[key]) ? tokens : standing(key, owner, path),
}

const vector: Label = { label: 'vector', how: 'encoded' }

const answerLayout: Layout = {
  roleAt: () => 'other',
  standing: (key, owner, path) =>
    key === 'embedding' && path.length === 3 ? vectorStanding(owner) : standing(key, owner, path),
}

function vectorStanding({ embedding }: JsonObject): 'handled' | 'inspected' | Label {
  if (typeof embedding === 'string') return vector
  return arrayOf(embedding).every((entry) => typeof entry === 'number') ? 'handled' : 'inspected'
}
