// Owns putting what is encoded as what it says: which bytes digits stand for, and which digits stand for each of them. What
// is encoded, and where it ends, it does not know.
import { nibbles, pad, sextets } from './normalise-digits.ts'
import type { Lines } from './normalise-lines.ts'
import { digitsOfGroup, forms, type Respelling } from './respelling.ts'

/** Returns how it is read. */
export function putBase64(text: string, start: number, end: number, into: Respelling): number {
  zeros.fill(0)
  let count = 0
  let at = start
  for (; at + 4 <= end; at += 4) {
    const group = groupAt(text, at)
    if (group < 0) break
    putByte(group >> 16, count, into)
    putByte((group >> 8) & 255, count + 1, into)
    putByte(group & 255, count + 2, into)
    count += 3
  }
  let bits = 0
  for (const rest = at; at < end; at++) {
    const value = sextets[text.charCodeAt(at)] as number
    if (value === pad) break
    bits = (bits << 6) | value
    if (at > rest) putByte((bits >> (6 - 2 * (at - rest))) & 255, count++, into)
  }
  return formOf(count, forms.base64, forms.base64Wide)
}

/** Three bytes; negative where there is padding. */
function groupAt(text: string, at: number): number {
  const third = sextets[text.charCodeAt(at + 2)] as number
  const fourth = sextets[text.charCodeAt(at + 3)] as number
  if ((third | fourth) >= pad) return -1
  const first = sextets[text.charCodeAt(at)] as number
  const second = sextets[text.charCodeAt(at + 1)] as number
  return (first << 18) | (second << 12) | (third << 6) | fourth
}

export function putHex(text: string, start: number, end: number, into: Respelling): number {
  zeros.fill(0)
  for (let at = start; at < end; at += 2) {
    const byte = ((nibbles[text.charCodeAt(at)] as number) << 4) | (nibbles[text.charCodeAt(at + 1)] as number)
    putByte(byte, (at - start) >> 1, into)
  }
  return formOf((end - start) >> 1, forms.base16, forms.base16Wide)
}

/** How many of the bytes with an even index are zero, and of the others. */
const zeros = new Uint8Array(2)

/** Bytes beyond ASCII are put as they are: what is looked for has none, but its neighbours may. */
function putByte(byte: number, index: number, into: Respelling): void {
  if (byte !== 0) into.put(byte)
  else zeros[index & 1] = (zeros[index & 1] as number) + 1
}

/** Of UTF-16 every other byte is zero. */
function formOf(count: number, narrow: number, wide: number): number {
  const even = zeros[0] as number
  const odd = zeros[1] as number
  if (even + odd === 0) return narrow
  return (even === 0 && odd === count >> 1) || (odd === 0 && even === (count + 1) >> 1) ? wide : forms.asOne
}

/** What is read as one has some of each line: all that is in one of them by itself, as far as that is groups of digits. */
export function putLines(
  of: Lines,
  start: number,
  digits: number,
  end: number,
  isHex: boolean,
  into: Respelling,
): void {
  const form = isHex ? formOfHex(of.text, digits, end) : formOfBase64(of.text, start, end)
  const group = digits === start ? (digitsOfGroup[form] as number) : 1
  const put = isHex ? putHex : putBase64
  if (group === 1) {
    into.begin(of.writtenAt(start))
    put(of.text, digits, end, into)
    into.close(of.writtenAt(end - 1) + 1)
    return
  }
  for (let from = start; from < end;) {
    const left = of.lineEnd(from) - from
    const isAcross = left < group
    const to = Math.min(end, from + (isAcross ? group : left >= end - from ? end - from : left - (left % group)))
    into.begin(of.writtenAt(from), from > start)
    put(of.text, from, to, into)
    if (!isAcross) into.readAs(form)
    into.close(to === end ? of.writtenAt(end - 1) + 1 : of.writtenAt(to))
    from = to
  }
}

/** What is less than a group at the end tells nothing. */
function formOfBase64(text: string, start: number, end: number): number {
  zeros.fill(0)
  let count = 0
  for (let at = start; at + 4 <= end; at += 4) {
    const group = groupAt(text, at)
    if (group < 0) break
    for (let byte = 0; byte < 3; byte++, count++)
      if (((group >> (16 - 8 * byte)) & 255) === 0) zeros[count & 1] = (zeros[count & 1] as number) + 1
  }
  return formOf(count, forms.base64, forms.base64Wide)
}

function formOfHex(text: string, start: number, end: number): number {
  zeros.fill(0)
  for (let at = start; at < end; at += 2) {
    const index = (at - start) >> 1
    if (text.charCodeAt(at) === 48 && text.charCodeAt(at + 1) === 48)
      zeros[index & 1] = (zeros[index & 1] as number) + 1
  }
  return formOf((end - start) >> 1, forms.base16, forms.base16Wide)
}
