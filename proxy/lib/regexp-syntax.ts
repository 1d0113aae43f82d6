// Owns the syntax of linear regular expressions: text to tree. It knows nothing of how a tree is run.

/** First and last code point, inclusive. */
export type Range = readonly [low: number, high: number]

export type Assertion = 'start' | 'end' | 'boundary' | 'not-boundary'

export type Node =
  | { readonly kind: 'ranges'; readonly ranges: readonly Range[] }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[] }
  /** `lazy` says which match is found, not whether there is one. */
  | { readonly kind: 'repeat'; readonly part: Node; readonly min: number; readonly max?: number; readonly lazy?: true }

const codePointMax = 0x10ffff
const digit: Range[] = [[48, 57]]
const word: Range[] = [[48, 57], [65, 90], [95, 95], [97, 122]] // prettier-ignore
const space: Range[] = [[9, 10], [12, 13], [32, 32]] // prettier-ignore
const anyButNewline = negate([[10, 10]])

const classes: Record<string, readonly Range[]> = {
  d: digit,
  D: negate(digit),
  w: word,
  W: negate(word),
  s: space,
  S: negate(space),
}
const controls: Record<string, number> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7 }
const assertions: Record<string, Assertion> = { b: 'boundary', B: 'not-boundary', A: 'start', z: 'end' }

class SyntaxProblem extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

export function parseRegExp(
  pattern: string,
): { readonly node: Node } | { readonly error: string; readonly offset: number } {
  try {
    return { node: new RegExpParser(pattern).parse() }
  } catch (error) {
    if (error instanceof SyntaxProblem) return { error: error.message, offset: error.offset }
    throw error
  }
}

class RegExpParser {
  readonly #text: string
  #at = 0
  #depth = 0
  #ignoreCase = false
  #dotAll = false

  constructor(text: string) {
    this.#text = text
  }

  parse(): Node {
    const flags = /^\(\?([is]+)\)/.exec(this.#text)
    if (flags !== null) {
      this.#ignoreCase = flags[1]?.includes('i') ?? false
      this.#dotAll = flags[1]?.includes('s') ?? false
      this.#at = flags[0].length
    }
    const node = this.#choice()
    if (this.#at < this.#text.length) throw this.#problem('unmatched )')
    return node
  }

  #choice(): Node {
    if (++this.#depth > 50) throw this.#problem('nested too deeply')
    const options = [this.#sequence()]
    while (this.#take('|')) options.push(this.#sequence())
    this.#depth--
    return options.length === 1 && options[0] !== undefined ? options[0] : { kind: 'choice', options }
  }

  #sequence(): Node {
    const parts: Node[] = []
    while (this.#at < this.#text.length && this.#peek() !== '|' && this.#peek() !== ')') parts.push(this.#repeated())
    return { kind: 'sequence', parts }
  }

  #repeated(): Node {
    let part = this.#atom()
    for (;;) {
      const bounds = this.#quantifier()
      if (bounds === undefined) return part
      const lazy = this.#take('?') ? ({ lazy: true } as const) : undefined
      part = { kind: 'repeat', part, ...bounds, ...lazy }
    }
  }

  #quantifier(): { min: number; max?: number } | undefined {
    if (this.#take('*')) return { min: 0 }
    if (this.#take('+')) return { min: 1 }
    if (this.#take('?')) return { min: 0, max: 1 }
    const counted = /^\{(\d{1,4})(,?)(\d{0,4})\}/.exec(this.#text.slice(this.#at, this.#at + 12))
    if (counted === null) return undefined
    const min = Number(counted[1])
    const max = counted[2] === '' ? min : counted[3] === '' ? undefined : Number(counted[3])
    if (min > 1000 || (max !== undefined && (max > 1000 || max < min))) throw this.#problem('repetition out of range')
    this.#at += counted[0].length
    return max === undefined ? { min } : { min, max }
  }

  #atom(): Node {
    const char = this.#peek()
    if (char === '(') return this.#group()
    if (char === '[') return this.#class()
    if (char === '\\') return this.#escape()
    if (char === '*' || char === '+' || char === '?') throw this.#problem('nothing to repeat')
    const code = this.#next()
    if (char === '.') return { kind: 'ranges', ranges: this.#dotAll ? [[0, codePointMax]] : anyButNewline }
    if (char === '^') return { kind: 'assert', assertion: 'start' }
    if (char === '$') return { kind: 'assert', assertion: 'end' }
    return this.#ranges([[code, code]])
  }

  #group(): Node {
    this.#at++
    const named = /^\?(?::|P?<[A-Za-z_][A-Za-z0-9_]{0,31}>)/.exec(this.#text.slice(this.#at, this.#at + 40))
    if (named !== null) this.#at += named[0].length
    else if (this.#peek() === '?') throw this.#problem('look-around and inline flags are not supported')
    const node = this.#choice()
    if (!this.#take(')')) throw this.#problem('missing )')
    return node
  }

  #escape(): Node {
    const letter = this.#text[this.#at + 1] ?? ''
    const assertion = assertions[letter]
    if (assertion !== undefined) {
      this.#at += 2
      return { kind: 'assert', assertion }
    }
    return this.#ranges(this.#escapedRanges())
  }

  /** The escape at the cursor as ranges: a class, a control character, a hex code or a quoted punctuation mark. */
  #escapedRanges(): readonly Range[] {
    this.#at++
    const letter = this.#peek()
    const known = classes[letter]
    if (known !== undefined) {
      this.#at++
      return known
    }
    const hex = /^(?:x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4}))/.exec(
      this.#text.slice(this.#at, this.#at + 10),
    )
    if (hex !== null) {
      const code = Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? '', 16)
      if (code > codePointMax) throw this.#problem('code point out of range')
      this.#at += hex[0].length
      return [[code, code]]
    }
    const control = controls[letter]
    if (control === undefined && (letter === '' || /[A-Za-z0-9]/.test(letter)))
      throw this.#problem(`escape \\${letter} is not supported`)
    const code = this.#next()
    return [[control ?? code, control ?? code]]
  }

  #class(): Node {
    this.#at++
    const negated = this.#take('^')
    const ranges: Range[] = []
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#at >= this.#text.length) throw this.#problem('missing ]')
      if (this.#text.startsWith('[:', this.#at)) throw this.#problem('named classes are not supported')
      ranges.push(...this.#classItem())
    }
    this.#at++
    const folded = this.#ignoreCase ? foldCase(ranges) : ranges
    return { kind: 'ranges', ranges: negated ? negate(folded) : folded }
  }

  #classItem(): readonly Range[] {
    const low = this.#peek() === '\\' ? this.#escapedRanges() : single(this.#next())
    if (this.#peek() !== '-' || this.#text[this.#at + 1] === ']' || this.#at + 1 >= this.#text.length) return low
    this.#at++
    const high = this.#peek() === '\\' ? this.#escapedRanges() : single(this.#next())
    const from = low[0]
    const to = high[0]
    if (from === undefined || to === undefined || low.length > 1 || high.length > 1 || to[0] < from[0])
      throw this.#problem('bad range')
    return [[from[0], to[0]]]
  }

  #ranges(ranges: readonly Range[]): Node {
    return { kind: 'ranges', ranges: this.#ignoreCase ? foldCase(ranges) : ranges }
  }

  #peek(): string {
    return this.#text[this.#at] ?? ''
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false
    this.#at++
    return true
  }

  #next(): number {
    const code = this.#text.codePointAt(this.#at)
    if (code === undefined) throw this.#problem('the pattern ends too early')
    this.#at += code > 0xffff ? 2 : 1
    return code
  }

  #problem(message: string): SyntaxProblem {
    return new SyntaxProblem(message, this.#at)
  }
}

function single(code: number): readonly Range[] {
  return [[code, code]]
}

function negate(ranges: readonly Range[]): readonly Range[] {
  const result: Range[] = []
  let from = 0
  for (const [low, high] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (low > from) result.push([from, low - 1])
    from = Math.max(from, high + 1)
  }
  if (from <= codePointMax) result.push([from, codePointMax])
  return result
}

/** ASCII letters in both cases, which is what `(?i)` promises here. */
function foldCase(ranges: readonly Range[]): readonly Range[] {
  const result = [...ranges]
  for (const [low, high] of ranges) {
    const upper: Range = [Math.max(low, 65) + 32, Math.min(high, 90) + 32]
    const lower: Range = [Math.max(low, 97) - 32, Math.min(high, 122) - 32]
    if (upper[0] <= upper[1]) result.push(upper)
    if (lower[0] <= lower[1]) result.push(lower)
  }
  return result
}
