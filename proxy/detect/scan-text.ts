// Owns the scan of one text by names of groups and entities, as the command line asks for it.
import type { Finding } from './finding.ts'
import { entitiesOf } from './options.ts'
import { compileScanner } from './scanner.ts'

/** Names that are neither a group nor an entity are ignored; check them with `entitiesOf`. */
export function scanText(text: string, names: Iterable<string>): readonly Finding[] {
  return compileScanner(new Set([...names].flatMap((name) => entitiesOf(name) ?? []))).scan(text)
}
