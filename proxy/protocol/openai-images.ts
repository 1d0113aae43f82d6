// Owns OpenAI's generation of images from a text. What comes as multipart (edits, variations) is not served. The images
// themselves cannot be read.
import { innerLimits, isObject, parseJsonText } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import { standing } from './openai-chat.ts'
import { otherModels } from './openai-models.ts'
import { plainReading } from './openai-plain.ts'
import { responsesUsage } from './openai-responses.ts'
import type { Operation, Reading, StreamReader, StreamStep } from './protocol.ts'
import { wrongMember } from './shape.ts'
import { emptyStep, newDraft, stepOf } from './step.ts'
import { readTexts } from './texts.ts'
import type { Label, Layout, Standing } from './texts.ts'

export const imageGenerations: Operation = {
  name: 'images.generations',
  path: '/v1/images/generations',
  action: 'model.call',
  body: 'json',
  idempotent: false,
  readRequest: readImagesRequest,
  readAnswer: readImagesAnswer,
  openStream: () => new ImagesStream(),
}

function readImagesRequest(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The body must be an object.' }
  const wrong =
    otherModels(body) ??
    wrongMember(body, 'prompt', ['string'], '', true) ??
    wrongMember(body, 'model', ['string'], '') ??
    wrongMember(body, 'stream', ['boolean'], '')
  if (wrong !== undefined) return { ok: false, message: wrong }
  return plainReading(body, readTexts(body, text, requestLayout))
}

function readImagesAnswer(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The answer must be an object.' }
  return plainReading(body, readTexts(body, text, answerLayout), responsesUsage(body.usage))
}

const image: Label = { label: 'image', how: 'encoded' }

function imageStanding(key: string, owner: JsonObject, path: Path): Standing {
  if (key === 'b64_json' || (key === 'url' && path[0] === 'data')) return image
  return key === 'created_at' ? 'number' : standing(key, owner, path)
}

const requestLayout: Layout = { roleAt: ([member]) => (member === 'prompt' ? 'user' : 'other'), standing }
const answerLayout: Layout = { roleAt: () => 'assistant', standing: imageStanding }

/** Every event is whole; no text grows. */
class ImagesStream implements StreamReader {
  read({ event, data }: { readonly event: string; readonly data: string }): StreamStep {
    if (data === '' || data === '[DONE]') return emptyStep
    const parsed = parseJsonText(data, innerLimits)
    if (!parsed.ok) return { ok: false, message: parsed.message }
    const { value, text } = parsed
    if (!isObject(value)) return { ok: false, message: 'An event must be an object.' }
    if (event !== 'message' && event !== value.type) return { ok: false, message: 'An event is named after another.' }
    const draft = newDraft()
    draft.terminal = value.type === 'image_generation.completed'
    draft.error = isObject(value.error)
    draft.usage = responsesUsage(value.usage)
    return stepOf(value, draft, readTexts(value, text, answerLayout))
  }

  deltaEvent(): string {
    throw new Error('No text grows in this format.')
  }
}
