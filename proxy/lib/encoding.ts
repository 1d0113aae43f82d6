// Owns content encodings (RFC 9110 §8.4): encoded bytes to plain ones, or a refusal. One layer, bounded, off the event
// loop. It does not know what the bytes mean.
import { brotliDecompress, gunzip, zstdDecompress } from 'node:zlib'

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
  const decompress = decompressors.get(coding)
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

const decompressors = new Map<string, Decompress>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['br', brotliDecompress],
  ['zstd', zstdDecompress],
])

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
