// Owns counting two kinds of events over the last while: a ring of ten slices, so what it covers is between nine and
// ten tenths of the window. It does not know what is counted.

const slices = 10

export class Window {
  readonly #sliceMs: number
  readonly #first = new Uint32Array(slices)
  readonly #second = new Uint32Array(slices)
  #tick = 0

  constructor(windowMs: number) {
    this.#sliceMs = windowMs / slices
  }

  addFirst(nowMs: number): void {
    const index = this.#turn(nowMs)
    this.#first[index] = (this.#first[index] ?? 0) + 1
  }

  addSecond(nowMs: number): void {
    const index = this.#turn(nowMs)
    this.#second[index] = (this.#second[index] ?? 0) + 1
  }

  first(nowMs: number): number {
    this.#turn(nowMs)
    return sum(this.#first)
  }

  second(nowMs: number): number {
    this.#turn(nowMs)
    return sum(this.#second)
  }

  clear(): void {
    this.#first.fill(0)
    this.#second.fill(0)
  }

  /** Empties the slices that fell out of the window and returns the current one. */
  #turn(nowMs: number): number {
    const tick = Math.floor(nowMs / this.#sliceMs)
    const behind = tick - this.#tick
    if (behind >= slices) this.clear()
    else {
      for (let step = 1; step <= behind; step++) {
        this.#first[(this.#tick + step) % slices] = 0
        this.#second[(this.#tick + step) % slices] = 0
      }
    }
    this.#tick = tick
    return tick % slices
  }
}

function sum(counts: Uint32Array): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
