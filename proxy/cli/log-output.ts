// Owns the way of log lines to a file descriptor: many leave in one write, and a reader that hangs neither stops the
// proxy nor fills its memory. What a line says is the logger's.
import { pino } from 'pino'

/** One write: the destination adds up lengths with each line it is given, so it is given many at once. */
const gatheredCharsMax = 8_192
/** How late a line may be. */
const lingerMs = 250
/** What waits for a reader; lines beyond are dropped and counted. */
const waitingBytesMax = 8 * 1024 * 1024

/** What it holds beyond `minLength` bytes is written by a thread at once; its types name that among the options only. */
type Destination = ReturnType<typeof pino.destination> & { minLength: number }

export class LogOutput {
  readonly #destination: Destination
  #gathered = ''
  #timer: NodeJS.Timeout | undefined
  #dropped = 0

  /** `onDropped` is told how many lines were lost, once there is room again to say so. */
  constructor(fd: number, onDropped: (lines: number) => void) {
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
    // A thread that is asked now may not come to it before the process ends.
    this.#destination.minLength = Infinity
    this.#pass()
    this.#destination.flushSync()
    this.#destination.minLength = 0
  }

  #pass(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const lines = this.#gathered
    this.#gathered = ''
    if (lines !== '') this.#destination.write(lines)
  }
}
