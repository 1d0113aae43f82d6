// Owns name patterns: `*`, `**`, `?`, `{a,b}` and `\` before a character that is meant literally. It compiles to prefix
// and suffix comparisons where that is enough, and to a linear matcher where it is not, because the names that patterns
// meet are chosen by whoever is being judged.
import { compileRegExp } from './regexp.ts'

export type Glob = (name: string) => boolean

/** Names longer than this match nothing that needs more than a comparison: a bound on work, far above any real name. */
const nameCharsMax = 16_384
const alternativesMax = 64

/**
 * `separator`: the character that `*` and `?` do not cross; without it they cross everything.
 * A pattern that cannot be compiled gives the reason instead.
 */
export function compileGlob(pattern: string, separator: '/' | ''): Glob | { readonly error: string } {
  // To other tools this is a set of characters; here it would match nothing, silently.
  if (findUnescaped(pattern, '[', 0) >= 0)
    return { error: 'sets of characters ([…]) are not served; write {a,b}, or \\[ for the bracket itself' }
  const expanded = expand(pattern.normalize('NFC'))
  if (expanded === undefined)
    return { error: `more than ${alternativesMax} alternatives, or a brace that is not closed` }
  const globs: Glob[] = []
  for (const alternative of expanded) {
    const glob = compileSimple(alternative, separator)
    if (typeof glob !== 'function') return glob
    globs.push(glob)
  }
  const [only] = globs
  return globs.length === 1 && only !== undefined ? only : (name) => globs.some((glob) => glob(name))
}

/** The same for whatever counts against the call: a name that no pattern can be asked about matches all of them. */
export function compileGlobAgainst(pattern: string, separator: '/' | ''): Glob | { readonly error: string } {
  const glob = compileGlob(pattern, separator)
  return typeof glob === 'function' ? (name) => glob(name) || unreadable(name) !== undefined : glob
}

/**
 * Why no pattern can be asked about a name; undefined where it can. Of one that is not in Unicode normal form C it is
 * ambiguous which name the upstream will see.
 */
export function unreadable(name: string): string | undefined {
  if (name.length > nameCharsMax) return `has more than ${nameCharsMax} characters`
  return isNormal(name) ? undefined : 'is not in Unicode normal form C'
}

function isNormal(name: string): boolean {
  for (let index = 0; index < name.length; index++)
    if (name.charCodeAt(index) > 127) return name === name.normalize('NFC')
  return true
}

/** Nothing in it but a name: compiled as a pattern it would be no other, and no error. */
export function isLiteral(pattern: string): boolean {
  return !/[*?{}[\\]/.test(pattern)
}

/** Braces multiplied out; undefined when there are too many or they do not close. */
function expand(pattern: string): string[] | undefined {
  const open = findUnescaped(pattern, '{', 0)
  if (open < 0) return findUnescaped(pattern, '}', 0) < 0 ? [pattern] : undefined
  const close = findUnescaped(pattern, '}', open)
  if (close < 0) return undefined
  const inner = pattern.slice(open + 1, close)
  if (findUnescaped(inner, '{', 0) >= 0) return undefined
  const tails = expand(pattern.slice(close + 1))
  if (tails === undefined) return undefined
  const result = inner.split(',').flatMap((option) => tails.map((tail) => pattern.slice(0, open) + option + tail))
  return result.length > alternativesMax ? undefined : result
}

function findUnescaped(text: string, char: string, from: number): number {
  for (let index = from; index < text.length; index++) {
    if (text[index] === '\\') index++
    else if (text[index] === char) return index
  }
  return -1
}

function compileSimple(pattern: string, separator: '/' | ''): Glob | { readonly error: string } {
  if (isLiteral(pattern)) return (name) => name === pattern
  const single = /^([^*?{}\\]*)(\*\*?)([^*?{}\\]*)$/.exec(pattern)
  if (single !== null) return compileStar(single[1] ?? '', single[2] === '**' ? '' : separator, single[3] ?? '')
  const compiled = compileRegExp(toRegExp(pattern, separator))
  if ('error' in compiled) return { error: compiled.error }
  const prefix = /^[^*?{}\\]*/.exec(pattern)?.[0] ?? ''
  return (name) => name.length <= nameCharsMax && name.startsWith(prefix) && compiled.test(name, free)
}

/** One star between two literals: it stands for whatever is between them, unless that has the separator in it. */
function compileStar(prefix: string, separator: string, suffix: string): Glob {
  if (suffix === '' && separator === '') return (name) => name.startsWith(prefix)
  if (suffix === '') return (name) => name.startsWith(prefix) && !name.includes(separator, prefix.length)
  return (name) => {
    const end = name.length - suffix.length
    if (end < prefix.length || name.length > nameCharsMax) return false
    if (!name.endsWith(suffix) || !name.startsWith(prefix)) return false
    return separator === '' || !name.slice(prefix.length, end).includes(separator)
  }
}

/** A pattern has at most a few hundred states and a name is bounded, so a glob needs no further budget. */
function free(): void {}

function toRegExp(pattern: string, separator: '/' | ''): string {
  let source = '(?s)^'
  for (let index = 0; index < pattern.length; index++) {
    const char = pattern[index] ?? ''
    const one = separator === '' ? '.' : `[^${separator}]`
    if (char === '*' && pattern[index + 1] === '*') {
      source += '.*'
      index++
    } else if (char === '*') source += `${one}*`
    else if (char === '?') source += one
    else source += quote(char === '\\' ? (pattern[++index] ?? '\\') : char)
  }
  return `${source}$`
}

function quote(char: string): string {
  return /[A-Za-z0-9]/.test(char) || char.charCodeAt(0) > 127 ? char : `\\${char}`
}
