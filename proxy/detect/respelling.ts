// Owns a text as it is read, beside the text as it is written: which units stand for which. It does not know why a text
// is read otherwise than it is written.

const roomMin = 1 << 12
/** More than this is not kept for the next text. */
const roomKept = 1 << 18
/** Longer stretches that are read as they are written are not copied unit by unit. */
const copiedMax = 64
/**
 * How a stretch is read: as it is written, as one, or by groups of so many digits that are so many units: base64, base16,
 * and both of UTF-16.
 */
export const forms = { asOne: 1, base64: 2, base16: 3, base64Wide: 4, base16Wide: 5 } as const
export const digitsOfGroup = [1, 1, 4, 2, 8, 4] as const
const unitsOfGroup = [1, 1, 3, 1, 3, 1] as const
/** Numbers that other files see, too, would be looked up each time. */
const plain = 0
const asOne = 1
/** It goes on with what the stretch before is a part of, so nothing may be torn there. */
const goesOn = 8

/** Reused for every text: `text` stays, everything else is valid until the next `open`. */
export class Respelling {
  /** What is read: this, then the units that are pending, twice because most of them are of one byte. */
  #text = ''
  readonly #units = new Uint16Array(roomMin)
  readonly #bytes = Buffer.alloc(roomMin)
  #pending = 0
  #isWide = false
  /** Stretches in order, each up to the next: where it is read, where it is written, and how. */
  #readAt = new Int32Array(roomMin)
  #writtenAt = new Int32Array(roomMin)
  #forms = new Uint8Array(roomMin)
  #stretches = 0
  #found = 0
  #source = ''
  #context = ''
  /** What is written before this index has been taken over. */
  #taken = 0

  /** `context` is what was read before `from`. */
  open(source: string, from: number, context: string): void {
    if (this.#readAt.length > roomKept) this.#reserveStretches(roomMin, 0)
    this.#source = source
    this.#context = context
    this.#text = ''
    this.#pending = 0
    this.#stretches = 0
    this.#found = 0
    this.#taken = from
  }

  get contextLength(): number {
    return this.#context.length
  }

  get isChanged(): boolean {
    return this.#stretches > 0
  }

  /** What stands from `start` on is read as the units that are `put` until `close`. */
  begin(start: number, isRest = false): void {
    this.#takeOver(start)
    this.#stretch(start, isRest ? asOne | goesOn : asOne)
  }

  /** What has been begun is read so. */
  readAs(form: number): void {
    const last = this.#stretches - 1
    this.#forms[last] = ((this.#forms[last] as number) & goesOn) | form
  }

  put(unit: number): void {
    if (this.#pending === roomMin) this.#flush()
    if (unit > 255) this.#isWide = true
    this.#bytes[this.#pending] = unit
    this.#units[this.#pending++] = unit
  }

  /** Where what is written differently ends. */
  close(end: number): void {
    this.#taken = end
  }

  /** The whole text as it is read, up to the index `to` of what is written. */
  finish(to: number): string {
    this.#takeOver(to)
    this.#stretch(to, plain)
    this.#flush()
    return this.#text
  }

  /** What is read differently, as it is read, and so much before and after it; in order, apart from one another. */
  changes(before: number, after: number): { from: number; to: number }[] {
    const { length } = this.#text
    const least = this.#context.length
    const ranges: { from: number; to: number }[] = []
    if (least > 0) ranges.push({ from: least, to: Math.min(length, least + after) })
    for (let at = 0; at + 1 < this.#stretches; at++) {
      if (this.#forms[at] === plain) continue
      const from = Math.max(least, (this.#readAt[at] as number) - before)
      const to = Math.min(length, (this.#readAt[at + 1] as number) + after)
      const last = ranges.at(-1)
      if (last !== undefined && from <= last.to) last.to = to
      else ranges.push({ from, to })
    }
    return ranges
  }

  /** Where the unit that is read at `index` begins as it is written. */
  startOf(index: number): number {
    const at = this.#find(this.#readAt, index)
    if (at < 0) return this.#writtenAt[0] ?? 0
    const start = this.#writtenAt[at] as number
    const form = (this.#forms[at] as number) & ~goesOn
    const read = index - (this.#readAt[at] as number)
    if (form <= asOne) return form === asOne ? start : start + read
    return start + Math.floor((read * (digitsOfGroup[form] as number)) / (unitsOfGroup[form] as number))
  }

  /** The first index whose unit begins at `written` or behind; the length of what is read where none does. */
  readFrom(written: number): number {
    const at = this.#find(this.#writtenAt, written)
    if (at < 0) return this.#context.length
    const from = this.#readAt[at] as number
    const next = at + 1 < this.#stretches ? (this.#readAt[at + 1] as number) : from
    const form = (this.#forms[at] as number) & ~goesOn
    const past = written - (this.#writtenAt[at] as number)
    if (form === plain) return Math.min(next, from + past)
    if (form === asOne) return past === 0 ? from : next
    return Math.min(next, from + Math.ceil((past * (unitsOfGroup[form] as number)) / (digitsOfGroup[form] as number)))
  }

  /** Where the unit that is read before `index` ends as it is written. */
  endOf(index: number): number {
    const at = this.#find(this.#readAt, index - 1)
    if (at < 0) return this.#writtenAt[0] ?? 0
    const form = (this.#forms[at] as number) & ~goesOn
    const start = this.#writtenAt[at] as number
    const read = index - (this.#readAt[at] as number)
    if (form === plain) return start + read
    const next = this.#writtenAt[at + 1] as number
    const isLast = index === this.#readAt[at + 1] && ((this.#forms[at + 1] as number) & goesOn) === 0
    if (form === asOne || isLast) return next
    return Math.min(next, start + Math.ceil((read * (digitsOfGroup[form] as number)) / (unitsOfGroup[form] as number)))
  }

  /** The last index up to `written` before which nothing is read together with what is behind. */
  wholeBefore(written: number): number {
    let at = this.#find(this.#writtenAt, written)
    if (at < 0 || this.#forms[at] === plain) return written
    while (((this.#forms[at] as number) & goesOn) > 0) at--
    return this.#writtenAt[at] as number
  }

  /** How much has been read where `written` begins, which is in nothing that is read as one. */
  readBefore(written: number): number {
    const at = this.#find(this.#writtenAt, written)
    return at < 0 ? this.#context.length : (this.#readAt[at] as number) + written - (this.#writtenAt[at] as number)
  }

  #takeOver(to: number): void {
    if (this.#stretches === 0) this.#text = this.#context
    if (to <= this.#taken) return
    this.#stretch(this.#taken, plain)
    if (to - this.#taken > copiedMax) {
      this.#flush()
      this.#text += this.#source.slice(this.#taken, to)
    } else {
      for (let i = this.#taken; i < to; i++) this.put(this.#source.charCodeAt(i))
    }
    this.#taken = to
  }

  #flush(): void {
    if (this.#pending === 0) return
    this.#text += this.#isWide
      ? Buffer.from(this.#units.buffer, 0, 2 * this.#pending).toString('utf16le')
      : this.#bytes.toString('latin1', 0, this.#pending)
    this.#pending = 0
    this.#isWide = false
  }

  #stretch(writtenAt: number, form: number): void {
    if (this.#stretches === this.#readAt.length) this.#reserveStretches(2 * this.#stretches, this.#stretches)
    this.#readAt[this.#stretches] = this.#text.length + this.#pending
    this.#writtenAt[this.#stretches] = writtenAt
    this.#forms[this.#stretches] = form
    this.#stretches++
  }

  /** The last stretch that begins at `index` or before; -1 when none does. Mostly it is the one after the last that was found. */
  #find(starts: Int32Array, index: number): number {
    let low = this.#found < this.#stretches && (starts[this.#found] as number) <= index ? this.#found : -1
    let high = this.#stretches
    for (let step = 1; low >= 0 && low + step < high; step *= 2) {
      if ((starts[low + step] as number) <= index) low += step
      else high = low + step
    }
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] as number) <= index) low = middle
      else high = middle
    }
    if (low >= 0) this.#found = low
    return low
  }

  #reserveStretches(room: number, kept: number): void {
    const grow = <Room extends Int32Array | Uint8Array>(old: Room, grown: Room): Room => {
      grown.set(old.subarray(0, kept))
      return grown
    }
    this.#readAt = grow(this.#readAt, new Int32Array(room))
    this.#writtenAt = grow(this.#writtenAt, new Int32Array(room))
    this.#forms = grow(this.#forms, new Uint8Array(room))
  }
}
