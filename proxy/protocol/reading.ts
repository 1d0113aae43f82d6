// Owns how a reading that succeeded is put together. It knows no format.
import type { Content } from './content.ts'
import type { Reading } from './protocol.ts'
import { present } from './shape.ts'
import type { Texts } from './texts.ts'

/** What a document says beside its texts; what is undefined is not in the content. */
type Said = { readonly [K in Exclude<keyof Content, keyof Texts>]?: Content[K] | undefined }

export function readingOf(texts: Texts, said: Said = {}): Reading {
  return { ok: true, content: contentOf(texts, said) }
}

export function contentOf(texts: Texts, said: Said): Content {
  return { toolCalls: [], tools: [], ...present<Partial<Content>>(said), ...texts }
}
