import * as fc from 'fast-check'
import t from 'tap'
import { formatEvent, SseDecoder } from '../../proxy/lib/sse.ts'
import type { SseEvent } from '../../proxy/lib/sse.ts'

const utf8 = new TextEncoder()

function decode(bytes: Uint8Array, cuts: readonly number[]): { blocks: SseEvent[]; end: string } {
  const decoder = new SseDecoder({ eventBytesMax: 1e6 })
  const blocks: SseEvent[] = []
  let from = 0
  for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
    const step = decoder.push(bytes.subarray(from, cut))
    if (step.error !== undefined) throw new Error(step.error)
    blocks.push(...step.events)
    from = cut
  }
  return { blocks, end: decoder.end() }
}

/** A stream made of the format's own pieces, line ends of all three kinds among them. */
const streams = fc
  .array(
    fc.constantFrom('data', 'event', 'id', ': ', ':', 'x', '\n', '\r', '\r\n', '\n\n', 'é😀', ' ', '\ufeff', '\0'),
    { maxLength: 40 },
  )
  .map((pieces) => utf8.encode(pieces.join('')))
const split = streams.chain((bytes) => fc.tuple(fc.constant(bytes), fc.array(fc.nat(bytes.length), { maxLength: 12 })))

t.test('any split gives the same events', async () => {
  const seen = (blocks: readonly SseEvent[]) =>
    blocks.filter((block) => !block.comment).map(({ event, data, id }) => ({ event, data, id }))
  fc.assert(
    fc.property(split, ([bytes, cuts]) => {
      const whole = decode(bytes, [])
      const parts = decode(bytes, cuts)
      return JSON.stringify(seen(parts.blocks)) === JSON.stringify(seen(whole.blocks)) && parts.end === whole.end
    }),
    { numRuns: 5000 },
  )
})

t.test('the raws of a stream are the stream', async () => {
  fc.assert(
    fc.property(split, ([bytes, cuts]) => {
      const raw = decode(bytes, cuts)
        .blocks.map((block) => block.raw)
        .join('')
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
      return text.startsWith(raw) && (decode(bytes, cuts).end === 'partial' || text === raw)
    }),
    { numRuns: 2000 },
  )
})

/** Takes some of the blocks by itself, several at once. */
const knownRun = /(?:data: x\r?\n\r?\n)+/y

t.test('a reader that knows some of the blocks is given the others, and together they are the stream', async () => {
  const pieces = fc.array(
    fc.constantFrom('data: x\n\n', 'data: x\r\n\r\n', 'data: y\n\n', '\r', '\n', ':', 'é', '\ufeff'),
    {
      maxLength: 30,
    },
  )
  const cutting = pieces.chain((all) => {
    const bytes = utf8.encode(all.join(''))
    return fc.tuple(fc.constant(bytes), fc.array(fc.nat(bytes.length), { maxLength: 8 }))
  })
  fc.assert(
    fc.property(cutting, ([bytes, cuts]) => {
      const decoder = new SseDecoder({ eventBytesMax: 1e6 })
      const seen: string[] = []
      const reader = {
        block: (raw: string) => seen.push(raw),
        known: (text: string, from: number) => {
          knownRun.lastIndex = from
          const [run = ''] = knownRun.exec(text) ?? []
          if (run !== '') seen.push(...(run.match(/data: x\r?\n\r?\n/g) ?? []))
          return from + run.length
        },
      }
      let from = 0
      for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
        decoder.read(bytes.subarray(from, cut), reader)
        from = cut
      }
      const { blocks, end } = decode(bytes, cuts)
      return JSON.stringify(seen) === JSON.stringify(blocks.map(({ raw }) => raw)) && decoder.end() === end
    }),
    { numRuns: 5000 },
  )
})

t.test('a formatted event decodes to one event, whatever it carries', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (event, data) => {
      const { blocks, end } = decode(utf8.encode(formatEvent(event, data)), [])
      const [only] = blocks
      const expected = data.toWellFormed().replaceAll(/\r\n?/g, '\n')
      return end === 'clean' && blocks.length === 1 && only?.data === expected
    }),
    { numRuns: 500 },
  )
})
