// Owns having a body whole that nobody may make arbitrarily long.

/** Undefined: it is longer than `bytesMax`; the rest is not read. */
export async function gather(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > bytesMax) return undefined
    chunks.push(chunk)
  }
  const [only] = chunks
  // Most bodies come in one piece: nothing is copied.
  if (only !== undefined && chunks.length === 1) return Buffer.from(only.buffer, only.byteOffset, only.length)
  return Buffer.concat(chunks, size)
}
