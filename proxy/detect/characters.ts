// Owns character classes: sets of UTF-16 units that detectors read runs of.

/** Membership of the units below 128; `beyond` decides the rest. */
export type CharacterClass = {
  readonly ascii: Uint8Array
  readonly beyond: (code: number) => boolean
  /** Of the probe: values that overlap do not read the same units again and again. */
  readonly known: KnownRun
}

/** The units that were found last to be of a class, and in which text, by number. */
export type KnownRun = { text: number; from: number; to: number }

/** `spec` lists characters and ranges: `A-Za-z0-9_-` (a dash stands for itself at the end). */
export function characterClass(spec: string, beyond: (code: number) => boolean = never): CharacterClass {
  const ascii = new Uint8Array(128)
  for (let i = 0; i < spec.length; i++) {
    const first = spec.charCodeAt(i)
    const isRange = spec[i + 1] === '-' && i + 2 < spec.length
    const last = isRange ? spec.charCodeAt(i + 2) : first
    ascii.fill(1, first, last + 1)
    if (isRange) i += 2
  }
  return { ascii, beyond, known: { text: 0, from: 0, to: 0 } }
}

/** The same and these besides. */
export function withCharacters(characters: CharacterClass, more: string): CharacterClass {
  const wider = characterClass('', characters.beyond)
  wider.ascii.set(characters.ascii)
  for (const character of more) wider.ascii[character.charCodeAt(0)] = 1
  return wider
}

/** `code` is -1 where the text ends: no class holds it. */
export function holds(characters: CharacterClass, code: number): boolean {
  if (code < 0) return false
  return code < 128 ? characters.ascii[code] === 1 : characters.beyond(code)
}

/** Of units of ASCII: a digit, a letter, or an underscore. */
const digit = 1
const letter = 2
const underscore = 4
/** By unit: one look-up in an array that never changes is the quickest of all questions. */
const kinds = new Uint8Array(1 << 16).fill(digit, 48, 58).fill(letter, 65, 91).fill(letter, 97, 123)
kinds[95] = underscore

/** A letter or a digit of ASCII. */
export function isAlphanumeric(unit: number): boolean {
  return ((kinds[unit] as number) & (digit | letter)) !== 0
}

/** The same, or an underscore. */
export function isWordUnit(unit: number): boolean {
  return (kinds[unit] as number) !== 0
}

/** The index after the letters and digits that go on at `from`. Zeros stand behind all units. */
export function wordEnd(units: Uint16Array, from: number): number {
  let end = from
  while (isAlphanumeric(units[end] as number)) end++
  return end
}

export const wordCharacters = characterClass('A-Za-z0-9_')
export const alphanumerics = characterClass('A-Za-z0-9')

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

export function isCapital(code: number): boolean {
  return code >= 65 && code <= 90
}

export function isLetter(code: number): boolean {
  const lower = code | 32
  return lower >= 97 && lower <= 122 && code < 128
}

/** Letters and marks outside ASCII, roughly: everything but controls, punctuation, symbols and surrogates. */
export function isForeignLetter(code: number): boolean {
  return (code >= 0xc0 && code < 0x2000 && code !== 0xd7 && code !== 0xf7) || (code > 0x3040 && code < 0xd800)
}

function never(): boolean {
  return false
}

/** The start of the run of `characters` that ends at `end`, of its last `lengthMax` units. */
export function runStart(units: Uint16Array, end: number, lengthMax: number, characters: CharacterClass): number {
  return runStartIn(units, end, Math.max(0, end - lengthMax), characters)
}

/** The same, but not before `least`. */
export function runStartIn(units: Uint16Array, end: number, least: number, { ascii, beyond }: CharacterClass): number {
  let index = end
  for (;;) {
    while (index > least && (units[index - 1] as number) < 128 && ascii[units[index - 1] as number] === 1) index--
    if (index === least || (units[index - 1] as number) < 128 || !beyond(units[index - 1] as number)) return index
    index--
  }
}
