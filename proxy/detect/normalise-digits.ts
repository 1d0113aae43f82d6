// Owns the digits of base64 and base16, and telling quickly that many of them hold no text, wherever among them it would
// begin: hashes and keys are frequent, and hardly any does. What text is, and where it ends, it does not know.

export const none = 255
/** Above the values of digits. */
export const pad = 64
/** By unit: the value of a digit of base64 in either alphabet. */
export const sextets = new Uint8Array(128).fill(none)
for (const [value, digit] of Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/').entries())
  sextets[digit.charCodeAt(0)] = value
sextets[0x2d] = 62
sextets[0x5f] = 63
sextets[0x3d] = pad
export const nibbles = new Uint8Array(128).fill(none)
for (const [value, digit] of Array.from('0123456789abcdef').entries()) {
  nibbles[digit.charCodeAt(0)] = value
  nibbles[digit.toUpperCase().charCodeAt(0)] = value
}

/** What other files see, too, would be looked up again for every unit. */
const sextetOf = sextets
const nibbleOf = nibbles
const notDigit = none
const padding = pad

/** A digit of base64, or padding; those of base16 are all among them. */
export function isRunUnit(code: number): boolean {
  return code < 128 && sextetOf[code] !== notDigit
}

/** What a byte is in UTF-8: a character, the first of two, three or four, one of the others, or none of these. */
const trail = 4
const neither = 5
const kinds = new Uint8Array(256).fill(neither)
for (const code of [0, 9, 10, 13]) kinds[code] = 0
kinds.fill(0, 0x20, 0x7f).fill(trail, 0x80, 0xc0).fill(1, 0xc2, 0xe0).fill(2, 0xe0, 0xf0).fill(3, 0xf0, 0xf5)

/** How many bytes have been read as one text, and how many of its last character are missing: `count << 2 | missing`. */
const countShift = 2
const countMax = 15
const kindBits = 3
/** By that and what the next byte is: the same after it. */
const steps = new Uint8Array(((countMax + 1) << countShift) << kindBits)
for (let state = 0; state < steps.length >> kindBits; state++) {
  const count = Math.min((state >> countShift) + 1, countMax) << countShift
  const missing = state & 3
  for (let kind = 0; kind < trail; kind++)
    steps[(state << kindBits) | kind] = (missing === 0 ? count : 1 << countShift) | kind
  if (missing > 0) steps[(state << kindBits) | trail] = count | (missing - 1)
}

/** Behind every index. */
export const nowhere = 0x3fffffff
/** So many digits show that text may begin at the first; those of base16 may have a mark, `0x`. */
const decisive64 = 12
const decisive16 = 16
const markLength = 2

export function mayBeBase64(units: Uint16Array, from: number, to: number): boolean {
  return base64From(units, from, to) !== nowhere
}

export function mayBeBase16(units: Uint16Array, from: number, to: number): boolean {
  return base16From(units, from, to) !== nowhere
}

/**
 * Before which index no text begins between `from` and `to` that has nine bytes, or seven at the end or before padding:
 * shorter is none in base64.
 */
export function base64From(units: Uint16Array, from: number, to: number): number {
  // A byte ends with three of each four digits, so four readings go on at once: by how many digits of a group they have.
  let zero = 0
  let one = 0
  let two = 0
  let three = 0
  let bits = 0
  for (let at = from; at < to; at++) {
    const value = sextetOf[units[at] as number] as number
    if (value >= padding) {
      if (Math.max(zero, one, two, three) >= 7 << countShift) return at + 1 - decisive64
      zero = one = two = three = 0
      continue
    }
    bits = (bits << 6) | value
    const first = steps[(one << kindBits) | (kinds[(bits >> 4) & 255] as number)] as number
    const second = steps[(two << kindBits) | (kinds[(bits >> 2) & 255] as number)] as number
    const third = steps[(three << kindBits) | (kinds[bits & 255] as number)] as number
    one = zero
    two = first
    three = second
    zero = third
    if (third >= 9 << countShift) return at + 1 - decisive64
  }
  return Math.max(zero, one, two, three) >= 7 << countShift ? to + 1 - decisive64 : nowhere
}

/** The same of base16, with its mark, where it has eight bytes at least. */
export function base16From(units: Uint16Array, from: number, to: number): number {
  let zero = 0
  let one = 0
  let bits = 0
  for (let at = lastOther(units, from - 1, to) + 1; at < to; at++) {
    const value = nibbleOf[units[at] as number] as number
    if (value > 15) {
      at = lastOther(units, at, to)
      zero = one = 0
      continue
    }
    bits = (bits << 4) | value
    const next = steps[(one << kindBits) | (kinds[bits & 255] as number)] as number
    if (next >= 8 << countShift) return at + 1 - decisive16 - markLength
    one = zero
    zero = next
  }
  return nowhere
}

/** The last unit from `other` on that is no digit, before sixteen that are; `to` where there are none. */
function lastOther(units: Uint16Array, other: number, to: number): number {
  let last = other
  for (let at = last + 16; at < to; at = last + 16) {
    while (at > last && (nibbleOf[units[at] as number] as number) < 16) at--
    if (at === last) return last
    last = at
  }
  return to
}
