// Owns the short way of replacing strings in a JSON document: found by what they say instead of walked to. It only acts
// where that cannot be mistaken; whatever else there is to edit goes the long way (edit.ts).

/** `was` is the string that stands in the document, `text` what is to stand there. */
export type Replacement = { readonly was: string; readonly text: string }

/**
 * `document` is JSON that lib/json.ts has accepted. Undefined where a string's place is not certain, and where the long way
 * is the shorter one.
 *
 * Without `\u` and `\/` a string can be written in one way only (RFC 8259 §7 leaves a choice for no other character), and
 * that is how JSON.stringify writes it. So if those characters occur once in the document, they are the string itself.
 */
export function spliceStrings(document: string, replacements: readonly Replacement[]): string | undefined {
  if (document.length * replacements.length > searchedMax) return undefined
  if (document.includes('\\u') || document.includes('\\/')) return undefined
  const found: { start: number; end: number; text: string }[] = []
  for (const { was, text } of replacements) {
    const source = JSON.stringify(was)
    const start = onlyPlace(document, source)
    if (start === -1) return undefined
    found.push({ start, end: start + source.length, text })
  }
  found.sort((a, b) => a.start - b.start)
  let spliced = ''
  let from = 0
  for (const { start, end, text } of found) {
    // Two edits of one string: which of them stands is for the long way to say.
    if (start < from) return undefined
    spliced += document.slice(from, start) + JSON.stringify(text.toWellFormed())
    from = end
  }
  return spliced + document.slice(from)
}

/**
 * Each search goes through the whole document, the long way once for all; and a search for a text that nearly stands
 * everywhere, a run of one letter with something before it, takes the length of the one times that of the other.
 */
const searchedMax = 8192

/** Of `source`, quotes included; -1 where there is none, more than one, or too much that looks like it. */
function onlyPlace(document: string, source: string): number {
  // Without the quotes, of which a document is full: a search that begins with one stops at each.
  const inner = source.slice(1, -1)
  let only = -1
  let looks = 0
  for (let at = document.indexOf(inner); at !== -1; at = document.indexOf(inner, at + 1)) {
    if ((looks += 1) > looksMax) return -1
    if (document.charCodeAt(at - 1) !== quote || document.charCodeAt(at + inner.length) !== quote) continue
    if (only !== -1) return -1
    only = at - 1
  }
  return only
}

const quote = 0x22
const looksMax = 16
