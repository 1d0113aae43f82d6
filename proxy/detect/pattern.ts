// Owns patterns that operators write: what is wrong with one, and finding its matches, in a text or in one that is still
// growing. RE2 runs it, so time is linear. It does not know what a match is taken for.
import { RE2JS } from 're2js'
import { parseRegExp, type Node } from '../lib/regexp-syntax.ts'
import { beginningOf, bounded, canBeEmpty, longest, openRepeatMax, usefulPrefixes, written } from './pattern-shape.ts'

/** UTF-16 units; what a stream may have to hold back for a pattern. */
export const matchLengthMax = 512
/** Of all characters of a pattern as it is compiled, repeats not counted. */
export const patternLengthMax = 1000

export type Pattern = {
  /** In UTF-16 units. */
  readonly lengthMax: number
  /** Every match begins with one of these, case aside; absent where nothing useful can be said. */
  readonly prefixes: readonly string[] | undefined
  /** The end of the match that starts at `start`, or -1. `more`: text may follow that decides it. */
  readonly matchAt: (text: string, start: number, final: boolean) => { readonly end: number; readonly more: boolean }
  /** Calls `visit` with each match from `from` on, in order, without overlaps. */
  readonly each: (text: string, from: number, visit: (start: number, end: number) => void) => void
  /** Where a match may start that is not whole yet; the text's length where none may. */
  readonly tailStart: (text: string, from: number) => number
}

export type PatternProblem = { readonly error: string; readonly hint?: string; readonly offset: number }

export function compilePattern(source: string): Pattern | PatternProblem {
  if (source.length > patternLengthMax)
    return { error: `the pattern is longer than ${patternLengthMax} characters`, offset: 0 }
  const parsed = parseRegExp(source)
  if ('error' in parsed) return { ...parsed, hint: 'the syntax is that of RE2, without look-around and inline flags' }
  return compileNode(bounded(parsed.node))
}

/** A tree without open repeats. */
function compileNode(node: Node): Pattern | PatternProblem {
  if (canBeEmpty(node))
    return { error: 'the pattern matches the empty text', hint: 'say what every value has, e.g. \\d{4,8}', offset: 0 }
  const lengthMax = longest(node)
  if (lengthMax > matchLengthMax)
    return {
      error: `a match can be ${lengthMax} long, ${matchLengthMax} is the most`,
      hint: `bound the repeats, e.g. {1,32}; *, + and {n,} count as ${openRepeatMax}`,
      offset: 0,
    }
  try {
    return new CompiledPattern(node, lengthMax)
  } catch (error) {
    return { error: `RE2 does not take the pattern: ${error instanceof Error ? error.message : ''}`, offset: 0 }
  }
}

/** A text is asked in pieces of this length whether it has a match at all, which is quicker than asking where. */
const pieceLength = 4096

class CompiledPattern implements Pattern {
  readonly lengthMax: number
  readonly prefixes: readonly string[] | undefined
  readonly #anywhere: RE2JS
  /** At the beginning of a text, and behind one character that only tells where words begin. */
  readonly #first: RE2JS
  readonly #behind: RE2JS
  readonly #unfinished: RE2JS
  readonly #unfinishedFirst: RE2JS
  readonly #unfinishedBehind: RE2JS

  constructor(node: Node, lengthMax: number) {
    this.lengthMax = lengthMax
    this.prefixes = usefulPrefixes(node)
    const whole = `(?:${written(node)})`
    const part = `(?:${written(beginningOf(node))})\\z`
    this.#anywhere = RE2JS.compile(whole)
    this.#first = RE2JS.compile(`\\A${whole}`)
    this.#behind = RE2JS.compile(`\\A(?s:.)${whole}`)
    this.#unfinished = RE2JS.compile(part)
    this.#unfinishedFirst = RE2JS.compile(`\\A${part}`)
    this.#unfinishedBehind = RE2JS.compile(`\\A(?s:.)${part}`)
  }

  matchAt(text: string, start: number, final: boolean): { readonly end: number; readonly more: boolean } {
    const from = Math.max(0, start - 1)
    // One unit more than it can be long: a word's end is seen behind it.
    const near = text.slice(from, start + this.lengthMax + 1)
    if (!final && from + near.length === text.length) {
      const unfinished = from < start ? this.#unfinishedBehind : this.#unfinishedFirst
      if (unfinished.test(near)) return undecided
    }
    const matcher = (from < start ? this.#behind : this.#first).matcher(near)
    return matcher.lookingAt() ? { end: from + matcher.end(), more: false } : unmatched
  }

  each(text: string, from: number, visit: (start: number, end: number) => void): void {
    for (let at = from; at < text.length;) {
      // A match that begins in this piece ends in the slice, and one unit before it tells where words begin.
      const offset = Math.max(0, at - 1)
      const slice = text.slice(offset, at + pieceLength + this.lengthMax + 1)
      const pieceEnd = at + pieceLength
      if (this.#anywhere.test(slice)) {
        const matcher = this.#anywhere.matcher(slice)
        while (at < pieceEnd && at < text.length && matcher.find(at - offset)) {
          const start = offset + matcher.start()
          if (start >= pieceEnd) break
          at = offset + matcher.end()
          visit(start, at)
        }
      }
      at = Math.max(at, pieceEnd)
    }
  }

  tailStart(text: string, from: number): number {
    const least = Math.max(from, text.length - this.lengthMax)
    const contextStart = Math.max(0, least - 1)
    const matcher = this.#unfinished.matcher(text.slice(contextStart))
    return matcher.find(least - contextStart) ? contextStart + matcher.start() : text.length
  }
}

const undecided = { end: -1, more: true } as const
const unmatched = { end: -1, more: false } as const
