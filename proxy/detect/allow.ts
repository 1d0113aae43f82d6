// Owns lists of values that are let be: test cards, a company's own domain. It does not know who found them.

import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { foreseenLength } from './candidate.ts'

/** Whether a value is on the list. */
export type Allowed = (value: string) => boolean

/**
 * An entry is a value, a glob (`*` any characters, `?` one), or `@example.com` for every address of that domain. Case does
 * not matter; in an entry without letters separators do not, either: `4111111111111111` is `4111 1111 1111 1111`, too.
 */
export function compileAllow(entries: readonly string[]): Allowed {
  const exact = new Set<string>()
  const digits = new Set<string>()
  const globs: string[] = []
  for (const entry of entries) {
    const folded = entry.toLowerCase()
    if (folded.startsWith('@')) globs.push(`*${folded}`)
    else if (/[*?]/.test(folded)) globs.push(folded)
    else if (isNumber(folded)) digits.add(withoutSeparators(folded))
    else exact.add(folded)
  }
  return (value) => {
    // Longer values are no test data, and streams replace them before all of them is known.
    if (value.length >= foreseenLength) return false
    const folded = value.toLowerCase()
    if (exact.has(folded) || globs.some((glob) => matchesGlob(glob, folded))) return true
    return digits.size > 0 && isNumber(folded) && digits.has(withoutSeparators(folded))
  }
}

/** Without a letter or a digit an entry lets every value be, or none, and nobody means either. */
export function allowProblems(entries: readonly string[] | undefined, path: Path): Problem[] {
  return (entries ?? []).flatMap((entry, index) => {
    if (/[\p{L}\p{N}]/u.test(entry)) return []
    return {
      path: [...path, 'allow', index],
      message: entry.includes('*') ? `"${entry}" lets every value be` : `"${entry}" names no value`,
      hint: 'an entry is a value, a glob (test-*) or a domain (@example.com)',
      severity: 'error' as const,
    }
  })
}

function isNumber(text: string): boolean {
  return /^[\d\s().+/-]*$/.test(text) && /\d/.test(text)
}

function withoutSeparators(text: string): string {
  return text.replaceAll(/[\s().+/-]/g, '')
}

/** Only the last `*` is ever tried again, so the time is bounded by the product of both lengths. */
function matchesGlob(glob: string, text: string): boolean {
  let g = 0
  let t = 0
  let star = -1
  let starText = 0
  while (t < text.length) {
    if (glob[g] === '*') {
      star = g++
      starText = t
    } else if (g < glob.length && (glob[g] === '?' || glob[g] === text[t])) {
      g++
      t++
    } else if (star !== -1) {
      g = star + 1
      t = ++starText
    } else return false
  }
  while (glob[g] === '*') g++
  return g === glob.length
}
