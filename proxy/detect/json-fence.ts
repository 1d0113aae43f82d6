// Owns how a value is written where its token stood in JSON: in a text that is JSON, and in the fenced blocks of Markdown
// that show some (CommonMark, fenced code blocks). It does not know what tokens stand for.
import { isDigit, isLetter } from './characters.ts'
import type { WriteValue } from './vault.ts'

/** Of a line so much tells whether it is a fence, and what the block begins with. */
const lineLengthMax = 48
const fence = /^[\s>]*(`{3,}|~{3,})\s*([^\s`]*)/
const armour = '-----BEGIN '
/** Stands for a line that is not kept. */
const dull = 'x'

/** A letter or a digit: most lines begin so, and no fence does. */
function isProse(code: number): boolean {
  return isLetter(code) || isDigit(code)
}

/** A value that may span lines, or has quotes, as it stands between quotes of JSON. */
export function inJson(value: string): string {
  return JSON.stringify(value.toWellFormed()).slice(1, -1)
}

/** Prose shows JSON as it is written, and so a key that was found in some has its line ends escaped already. */
function inBlock(value: string): string {
  return value.startsWith(armour) && !value.includes('\n') ? value : inJson(value)
}

/** For a text that is known whole; undefined where it has no fences. */
export function writerFor(text: string): WriteValue | undefined {
  if (!text.includes('```') && !text.includes('~~~')) return undefined
  const fences = new JsonFences()
  fences.goOn(text, 0)
  return fences.write
}

/** Goes through a text from its beginning, in pieces. */
export class JsonFences {
  #text = ''
  #at = 0
  #line = ''
  /** The line can be no fence. */
  #isDull = false
  /** What opened the block that goes on; empty outside of blocks. */
  #mark = ''
  #isNamedJson = false
  /** What an unnamed block begins with. */
  #first = ''

  /** `text` goes on where the last one was read to; that is at `from` in it. */
  goOn(text: string, from: number): void {
    this.#text = text
    this.#at = from
  }

  readTo(to: number): void {
    while (this.#at < to) {
      const lineEnd = this.#text.indexOf('\n', this.#at)
      const end = lineEnd === -1 || lineEnd > to ? to : lineEnd
      if (this.#line === '') this.#isDull = this.#mark === '' && isProse(this.#text.charCodeAt(this.#at))
      const room = this.#isDull ? 0 : lineLengthMax - this.#line.length
      if (room > 0) this.#line += this.#text.slice(this.#at, Math.min(end, this.#at + room))
      else if (this.#line === '') this.#line = dull
      this.#at = end + 1
      if (end === to) break
      this.#endLine()
    }
    this.#at = to
  }

  /** `at`: where the token stood. */
  readonly write: WriteValue = (value, at) => {
    this.readTo(at)
    return this.#isJson() ? inBlock(value) : value
  }

  #isJson(): boolean {
    if (this.#mark === '') return false
    return this.#isNamedJson || '{['.includes(this.#first || this.#line.trimStart().charAt(0) || ' ')
  }

  #endLine(): void {
    const [, mark = '', info = ''] = fence.exec(this.#line) ?? []
    if (this.#mark === '') {
      this.#mark = mark
      this.#isNamedJson = /^json/i.test(info)
      this.#first = info === '' ? '' : info
    } else if (info === '' && mark.startsWith(this.#mark)) {
      this.#mark = ''
    } else if (this.#first === '') {
      this.#first = this.#line.trimStart().charAt(0)
    }
    this.#line = ''
  }
}
