// Owns what is alike in OpenAI's operations that know neither messages nor tools.
import type { JsonObject } from '../lib/json.ts'
import type { Content, Usage } from './content.ts'
import { present, stringOf } from './shape.ts'
import type { Texts } from './texts.ts'

export function plainContent({ model, stream }: JsonObject, texts: Texts, usage?: Usage): Content {
  return {
    ...texts,
    ...present<Pick<Content, 'model' | 'stream' | 'usage'>>({
      model: stringOf(model),
      stream: typeof stream === 'boolean' ? stream : undefined,
      usage,
    }),
    toolCalls: [],
    tools: [],
  }
}
