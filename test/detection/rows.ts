// Reads labelled rows that stand beside the repository, where they are there. They are never copied into it.
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

export type Span = { readonly start: number; readonly end: number; readonly entity: string }
export type LabelledRow = {
  readonly id: string
  readonly text: string
  readonly spans: readonly Span[]
  readonly rule?: string
  /** What the row is about, whether it has one or not (`label`). */
  readonly entity?: string
  readonly label?: string
}

const folder = new URL('../../../shared/detection/', import.meta.url)

export const skip: string | false = existsSync(folder) ? false : 'shared/ is absent'

export function rowsOf(name: string): LabelledRow[] {
  const text = gunzipSync(readFileSync(new URL(`${name}.jsonl.gz`, folder))).toString('utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LabelledRow)
}
