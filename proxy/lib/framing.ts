// Owns what the two framings of a stream have in common, so that whoever reads one need not know which it is.
import { formatLine, NdjsonDecoder, parseLine } from './ndjson.ts'
import {
  eventName,
  formatEvent,
  parseBlock,
  SseDecoder,
  type BlockReader,
  type SseBlocks,
  type SseEvent,
} from './sse.ts'
import type { Undecodable } from './unfinished-text.ts'

export type FramingName = 'sse' | 'ndjson'

export type Framing = {
  open(limits: { readonly eventBytesMax: number }): Decoder
  /** `raw` is one whole block, as the decoder gives it. */
  parse(raw: string): SseEvent
  format(event: string, data: string, id?: string): string
  /** What is left of a block that is no event where nobody may read it. */
  readonly beat: string
  /** Whether the block has nothing in it but data and names of events. */
  isPlain(raw: string): boolean
  /**
   * What is left over at the end of a body, as the block that it is: many servers leave out the last line end. Undefined
   * where it may have been cut.
   */
  lastBlock(rest: string): string | undefined
}

export type Decoder = {
  split(bytes: Uint8Array): SseBlocks
  read(bytes: Uint8Array, reader: BlockReader): Undecodable | undefined
  end(): 'clean' | 'partial'
  /** Takes what has come of a block whose end did not come. */
  rest(): string
}

/** Comments, ids and fields of no meaning are read by nobody, nor are events' names that are none. */
const plainBlock = new RegExp(String.raw`^(?:(?:data:[^\r\n]*|event: ?(?:${eventName})?)(?:\r\n|\r|\n))*[\r\n]*$`)

export const framings: Readonly<Record<FramingName, Framing>> = {
  sse: {
    open: (limits) => new SseDecoder(limits),
    parse: parseBlock,
    format: formatEvent,
    beat: ':\n\n',
    isPlain: (raw) => plainBlock.test(raw),
    lastBlock: lastEvent,
  },
  ndjson: {
    open: (limits) => new NdjsonDecoder(limits),
    parse: parseLine,
    format: (_event, data) => formatLine(data),
    beat: '',
    isPlain: () => true,
    lastBlock: (rest) => (rest.trim() === '' || isWhole(rest) ? rest : undefined),
  },
}

/** The block that a body ends with although its line end did not come; empty where there is none, undefined where it was cut off. */
export function leftOver(decoder: Decoder, framing: Framing): string | undefined {
  const rest = decoder.rest()
  if (decoder.end() === 'partial') return undefined
  return rest === '' ? '' : framing.lastBlock(rest)
}

function lastEvent(rest: string): string | undefined {
  const text = rest.replace(/[\r\n]+$/, '')
  const endsInData = /(?:^|[\r\n])data:[^\r\n]*$/.test(text)
  const raw = `${text}\n\n`
  return endsInData && isWhole(parseBlock(raw).data) ? raw : undefined
}

/** A number or a word might have been cut, and so might any other text. */
function isWhole(data: string): boolean {
  if (data === '[DONE]') return true
  if (!/^\s*[[{]/.test(data)) return false
  try {
    JSON.parse(data)
    return true
  } catch {
    return false
  }
}
