// Owns reading the lines of one log from its first to its last, in bounded memory. It verifies nothing.
import { lineEnd, readBlocks } from './blocks.ts'
import { listSegments } from './layout.ts'

/** Without LF; what is torn at the end is left out. */
export async function* readLines(folder: string): AsyncGenerator<string> {
  for (const { name } of await listSegments(folder)) {
    for await (const { bytes, start, end, torn } of readBlocks(`${folder}/${name}`)) {
      if (torn) break
      for (let begin = start; begin < end;) {
        const lf = lineEnd(bytes, begin, end)
        const to = lf < 0 ? end : lf
        yield bytes.toString('utf8', begin, to)
        begin = to + 1
      }
    }
  }
}
