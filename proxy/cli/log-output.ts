// Owns the way of log lines to a file descriptor: many leave in one write, and neither a reader that hangs nor a disk that
// is full stops the proxy, fills its memory or keeps it from ending. What a line says is the logger's.
import { write, writeSync } from 'node:fs'

/** Each write costs the loop a turn and a thread of the pool some work, so lines are handed on many at once. */
const gatheredCharsMax = 8_192
/** How late a line may be. */
const lingerMs = 250
/** What waits to be taken; lines beyond are dropped and counted. */
const waitingBytesMax = 8 * 1024 * 1024
/** After which time it is tried again where nobody reads, or where there is no room. */
const againMs = 100

/** For how long a process that ends waits for a reader, and how often it tries. */
const lastWaitMs = 1_000
const lastTryMs = 10

export class LogOutput {
  readonly #fd: number
  readonly #onDropped: (lines: number) => void
  #gathered = ''
  #timer: NodeJS.Timeout | undefined
  /** What was handed on, oldest first. */
  #waiting: Buffer[] = []
  #waitingBytes = 0
  /** A thread has the first of them. */
  #writing = false
  #again: NodeJS.Timeout | undefined
  #dropped = 0
  /** The reader has left for good. */
  #gone = false

  /** `onDropped` is told how many lines were lost, once there is room again to say so. */
  constructor(fd: number, onDropped: (lines: number) => void) {
    this.#fd = fd
    this.#onDropped = onDropped
    process.on('exit', () => this.flushSync())
  }

  write(line: string): void {
    if (this.#gone) return
    this.#gathered += line
    if (this.#gathered.length >= gatheredCharsMax) this.#pass()
    else this.#timer ??= setTimeout(() => this.#pass(), lingerMs).unref()
  }

  /** The last lines of a process, and its first; the logger asks for it where it says that this is the end. */
  flushSync(): void {
    const lines = Buffer.from(this.#take())
    // What a thread has it writes, also while the process ends.
    const kept = this.#writing ? 1 : 0
    const bytes = Buffer.concat([...this.#waiting.splice(kept), lines])
    this.#waitingBytes = this.#waiting[0]?.length ?? 0
    if (bytes.length > 0) writeAll(this.#fd, bytes)
  }

  #pass(): void {
    const lines = this.#take()
    const bytes = Buffer.from(lines)
    if (this.#waitingBytes + bytes.length > waitingBytesMax) this.#dropped += lines.split('\n').length - 1
    else {
      this.#waiting.push(bytes)
      this.#waitingBytes += bytes.length
    }
    this.#writeNext()
  }

  #take(): string {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const lines = this.#gathered
    this.#gathered = ''
    return lines
  }

  #writeNext(): void {
    const [first] = this.#waiting
    if (this.#writing || first === undefined) return
    this.#writing = true
    write(this.#fd, first, (error, bytes) => {
      this.#writing = false
      if (error === null) this.#written(first, bytes)
      else this.#refused(error)
    })
  }

  #written(first: Buffer, bytes: number): void {
    this.#waitingBytes -= bytes
    if (bytes < first.length) this.#waiting[0] = first.subarray(bytes)
    else this.#waiting.shift()
    if (this.#waiting.length > 0) return this.#writeNext()
    const dropped = this.#dropped
    this.#dropped = 0
    if (dropped > 0) this.#onDropped(dropped)
  }

  /** There may be room later, but nobody comes back to a pipe. */
  #refused({ code }: NodeJS.ErrnoException): void {
    if (code === 'EPIPE') {
      this.#gone = true
      this.#waiting = []
      this.#waitingBytes = 0
      this.#take()
      return
    }
    clearTimeout(this.#again)
    this.#again = setTimeout(() => this.#writeNext(), againMs).unref()
  }
}

/** Lines that nobody takes are lost: a process that ends waits neither for a reader that hangs nor for one that is gone. */
function writeAll(fd: number, bytes: Buffer): void {
  const untilMs = performance.now() + lastWaitMs
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if ((code !== 'EAGAIN' && code !== 'EBUSY') || performance.now() > untilMs) return
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lastTryMs)
    }
  }
}
