// Owns what the matchers over names share: a list of globs, of which one must match.
import { didYouMean } from '../../lib/nearest.ts'
import { compileGlob, isLiteral, type Glob } from '../glob.ts'
import type { CompileContext } from '../matcher.ts'
import type { Path } from '../../lib/pointer.ts'

/** Literals become one set lookup. A pattern that cannot be compiled is reported and matches nothing. */
export function compilePatterns(
  patterns: readonly string[],
  separator: '/' | '',
  context: CompileContext,
  at: Path = [],
): Glob {
  const literals = new Set<string>()
  const globs: Glob[] = []
  patterns.forEach((pattern, index) => {
    if (isLiteral(pattern)) return literals.add(pattern.normalize('NFC'))
    const glob = compileGlob(pattern, separator)
    if (typeof glob === 'function') return globs.push(glob)
    return context.report([...at, index], `"${pattern}" is not a pattern: ${glob.error}`)
  })
  if (globs.length === 0) return (name) => literals.has(name)
  const [only] = globs
  if (literals.size === 0 && globs.length === 1 && only !== undefined) return only
  return (name) => literals.has(name) || globs.some((glob) => glob(name))
}

/**
 * Reports patterns that match none of the names there are. `open`: names may also come from elsewhere, so it is only a
 * warning; a glob over an open set is never reported.
 */
export function checkKnown(
  patterns: readonly string[],
  names: readonly string[],
  what: string,
  context: CompileContext,
  more: { readonly at?: Path; readonly open?: true } = {},
): ReadonlySet<string> {
  const matching = new Set<string>()
  patterns.forEach((pattern, index) => {
    const glob = compileGlob(pattern, '')
    const found = typeof glob === 'function' ? names.filter((name) => glob(name.normalize('NFC'))) : []
    for (const name of found) matching.add(name)
    if (found.length > 0 || typeof glob !== 'function' || (more.open === true && !isLiteral(pattern))) return
    const at = [...(more.at ?? []), index]
    const message = isLiteral(pattern) ? `there is no ${what} "${pattern}"` : `no ${what} matches "${pattern}"`
    const hint = didYouMean(pattern, names).hint ?? namesHint(names, what)
    context.report(at, message, more.open === true ? { hint, warning: true } : { hint })
  })
  return matching
}

function namesHint(names: readonly string[], what: string): string {
  if (names.length === 0) return `no ${what} is configured`
  const shown = names.slice(0, 5).map((name) => `"${name}"`)
  return `known: ${shown.join(', ')}${names.length > shown.length ? ', …' : ''}`
}

export function quoteAll(patterns: readonly string[]): string {
  return patterns.map((pattern) => `"${pattern}"`).join(', ')
}

export function show(value: string | undefined): string {
  return value === undefined ? 'unknown' : `"${value}"`
}
