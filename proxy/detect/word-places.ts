// Owns where a word of context may begin and end: where no letter or digit goes on, and at the seams of identifiers, as in
// `phoneNumber`, `userSSN`, `SSNNumber`, `tax_id` and `tax-id`. It knows no words.
//
// All of it is for patterns with the flag `i` alone: with `u` beside it, or with \p{L}, the first two texts that meet a
// pattern wait for its translation, 10 to 60 ms for each, where they now wait for one or two.

/** Those of a character class, roughly, as `isForeignLetter` has them. */
export const letters = 'A-Za-z\\xc0-\\xd6\\xd8-\\xf6\\xf8-\\u1fff\\u3041-\\ud7ff'
export const noLetterNext = `(?-i:(?![${letters}]))`
export const noWordBefore = `(?-i:(?<![${letters}\\d]))`
export const noWordNext = `(?-i:(?![${letters}\\d]))`

const [capital, small] = ['A-Z\\xc0-\\xd6\\xd8-\\xde', 'a-z\\xdf-\\xf6\\xf8-\\xff']
/** Between the words of an identifier: a capital after something small, and the last capital of several before a small letter. */
// Two groups, because V8 forgets behind a `|` within one that it is without `i` (Node 26.10).
const seam = `(?-i:(?<=[${small}\\d])(?=[${capital}]))|(?-i:(?<=[${capital}])(?=[${capital}][${small}]))`

export const wordEndOrDigit = `(?:${noLetterNext}|${seam})`
export const wordStart = `(?:${noWordBefore}|${seam})`
export const wordEnd = `(?:${noWordNext}|${seam})`

/**
 * Alternatives of a pattern that must begin as a word does. A space in them is one, or none, or what takes its
 * place in identifiers; `\b` behind a word is the end of one.
 */
export function contextPattern(alternatives: string): RegExp {
  const ends = alternatives.replaceAll(/\\b(?=[|)]|$)/g, wordEnd)
  return new RegExp(`${wordStart}(?:${ends.replaceAll(' ', '[ _-]?')})`, 'i')
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
