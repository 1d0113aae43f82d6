// Owns where a word of context may begin and end: where no letter or digit goes on, and at the seams of identifiers, as in
// `phoneNumber`, `userSSN`, `SSNNumber`, `tax_id` and `tax-id`. It knows no words.

/** Between the words of an identifier: a capital after something small, and the last capital of several before a small letter. */
const seam = '(?-i:(?<=[\\p{Ll}\\d])(?=\\p{Lu})|(?<=\\p{Lu})(?=\\p{Lu}\\p{Ll}))'

/** For patterns with the flags `iu`. */
export const wordEndOrDigit = `(?:(?!\\p{L})|${seam})`
export const wordStart = `(?:(?<![\\p{L}\\d])|${seam})`
export const wordEnd = `(?:(?![\\p{L}\\d])|${seam})`

/**
 * Alternatives of a pattern (flags `iu`) that must begin as a word does. A space in them is one, or none, or what takes its
 * place in identifiers; `\b` behind a word is the end of one.
 */
export function contextPattern(alternatives: string): RegExp {
  const ends = alternatives.replaceAll(/\\b(?=[|)]|$)/g, wordEnd)
  return new RegExp(`${wordStart}(?:${ends.replaceAll(' ', '[ _-]?')})`, 'iu')
}

/** Ways in which labels are written that have spaces, in ASCII: `bank account`, `bank_account`, `bank-account`, `bankAccount`. */
export function spellings(labels: readonly string[]): readonly string[] {
  return [...new Set(labels.flatMap((label) => [' ', '_', '-', ''].map((joint) => label.replaceAll(' ', joint))))]
}

const letterOrDigit = /[\p{L}\p{N}]/u

/** Whether a word may begin or end there; `text` is as it is written. */
export function isWordPlace(text: string, at: number): boolean {
  if (!isIn(text, at - 1) || !isIn(text, at)) return true
  const before = text.charAt(at - 1)
  const next = text.charAt(at)
  if (!isCapital(next)) return false
  return !isCapital(before) || (isIn(text, at + 1) && isSmall(text.charAt(at + 1)))
}

function isIn(text: string, at: number): boolean {
  return at >= 0 && at < text.length && letterOrDigit.test(text.charAt(at))
}

function isCapital(unit: string): boolean {
  return unit !== unit.toLowerCase()
}

function isSmall(unit: string): boolean {
  return unit !== unit.toUpperCase()
}
