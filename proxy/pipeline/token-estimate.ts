// Owns how many tokens a text makes, before the model's own tokeniser has counted them: rather too many than too few, since many
// calls at once are let through by it. One pass, by what kind of character each is, and nothing kept.

/** What frames a message or a tool in the model's own format. */
export const tokensPerPart = 4

/**
 * Prose and code make fewer in all large tokenisers, and so do figures, base64, hex and most scripts; letters of no language at all
 * may make up to 1.8 times as many, and scripts that hardly any text is in up to 1.5 times.
 */
export function tokensOf(text: string): number {
  let twelfths = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    twelfths += code < 128 ? (ascii[code] as number) : beyondAscii(code)
  }
  return Math.ceil(twelfths / 12)
}

/** Signs and capitals begin a token as often as not, as in code and in base64; some tokenisers take figures one by one. */
const ascii = new Uint8Array(128).fill(12)
ascii.fill(4, 0x61, 0x7b)
ascii[0x20] = 4
ascii.fill(6, 0x09, 0x0e)

function beyondAscii(code: number): number {
  // Letters with accents, Greek, Cyrillic, Hebrew, Arabic: two bytes.
  if (code < 0x800) return 12
  if (isCommon(code)) return 18
  // Three bytes, of scripts that vocabularies have little of.
  return 24
}

/** Punctuation, kana, Han, Hangul, full widths, and halves of pairs: an emoji is two of these and makes up to three tokens. */
function isCommon(code: number): boolean {
  if (code < 0x4e00) return code >= 0x3000 ? code < 0x3100 : code >= 0x2000 && code < 0x2070
  return code < 0xa000 || (code >= 0xac00 && code < 0xe000) || code >= 0xff00
}

/** Of text of which only the length is known. */
export function tokensOfBytes(bytes: number): number {
  return Math.ceil(bytes / 2)
}
