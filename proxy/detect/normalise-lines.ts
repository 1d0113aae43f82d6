// Owns encoded text that stands in lines of one length, as MIME (RFC 2045 section 6.8), PEM and `xxd -p` write it: what it
// is when its lines are joined, and where of that is written where. It does not decode anything.

/** 60, 64, 72 and 76 are in use; each is whole groups of digits. */
export const lineLengthMin = 60
export const lineLengthMax = 76
const digitsOfGroup = 4
/** As in a block of YAML. */
const indentLengthMax = 32

export type IsDigit = (text: string, index: number) => boolean

export class Lines {
  /** The unit before the first line, then the lines. */
  readonly text: string
  /** Where the last line ends as it is written. */
  readonly end: number
  /** The last line may go on, or another one follow. */
  readonly isOpen: boolean
  /** By line: where it begins in `text`, and where it is written. */
  readonly #joinedAt: readonly number[]
  readonly #writtenAt: readonly number[]

  private constructor(text: string, end: number, isOpen: boolean, joinedAt: readonly number[], writtenAt: number[]) {
    this.text = text
    this.end = end
    this.isOpen = isOpen
    this.#joinedAt = joinedAt
    this.#writtenAt = writtenAt
  }

  /** Undefined: after the line that ends at `lineEnd`, and goes on at least from `start`, there is no other before `to`. */
  static join(text: string, start: number, lineEnd: number, to: number, isOpen: boolean, isDigit: IsDigit) {
    let next = nextLine(text, lineEnd, to, isOpen, isDigit)
    if (next === none) return undefined
    const pieces = [text.charAt(start - 1) || '\n', text.slice(start, lineEnd)]
    const joinedAt = [1]
    const writtenAt = [start]
    let length = 1 + lineEnd - start
    let end = lineEnd
    for (; next > none && next < to; next = nextLine(text, end, to, isOpen, isDigit)) {
      joinedAt.push(length)
      writtenAt.push(next)
      end = next
      while (end < to && isDigit(text, end)) end++
      pieces.push(text.slice(next, end))
      length += end - next
    }
    return new Lines(pieces.join(''), end, isOpen && (end === to || next === to), joinedAt, writtenAt)
  }

  /** Where the unit at `index` of `text` is written. */
  writtenAt(index: number): number {
    const line = this.#lineOf(index)
    return (this.#writtenAt[line] as number) + index - (this.#joinedAt[line] as number)
  }

  /** Where the line ends in which the unit at `index` of `text` is: the first unit of the next one there, or the end. */
  lineEnd(index: number): number {
    return this.#joinedAt[this.#lineOf(index) + 1] ?? this.text.length
  }

  begins(index: number): boolean {
    return this.#joinedAt[this.#lineOf(index)] === index
  }

  #lineOf(index: number): number {
    let low = 0
    let high = this.#joinedAt.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((this.#joinedAt[middle] as number) <= index) low = middle
      else high = middle
    }
    return low
  }
}

const none = -1

/** Where the line after the one that ends at `end` begins; `to` while the text ends before that is known. */
function nextLine(text: string, end: number, to: number, isOpen: boolean, isDigit: IsDigit): number {
  if (end === to || !isLineEnd(text, end)) return none
  const length = fullLength(text, end, isDigit)
  if (length === 0) return none
  const cut = isOpen ? to : none
  let start = end
  if (text.charCodeAt(start) === 13) start++
  if (start === to) return cut
  if (text.charCodeAt(start) !== 10) return none
  start++
  for (const last = start + indentLengthMax; start < to && start < last && isBlank(text.charCodeAt(start));) start++
  let next = start
  while (next < to && next - start <= length && isDigit(text, next)) next++
  if (next === to && isOpen && next - start <= length) return to
  return isLine(next - start, length) && (next === text.length || mayFollow(text, next)) ? start : none
}

/** Of the line that ends at `end`, if it is one that others follow: padding ends a run. */
function fullLength(text: string, end: number, isDigit: IsDigit): number {
  if (text.charCodeAt(end - 1) === 61) return 0
  let start = end
  while (end - start <= lineLengthMax && isDigit(text, start - 1)) start--
  const length = end - start
  return length >= lineLengthMin && length <= lineLengthMax && length % digitsOfGroup === 0 ? length : 0
}

/** As long as the one before or, if it is the last, shorter; two digits of base16 are a byte. */
function isLine(length: number, before: number): boolean {
  return length > 0 && length <= before && length % 2 === 0
}

/** Whether a line may end there; words that follow encoded text go on otherwise. */
function mayFollow(text: string, index: number): boolean {
  return isLineEnd(text, index) || '"\'`<)]}'.includes(text.charAt(index))
}

/** A carriage return or a line feed. */
export function isLineEnd(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code === 10 || code === 13
}

export function isBlank(code: number): boolean {
  return code === 32 || code === 9
}
