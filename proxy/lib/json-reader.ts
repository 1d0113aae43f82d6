// Owns the reading of JSON whose keys have escapes. JSON.parse of V8 12.8 and later takes such a key for another one that
// it has seen in that place, where the two are written alike up to a backslash (nodejs/node issue 63785): `"forc\u0065"` is
// read as `forc\`, once an object had that. It takes text that JSON.parse accepts, and does not check it again.
export function readJson(text: string): unknown {
  return new Reader(text).value()
}

const [tab, lineFeed, carriageReturn, space] = [0x09, 0x0a, 0x0d, 0x20]
const [quote, comma, colon, backslash] = [0x22, 0x2c, 0x3a, 0x5c]
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d]

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(): unknown {
    const first = this.#next()
    if (first === openBrace) return this.#object()
    if (first === openBracket) return this.#array()
    return first === quote ? this.#string() : this.#scalar()
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    this.#at += 1
    while (this.#next() !== closeBrace) {
      const key = this.#string()
      const value = this.value()
      // An own member, as every other.
      if (key === '__proto__')
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
      else object[key] = value
    }
    this.#at += 1
    return object
  }

  #array(): unknown[] {
    const items: unknown[] = []
    this.#at += 1
    while (this.#next() !== closeBracket) items.push(this.value())
    this.#at += 1
    return items
  }

  #string(): string {
    const start = this.#at
    let end = this.#text.indexOf('"', start + 1)
    while (this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1)
    this.#at = end + 1
    const inside = this.#text.slice(start + 1, end)
    return inside.includes('\\') ? (JSON.parse(`"${inside}"`) as string) : inside
  }

  #isEscaped(at: number): boolean {
    let from = at
    while (this.#text.charCodeAt(from - 1) === backslash) from -= 1
    return (at - from) % 2 === 1
  }

  #scalar(): unknown {
    const start = this.#at
    while (this.#at < this.#text.length && !isBetween(this.#text.charCodeAt(this.#at)) && !this.#closes()) this.#at += 1
    return JSON.parse(this.#text.slice(start, this.#at))
  }

  #closes(): boolean {
    const code = this.#text.charCodeAt(this.#at)
    return code === closeBrace || code === closeBracket
  }

  /** The first unit of what comes next. */
  #next(): number {
    while (isBetween(this.#text.charCodeAt(this.#at))) this.#at += 1
    return this.#text.charCodeAt(this.#at)
  }
}

/** White space, and what separates: where it may stand has been checked. */
function isBetween(code: number): boolean {
  return (
    code === space || code === lineFeed || code === comma || code === colon || code === carriageReturn || code === tab
  )
}
