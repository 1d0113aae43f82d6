// Owns content encodings (RFC 9110 §8.4): encoded bytes to plain ones, or a refusal. One layer, bounded, off the event
// loop. It does not know what the bytes mean.
import { pipeline } from 'node:stream'
import {
  brotliDecompress,
  createBrotliDecompress,
  createGunzip,
  createZstdDecompress,
  gunzip,
  zstdDecompress,
} from 'node:zlib'

export type Decoded =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | {
      readonly ok: false
      readonly code: 'encoding-unsupported' | 'body-too-large' | 'body-malformed'
      readonly message: string
    }

/**
 * `contentEncoding` is the header's value, all lines of it joined. Plain bytes are given back as they are. `deflate` is
 * not accepted: half the world sends it raw, the other half in zlib's wrapping. A promise only where something is
 * decompressed.
 */
export function decodeBody(
  bytes: Uint8Array,
  contentEncoding: string | undefined,
  decodedBytesMax: number,
): Decoded | Promise<Decoded> {
  const coding = contentEncoding === undefined ? '' : contentEncoding.trim().toLowerCase()
  if (coding === '' || coding === 'identity') return bytes.length > decodedBytesMax ? tooLarge : { ok: true, bytes }
  const decompress = codings.get(coding)?.decompress
  if (decompress === undefined) return unsupported
  return new Promise((resolve) => {
    decompress(bytes, { maxOutputLength: decodedBytesMax, info: true }, (error, result) => {
      if (error !== null) resolve(codeOf(error) === 'ERR_BUFFER_TOO_LARGE' ? tooLarge : malformed)
      else resolve(whole(result, bytes.length))
    })
  })
}

type Options = { readonly maxOutputLength: number; readonly info: true }
type Decompress = (bytes: Uint8Array, options: Options, done: (error: Error | null, result: unknown) => void) => void

type Decoder = ReturnType<typeof createGunzip>

/** How a body is decoded that is there as a whole, and one that comes in pieces. */
type Coding = { readonly decompress: Decompress; readonly open: () => Decoder }

const gzip: Coding = { decompress: gunzip, open: createGunzip }
const codings = new Map<string, Coding>([
  ['gzip', gzip],
  ['x-gzip', gzip],
  ['br', { decompress: brotliDecompress, open: createBrotliDecompress }],
  ['zstd', { decompress: zstdDecompress, open: createZstdDecompress }],
])

/** `coding` in lower case; undefined where it is not known. */
export function openDecoder(coding: string): (() => Decoder) | undefined {
  return codings.get(coding)?.open
}

/** What a client accepts, without what could not be decoded on the way; in clear where nothing else is left. */
export function decodableOf(acceptEncoding: string): string {
  const kept = acceptEncoding.split(',').filter((one) => {
    const coding = (one.split(';', 1)[0] as string).trim().toLowerCase()
    return coding === 'identity' || codings.has(coding)
  })
  return kept.length === 0 ? 'identity' : kept.join(',').trim()
}

/** Logs and tables come to a tenth or a fiftieth; only what was made for it, or says nothing, comes to less. */
const ratioMax = 100

/**
 * Decodes a body as it comes: beyond `plainBytesMax` no more than a hundred times what has come. What the body throws is
 * thrown on; what is wrong with the encoding, as `refusal` says.
 */
export async function* decodePieces(
  body: AsyncIterable<Uint8Array>,
  open: () => Decoder,
  plainBytesMax: number,
  refusal: (flaw: 'malformed' | 'too-large') => Error,
): AsyncGenerator<Uint8Array, undefined> {
  let encodedBytes = 0
  let plainBytes = 0
  let thrown: Error | undefined
  async function* counted(): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of body) {
        encodedBytes += piece.length
        yield piece
      }
    } catch (error) {
      thrown = error as Error
      throw error
    }
  }
  const decoder = open()
  // What goes wrong is thrown where it is read.
  pipeline(counted, decoder, () => {})
  try {
    for await (const piece of decoder as AsyncIterable<Uint8Array>) {
      plainBytes += piece.length
      if (plainBytes > Math.max(plainBytesMax, encodedBytes * ratioMax)) throw (thrown = refusal('too-large'))
      yield piece
    }
  } catch {
    // Nothing at all is no damage.
    if (thrown === undefined && encodedBytes === 0) return undefined
    throw thrown ?? refusal('malformed')
  }
  // What it did not use, another reader might.
  if (decoder.bytesWritten !== encodedBytes) throw refusal('malformed')
  return undefined
}

/** With `info`, zlib tells how much input it used. What it did not use, another reader might: so there must be none. */
function whole(result: unknown, encodedBytes: number): Decoded {
  const { buffer, engine } = result as { buffer: Uint8Array; engine: { bytesWritten: number } }
  return engine.bytesWritten === encodedBytes ? { ok: true, bytes: buffer } : malformed
}

const unsupported: Decoded = {
  ok: false,
  code: 'encoding-unsupported',
  message: 'The content encoding is none of identity, gzip, br and zstd, or has more than one layer.',
}
const tooLarge: Decoded = { ok: false, code: 'body-too-large', message: 'The decoded body is too large.' }
const malformed: Decoded = {
  ok: false,
  code: 'body-malformed',
  message: 'The body is not what its content encoding says: damaged, cut off, or followed by something else.',
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined
}
