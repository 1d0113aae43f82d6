// Owns reading a segment as blocks of whole lines, at disk speed and in bounded memory. It does not know what a line
// means.
import { open } from 'node:fs/promises'

/**
 * `bytes` holds whole lines, each with its LF, from `start` (there is always one spare byte before it, which leaf
 * hashing borrows) to `end`; `offset` is where `start` stands in the file. Only the last block of a file can be `torn`:
 * what follows the last LF. The bytes are good until the next block is asked for.
 */
export type Block = {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly offset: number
  readonly torn: boolean
}

const blockBytesMax = 1024 * 1024
// More than the longest line.
const lineRoomBytes = 128 * 1024
const lf = 0x0a

/** A run of far more than a line without LF comes as a block of its own that is not torn and does not end in LF. */
export async function* readBlocks(path: string, from = 0): AsyncGenerator<Block> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    // Small files are many in tests and after short runs; a line that does not fit into either buffer is too long anyway.
    const blockBytes = size - from > lineRoomBytes ? blockBytesMax : lineRoomBytes
    const bytes = Buffer.allocUnsafe(1 + 2 * blockBytes)
    let held = 0
    let offset = from
    for (;;) {
      const { bytesRead } = await file.read(bytes, 1 + held, blockBytes, offset + held)
      held += bytesRead
      if (bytesRead === 0) break
      const last = bytes.lastIndexOf(lf, held)
      const whole = last >= 1 ? last : held >= blockBytes ? held : 0
      if (whole === 0) continue
      yield { bytes, start: 1, end: 1 + whole, offset, torn: false }
      bytes.copy(bytes, 1, 1 + whole, 1 + held)
      held -= whole
      offset += whole
    }
    if (held > 0) yield { bytes, start: 1, end: 1 + held, offset, torn: true }
  } finally {
    await file.close()
  }
}

/** Position of the next LF at or after `from`, or -1 when there is none before `end`. */
export function lineEnd(bytes: Buffer, from: number, end: number): number {
  const at = bytes.indexOf(lf, from)
  return at < 0 || at >= end ? -1 : at
}
