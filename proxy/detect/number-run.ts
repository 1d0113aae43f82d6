// Owns the first reading of a number as it is written: groups of digits with separators between. Detectors of numbers
// share it, and a number that starts at the second group of the last one continues its reading, so that tables of
// digits are read once.
import { characterClass, isDigit as sharedIsDigit } from './characters.ts'
import type { Probe } from './probe.ts'

/** Asked of nearly every unit that is looked at: what other files own would be looked up each time. */
const isDigit = sharedIsDigit

/** More digits than any number that is looked for: E.164 with `00` before it has 17, cards have 19. */
export const numberDigitsRead = 20
const groupsMax = 20
const encodedDigitsMin = 16
const separatorLengthMax = 3
export const slash = 47
/** What stands before a slash and has so many digits is a number, and no part of one that goes on behind it. */
const wholeDigitsMin = 9
const wholeLengthMax = 24
/** Groups that fit before the room is used from its beginning again. */
const room = 256

/** Reused for every number: valid until the next is read. */
export class NumberRun {
  start = 0
  /** The end of the first group. */
  end = 0
  groups = 0
  /** Digits in all groups. */
  digits = 0
  readonly #starts = new Int32Array(room)
  readonly #ends = new Int32Array(room)
  /** Where the first group is in the room. */
  #first = 0

  forget(): void {
    this.groups = 0
  }

  read(probe: Probe, start: number): void {
    const index = this.#readGroups(probe.units, this.#resume(start))
    this.start = start
    this.end = this.endOf(0)
    // The groups are read without the probe, for speed; what was seen of the end is said here.
    probe.code(index)
  }

  /** Too short for everything but four groups with dots between. */
  isTrifle(digitsMin: number): boolean {
    return this.digits < digitsMin && this.groups < 4
  }

  /**
   * Where the last group starts before which all separators are one of `-./`: between there and the first one nothing
   * can begin, but for a group so long that it may be encoded text, and behind a slash that ends a number.
   */
  gluedTo(units: Uint16Array): number {
    if (this.digits >= encodedDigitsMin) return 0
    const starts = this.#starts
    const ends = this.#ends
    const last = this.#first + this.groups - 1
    let digits = 0
    let at = this.#first
    for (; at < last; at++) {
      const end = ends[at] as number
      const separator = units[end] as number
      if (separator < 45 || separator > slash || (starts[at + 1] as number) > end + 1) break
      digits += end - (starts[at] as number)
      if (separator !== slash) continue
      if (digits >= wholeDigitsMin) break
      digits = 0
    }
    return starts[at] as number
  }

  startOf(group: number): number {
    return this.#starts[this.#first + group] as number
  }

  endOf(group: number): number {
    return this.#ends[this.#first + group] as number
  }

  lengthOf(group: number): number {
    return this.endOf(group) - this.startOf(group)
  }

  /** The one unit between a group and the next; -1 when there are more, or no next group. */
  separatorAfter(probe: Probe, group: number): number {
    if (group + 1 >= this.groups) return -1
    const end = this.endOf(group)
    return this.startOf(group + 1) === end + 1 ? (probe.units[end] as number) : -1
  }

  /** Keeps what an earlier reading knows of this number, but its last group, which may be cut. Where to read on. */
  #resume(start: number): number {
    if (this.groups > 2 && start === this.startOf(1) && this.#first + 1 + groupsMax < room) {
      const last = this.groups - 1
      this.digits -= this.lengthOf(0) + this.lengthOf(last)
      const index = this.startOf(last)
      this.#first++
      this.groups = last - 1
      return index
    }
    this.#first = 0
    this.groups = 0
    this.digits = 0
    return start
  }

  /** The index at which the reading stopped. */
  #readGroups(units: Uint16Array, from: number): number {
    const starts = this.#starts
    const ends = this.#ends
    const first = this.#first
    let index = from
    let { digits, groups } = this
    while (groups < groupsMax) {
      const groupStart = index
      const limit = groupStart + numberDigitsRead - digits
      while (index < limit && isDigit(units[index] as number)) index++
      starts[first + groups] = groupStart
      ends[first + groups] = index
      groups++
      digits += index - groupStart
      if (digits >= numberDigitsRead) break
      const separatorStart = index
      const separatorLimit = index + separatorLengthMax
      while (index < separatorLimit && isSeparator(units[index] as number)) index++
      if (index === separatorStart || !isDigit(units[index] as number)) break
    }
    this.groups = groups
    this.digits = digits
    return index
  }
}

/** Whether so many digits stand before the slash that they are a number. */
export function endsWholeNumber(units: Uint16Array, slashAt: number): boolean {
  const least = Math.max(0, slashAt - wholeLengthMax)
  let digits = 0
  for (let at = slashAt - 1; at >= least; at--) {
    const code = units[at] as number
    if (isDigit(code)) digits++
    else if ((code !== 45 && code !== 46) || !isDigit(units[at + 1] as number)) break
  }
  return digits >= wholeDigitsMin
}

/** Space, dash, dot, slash, parentheses; and, outside ASCII, no-break space, non-breaking hyphen, en dash. */
const separators = characterClass(' ./()-').ascii

export function isSeparator(code: number): boolean {
  return code < 128 ? separators[code] === 1 : code === 0xa0 || code === 0x2011 || code === 0x2013
}
