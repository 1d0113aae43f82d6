// Owns what is alike in OpenAI's operations that know neither messages nor tools.
import type { JsonObject } from '../lib/json.ts'
import type { Usage } from './content.ts'
import type { Reading } from './protocol.ts'
import { readingOf } from './reading.ts'
import { stringOf } from './shape.ts'
import type { Texts } from './texts.ts'

export function plainReading({ model, stream }: JsonObject, texts: Texts, usage?: Usage): Reading {
  return readingOf(texts, { model: stringOf(model), stream: typeof stream === 'boolean' ? stream : undefined, usage })
}
