// Owns the scan of one text by names of groups and entities, as the command line asks for it.
import type { Finding } from './finding.ts'
import { entitiesOf } from './entities.ts'
import { compileScanner } from './scanner.ts'

/** Names that are neither a group nor an entity are ignored. */
export function scanText(text: string, names: Iterable<string>): readonly Finding[] {
  return compileScanner(entitiesOf(names)).scan(text)
}
