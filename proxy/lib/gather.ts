// Owns having a body whole that nobody may make arbitrarily long.

/** `arrived`: takes all of the body where all of it has come, which for most bodies is together with their head. */
export type Gatherable = AsyncIterable<Uint8Array> & { arrived?(): readonly Uint8Array[] | undefined }

/** Undefined: it is longer than `bytesMax`; the rest is not read. A promise only where something is to be waited for. */
export function gather(body: Gatherable, bytesMax: number): Promise<Buffer | undefined> | Buffer | undefined {
  const arrived = body.arrived?.()
  if (arrived === undefined) return gatherAll(body, bytesMax)
  const size = arrived.reduce((sum, { length }) => sum + length, 0)
  return size > bytesMax ? undefined : joined(arrived, size)
}

async function gatherAll(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > bytesMax) return undefined
    chunks.push(chunk)
  }
  return joined(chunks, size)
}

/** Most bodies come in one piece: nothing is copied. */
function joined(chunks: readonly Uint8Array[], size: number): Buffer {
  const [only] = chunks
  if (only !== undefined && chunks.length === 1) return Buffer.from(only.buffer, only.byteOffset, only.length)
  return Buffer.concat(chunks, size)
}
