// Owns following a log: the last lines of all writers in a folder, then the new ones as they come. It verifies nothing.
import { setInterval } from 'node:timers/promises'
import { lineEnd, readBlocks } from './blocks.ts'
import { listLogs, listSegments } from './layout.ts'

export type TailOptions = {
  readonly lines?: number
  readonly follow?: boolean
  readonly signal?: AbortSignal
  readonly pollMs?: number
}

/** Lines as they stand in the log, without LF; those of several writers in order of their times. */
export async function* tailLog(dir: string, options: TailOptions = {}): AsyncGenerator<string> {
  const { lines = 10, follow = false, signal, pollMs = 200 } = options
  const readers = new Map<string, Reader>()
  let found = await listLogs(dir)
  if (found.length === 0) throw new Error(`${dir} holds no audit log`)
  const last: Timed[] = []
  for (const folder of found) {
    const reader = new Reader(folder)
    readers.set(folder, reader)
    last.push(...timed(await reader.last(lines)))
  }
  yield* inOrder(last).slice(lines === 0 ? last.length : -lines)
  if (!follow) return
  // Not on the injected clock: these waits are what keeps the command alive.
  const ticks = setInterval(pollMs, undefined, signal === undefined ? {} : { signal })[Symbol.asyncIterator]()
  while (await untilAborted(ticks)) {
    found = await listLogs(dir)
    for (const folder of found) if (!readers.has(folder)) readers.set(folder, new Reader(folder))
    for (const reader of readers.values()) yield* reader.next()
  }
}

/** False once the signal has ended the ticks. */
async function untilAborted(ticks: AsyncIterator<unknown>): Promise<boolean> {
  return ticks.next().then(
    ({ done }) => done !== true,
    () => false,
  )
}

/** Where reading has got to in one log. */
class Reader {
  readonly #folder: string
  #segment = ''
  #offset = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Reads whole segments from the back until there are enough lines. */
  async last(count: number): Promise<string[]> {
    const segments = await listSegments(this.#folder)
    let lines: string[] = []
    for (const { name } of [...segments].reverse()) {
      const own = await this.#read(name, 0)
      if (this.#segment === '') [this.#segment, this.#offset] = [name, own.end]
      lines = [...own.lines.slice(count === 0 ? own.lines.length : -count), ...lines]
      if (lines.length >= count) break
    }
    return count === 0 ? [] : lines.slice(-count)
  }

  async *next(): AsyncGenerator<string> {
    for (const { name } of await listSegments(this.#folder)) {
      if (name < this.#segment) continue
      const { lines, end } = await this.#read(name, name === this.#segment ? this.#offset : 0)
      yield* lines
      ;[this.#segment, this.#offset] = [name, end]
    }
  }

  async #read(name: string, from: number): Promise<{ lines: string[]; end: number }> {
    const lines: string[] = []
    let at = from
    for await (const { bytes, start, end, torn } of readBlocks(`${this.#folder}/${name}`, from)) {
      if (torn) break
      for (let begin = start; begin < end;) {
        const lf = lineEnd(bytes, begin, end)
        const to = lf < 0 ? end : lf
        lines.push(bytes.toString('utf8', begin, to))
        begin = to + 1
      }
      at += end - start
    }
    return { lines, end: at }
  }
}

type Timed = { readonly line: string; readonly time: string }

/** The lines of one log stay in their order, also where its clock was set back: each has the latest time up to it. */
function timed(lines: readonly string[]): Timed[] {
  let latest = ''
  return lines.map((line) => {
    const time = /"t":"([^"]*)"/.exec(line)?.[1] ?? ''
    if (time > latest) latest = time
    return { line, time: latest }
  })
}

function inOrder(lines: readonly Timed[]): string[] {
  return lines.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).map(({ line }) => line)
}
