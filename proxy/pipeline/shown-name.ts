// Owns how the record names what a body, a path or an upstream named: a model, a tool, a type of message. Whatever is not
// shaped like a name may be anything, and is shown as its keyed digest, which tells one from another all the same.
import { identifierEnd, isIdentifier } from '../protocol/texts.ts'
import { skeletonOf } from './look-alike.ts'
import type { Runtime } from './runtime.ts'
import { rewriteTarget } from './target.ts'

/** Half of its 256 bits, behind a sign that no name has. */
const digestChars = 22

/** Vertex AI puts a version behind the name; no address of a mailbox ends like that. */
const versioned = /@(?:[0-9]{3,8}|default|latest)$/

export function shownName(name: string, { audit }: Pick<Runtime, 'audit'>): string {
  return name === '' || isIdentifier(name) || isNearly(name)
    ? name
    : `~${audit.digest(Buffer.from(name)).slice(0, digestChars)}`
}

/** A tool that passes itself off as another is to be seen in the record as it is written. */
function isNearly(name: string): boolean {
  return !/\s/.test(name) && isIdentifier(skeletonOf(name.replace(versioned, '')))
}

/** Of a path in which only names stand, such as that of a model. */
export function shownNamePath(path: string, runtime: Pick<Runtime, 'audit'>): string {
  if (identifierEnd(path, 0) === path.length) return path
  return rewriteTarget({ path, query: '' }, (segment) => shownName(segment, runtime)).path
}
