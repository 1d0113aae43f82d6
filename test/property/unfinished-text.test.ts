// Text that comes in pieces is what one decoder that keeps its state makes of it.
import fc from 'fast-check'
import t from 'tap'
import { UnfinishedText } from '../../proxy/lib/unfinished-text.ts'

/** Undefined where it is not UTF-8, or ends in the middle of a character. */
function decoded(pieces: readonly Uint8Array[]): string | undefined {
  const text = new UnfinishedText()
  let all = ''
  for (const piece of pieces) {
    const more = text.decode(piece)
    if (more === undefined) return undefined
    all += more
  }
  return text.end() === 'clean' ? all : undefined
}

function expected(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end))
}

const places = fc.array(fc.nat(), { maxLength: 8 })

t.test('text is the same however it is cut', async () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      places,
      (text, at) => decoded(cut(Buffer.from(text), at)) === Buffer.from(text).toString(),
    ),
    { numRuns: 500 },
  )
})

t.test('bytes that are no text are none however they are cut', async () => {
  // Of what begins and goes on a character, or nearly.
  const byte = fc.constantFrom(0x0a, 0x61, 0x80, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), fc.array(byte, { maxLength: 8 }), places, (any, near, at) =>
      [any, Uint8Array.from(near)].every((bytes) => decoded(cut(bytes, at)) === expected(bytes)),
    ),
    { numRuns: 1000 },
  )
})
