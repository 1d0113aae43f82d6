// Owns the kinds of characters by which random text is told from words: lower case, upper case, digits, and signs between.

export const sign = 0
export const digit = 1
export const lower = 2
export const upper = 3

/** Of ASCII. */
export const kinds = new Uint8Array(128).fill(digit, 48, 58).fill(upper, 65, 91).fill(lower, 97, 123)

/**
 * Whether neighbours are of different kinds, where a sign is none. The first letter of a capitalised word does not count. By
 * length about .4 in random text of lower case and digits, .2 in names in camel case.
 */
export function isChange(previous: number, kind: number): boolean {
  return changes[(previous << 2) | kind] === 1
}

/** By both; whoever knows other kinds may have one of those before. */
const changes = new Uint8Array(1 << 5)
for (let pair = 0; pair < changes.length; pair++) {
  const previous = pair >> 2
  const kind = pair & 3
  if (kind !== previous && kind !== sign && !(previous === upper && kind === lower)) changes[pair] = 1
}
