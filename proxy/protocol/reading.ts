// Owns how a reading that succeeded is put together. It knows no format.
import type { Content } from './content.ts'
import type { Reading } from './protocol.ts'
import type { Texts } from './texts.ts'

/** What a document says beside its texts. */
type Said = Partial<Omit<Content, keyof Texts>>

export function readingOf(texts: Texts, said: Said = {}): Reading {
  return { ok: true, content: contentOf(texts, said) }
}

/** Each content has all members, so that those who read it meet one shape of object. */
export function contentOf({ parts, uninspected, moreTokens }: Texts, said: Said): Content {
  const {
    model,
    stream,
    maxTokens,
    messages,
    toolCalls = [],
    tools = [],
    alternates,
    listed,
    keptApart,
    asked,
    usage,
    tokens,
  } = said
  return {
    model,
    stream,
    maxTokens,
    messages,
    parts,
    toolCalls,
    tools,
    alternates,
    listed,
    keptApart,
    asked,
    usage,
    uninspected,
    moreTokens,
    tokens,
  }
}
