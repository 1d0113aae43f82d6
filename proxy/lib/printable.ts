// Owns what a terminal may be shown of text that somebody else wrote: it obeys some characters, which can hide a line or put
// another in its place.

export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
}
