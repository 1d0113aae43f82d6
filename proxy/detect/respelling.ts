// Owns a text as it is read, beside the text as it is written: which units stand for which. It does not know why a text
// is read otherwise than it is written.

const roomMin = 1 << 12
/** More than this is not kept for the next text. */
const roomKept = 1 << 18
/** Longer stretches that are read as they are written are not copied unit by unit. */
const copiedMax = 64

/** Reused for every text: `text` stays, everything else is valid until the next `open`. */
export class Respelling {
  /** What is read: this, then the units that are pending, twice because most of them are of one byte. */
  #text = ''
  readonly #units = new Uint16Array(roomMin)
  readonly #bytes = Buffer.alloc(roomMin)
  #pending = 0
  #isWide = false
  /** Stretches in order, each up to the next: where it is read, where it is written, and whether it is read as one. */
  #readAt = new Int32Array(roomMin)
  #writtenAt = new Int32Array(roomMin)
  #isWhole = new Uint8Array(roomMin)
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
  begin(start: number): void {
    this.#takeOver(start)
    this.#stretch(start, 1)
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
    this.#stretch(to, 0)
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
      if (this.#isWhole[at] === 0) continue
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
    return this.#isWhole[at] === 1 ? start : start + index - (this.#readAt[at] as number)
  }

  /** Where the unit that is read before `index` ends as it is written. */
  endOf(index: number): number {
    const at = this.#find(this.#readAt, index - 1)
    if (at < 0) return this.#writtenAt[0] ?? 0
    if (this.#isWhole[at] === 1) return this.#writtenAt[at + 1] as number
    return (this.#writtenAt[at] as number) + index - (this.#readAt[at] as number)
  }

  /** The last index up to `written` that is in nothing that is read as one. */
  wholeBefore(written: number): number {
    const at = this.#find(this.#writtenAt, written)
    return at >= 0 && this.#isWhole[at] === 1 ? (this.#writtenAt[at] as number) : written
  }

  /** How much has been read where `written` begins, which is in nothing that is read as one. */
  readBefore(written: number): number {
    const at = this.#find(this.#writtenAt, written)
    return at < 0 ? this.#context.length : (this.#readAt[at] as number) + written - (this.#writtenAt[at] as number)
  }

  #takeOver(to: number): void {
    if (this.#stretches === 0) this.#text = this.#context
    if (to <= this.#taken) return
    this.#stretch(this.#taken, 0)
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

  #stretch(writtenAt: number, isWhole: 0 | 1): void {
    if (this.#stretches === this.#readAt.length) this.#reserveStretches(2 * this.#stretches, this.#stretches)
    this.#readAt[this.#stretches] = this.#text.length + this.#pending
    this.#writtenAt[this.#stretches] = writtenAt
    this.#isWhole[this.#stretches] = isWhole
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
    this.#isWhole = grow(this.#isWhole, new Uint8Array(room))
  }
}
