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

/** For names that all stand in the configuration: those that match. What is no pattern, or matches none, is reported. */
export function matchKnown(
  patterns: readonly string[],
  names: readonly string[],
  what: string,
  context: CompileContext,
): ReadonlySet<string> {
  const matches = compilePatterns(patterns, '', context)
  checkKnown(patterns, names, what, context)
  return new Set(names.filter((name) => matches(name.normalize('NFC'))))
}

/**
 * Reports patterns that match none of the names there are. `open`: names may also come from elsewhere, so it is only a
 * warning; a glob over an open set is never reported. What is no pattern at all is for `compilePatterns` to report.
 */
export function checkKnown(
  patterns: readonly string[],
  names: readonly string[],
  what: string,
  context: CompileContext,
  more: { readonly at?: Path; readonly open?: true } = {},
): void {
  patterns.forEach((pattern, index) => {
    const glob = compileGlob(pattern, '')
    if (typeof glob !== 'function' || (more.open === true && !isLiteral(pattern))) return
    if (names.some((name) => glob(name.normalize('NFC')))) return
    const at = [...(more.at ?? []), index]
    const message = isLiteral(pattern) ? `there is no ${what} "${pattern}"` : `no ${what} matches "${pattern}"`
    const hint = hintFor(pattern, names, what)
    context.report(at, message, more.open === true ? { hint, warning: true } : { hint })
  })
}

/** What may have been meant by a name that there is not. */
export function hintFor(name: string, names: readonly string[], what: string): string {
  const { hint } = didYouMean(name, names)
  if (hint !== undefined) return hint
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
