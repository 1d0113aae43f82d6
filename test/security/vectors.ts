// Published vectors, which are not part of this project: where they are and how their lines are read.
import { existsSync, readFileSync } from 'node:fs'

const folder = new URL('../../../shared/vectors/', import.meta.url)

/** Why a test that needs them is skipped, or false. */
export const skip: string | false = existsSync(folder) ? false : 'shared/ is absent'

/** One JSON value a line; undefined fields are the reader's to know. */
export function vectorLines<Row>(file: string): Row[] {
  return vectorText(file)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
}

export function vectorText(file: string): string {
  return readFileSync(new URL(file, folder), 'utf8')
}
