// Owns the way of log lines to a file descriptor: many leave in one write, and a reader that hangs neither stops the
// proxy nor fills its memory. What a line says is the logger's.
import { writeSync } from 'node:fs'
import { pino } from 'pino'

/** One write: the destination adds up lengths with each line it is given, so it is given many at once. */
const gatheredCharsMax = 8_192
/** How late a line may be. */
const lingerMs = 250
/** What waits for a reader; lines beyond are dropped and counted. */
const waitingBytesMax = 8 * 1024 * 1024

/** For how long a process that ends waits for a reader, and how often it tries. */
const lastWaitMs = 1_000
const lastTryMs = 10

/**
 * What it holds beyond `minLength` bytes is written by a thread at once; its types name that among the options only, and
 * leave out how many characters it holds.
 */
type Destination = ReturnType<typeof pino.destination> & { minLength: number; readonly _len: number }

export class LogOutput {
  readonly #fd: number
  readonly #destination: Destination
  #gathered = ''
  #timer: NodeJS.Timeout | undefined
  #dropped = 0

  /** `onDropped` is told how many lines were lost, once there is room again to say so. */
  constructor(fd: number, onDropped: (lines: number) => void) {
    this.#fd = fd
    this.#destination = pino.destination({ dest: fd, sync: false, maxLength: waitingBytesMax }) as Destination
    this.#destination.on('drop', (lines: string) => {
      this.#dropped += lines.split('\n').length - 1
    })
    this.#destination.on('drain', () => {
      const dropped = this.#dropped
      this.#dropped = 0
      if (dropped > 0) onDropped(dropped)
    })
    process.on('exit', () => this.flushSync())
  }

  write(line: string): void {
    this.#gathered += line
    if (this.#gathered.length >= gatheredCharsMax) this.#pass()
    else this.#timer ??= setTimeout(() => this.#pass(), lingerMs).unref()
  }

  /** The last lines of a process; the logger asks for it where it says that this is the end. */
  flushSync(): void {
    // The destination tries for ever where nobody reads any more, so it only writes what it has already.
    if (this.#destination._len > 0) {
      // A thread that is asked now may not come to it before the process ends.
      this.#destination.minLength = Infinity
      this.#destination.flushSync()
      this.#destination.minLength = 0
    }
    const lines = this.#take()
    if (lines !== '') writeAll(this.#fd, Buffer.from(lines))
  }

  #pass(): void {
    const lines = this.#take()
    if (lines !== '') this.#destination.write(lines)
  }

  #take(): string {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const lines = this.#gathered
    this.#gathered = ''
    return lines
  }
}

/** Lines that nobody takes are lost: a process that ends does not wait for a reader that hangs, nor for one that is gone. */
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
