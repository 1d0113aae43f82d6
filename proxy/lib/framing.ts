// Owns what the two framings of a stream have in common, so that whoever reads one need not know which it is.
import { formatLine, NdjsonDecoder, parseLine } from './ndjson.ts'
import { formatEvent, parseBlock, SseDecoder, type BlockReader, type SseBlocks, type SseEvent } from './sse.ts'
import type { Undecodable } from './unfinished-text.ts'

export type FramingName = 'sse' | 'ndjson'

export type Framing = {
  open(limits: { readonly eventBytesMax: number }): Decoder
  /** `raw` is one whole block, as the decoder gives it. */
  parse(raw: string): SseEvent
  format(event: string, data: string, id?: string): string
  /** What is left of a block that is no event where nobody may read it. */
  readonly beat: string
  /** Whether the block has nothing in it but what `parse` shows. */
  isPlain(raw: string): boolean
}

export type Decoder = {
  split(bytes: Uint8Array): SseBlocks
  read(bytes: Uint8Array, reader: BlockReader): Undecodable | undefined
  end(): 'clean' | 'partial'
  /** Takes what is left of a block whose end did not come, where that may be a block all the same. */
  rest?(): string
}

/** Comments, ids and fields of no meaning are read by nobody. */
const plainBlock = /^(?:(?:data|event):[^\r\n]*(?:\r\n|\r|\n))*[\r\n]*$/

export const framings: Readonly<Record<FramingName, Framing>> = {
  sse: {
    open: (limits) => new SseDecoder(limits),
    parse: parseBlock,
    format: formatEvent,
    beat: ':\n\n',
    isPlain: (raw) => plainBlock.test(raw),
  },
  ndjson: {
    open: (limits) => new NdjsonDecoder(limits),
    parse: parseLine,
    format: (_event, data) => formatLine(data),
    beat: '',
    isPlain: () => true,
  },
}
