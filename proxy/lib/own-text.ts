// Owns taking a piece out of a text that is not to be kept. V8 makes a slice of 13 units and more a view, which holds all of the
// text that it was cut from.

/** The same text on its own. */
export function ownText(text: string): string {
  if (text.length < viewsFrom || !text.isWellFormed()) return text
  return Buffer.from(text).toString()
}

const viewsFrom = 13
