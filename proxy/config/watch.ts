// Owns noticing that files changed: directories are watched, because a watch on a file dies with the first rename over
// it (editors, ConfigMaps). What counts is content: touching a file is no change. A slow poll catches what the
// notifications of the system miss (network file systems, a swapped link further up). It does not load anything.
import { createHash } from 'node:crypto'
import { type FSWatcher, readdirSync, readFileSync, statSync, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Clock, systemClock } from '../lib/clock.ts'
import { fileBytesMax, isConfigName } from './load-files.ts'

export type WatchOptions = {
  readonly clock?: Clock
  /** Quiet time after the last notification before the files are read. */
  readonly debounceMs?: number
  readonly pollMs?: number
  /** `fingerprint(paths)` taken before the files were loaded, so that a change since then is seen. */
  readonly baseline?: string
  readonly onChange: () => void
  /** Watching failed (out of watches, permission): from then on only the poll sees changes. */
  readonly onFault?: (error: unknown) => void
}

export type Watcher = { readonly close: () => void }

/** Files and directories; a file need not be YAML (secrets) and need not exist yet. Does not keep the process alive. */
export function watchConfig(paths: readonly string[], options: WatchOptions): Watcher {
  const { clock = systemClock, debounceMs = 200, pollMs = 30_000, onChange, onFault } = options
  let seen = ''
  let closed = false
  const check = (): void => {
    if (closed) return
    directories.renew()
    const now = fingerprint(paths)
    if (now === seen) return
    seen = now
    onChange()
  }
  const debounced = debounce(clock, debounceMs, check)
  const directories = watchDirectories(paths, debounced.poke, onFault ?? (() => undefined))
  // After the watches stand: what changes from now on is notified.
  seen = options.baseline ?? fingerprint(paths)
  const poll = (): void => {
    check()
    if (!closed) pollTimer = clock.after(pollMs, poll)
  }
  let pollTimer = clock.after(pollMs, poll)
  if (options.baseline !== undefined) debounced.poke()
  return {
    close() {
      closed = true
      debounced.cancel()
      pollTimer.cancel()
      directories.close()
    },
  }
}

/** A digest of the names and contents behind the paths; what cannot be read counts as absent. Never throws. */
export function fingerprint(paths: readonly string[]): string {
  const hash = createHash('sha256')
  const add = (file: string): void => {
    hash.update(`${file}\0`)
    try {
      const { size, mtimeMs } = statSync(file)
      // The loader refuses such a file unread; that it changed is still worth a new attempt.
      if (size > fileBytesMax) hash.update(`large ${size} ${mtimeMs}\0`)
      else hash.update('file\0').update(createHash('sha256').update(readFileSync(file)).digest())
    } catch {
      hash.update('absent\0')
    }
  }
  for (const path of paths) for (const file of filesOf(path)) add(file)
  return hash.digest('hex')
}

function filesOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
    const names = readdirSync(path).filter(isConfigName).sort()
    return names.map((name) => join(path, name))
  } catch {
    return [path]
  }
}

/** Runs once it has been quiet, but not later than ten times that after the first poke. */
function debounce(clock: Clock, quietMs: number, run: () => void): { poke: () => void; cancel: () => void } {
  let timer: { cancel: () => void } | undefined
  let latestMs = 0
  const cancel = (): void => {
    timer?.cancel()
    timer = undefined
  }
  const poke = (): void => {
    const nowMs = clock.monotonic()
    if (timer === undefined) latestMs = nowMs + 10 * quietMs
    cancel()
    timer = clock.after(Math.min(quietMs, Math.max(0, latestMs - nowMs)), () => {
      timer = undefined
      run()
    })
  }
  return { poke, cancel }
}

type Directories = { readonly renew: () => void; readonly close: () => void }

function watchDirectories(paths: readonly string[], poke: () => void, onFault: (error: unknown) => void): Directories {
  const watchers = new Map<string, FSWatcher>()
  const wanted = new Set(paths.flatMap((path) => (isDirectory(path) ? [path] : [dirname(path)])))
  const drop = (directory: string): void => {
    watchers.get(directory)?.close()
    watchers.delete(directory)
  }
  const add = (directory: string): void => {
    const names = new Set(paths.filter((path) => dirname(path) === directory).map((path) => basename(path)))
    const all = paths.includes(directory)
    const watcher = watch(directory, { persistent: false }, (type, name) => {
      // The directory itself was removed or renamed: the watch is on something that is no longer at this path.
      if (type === 'rename' && name === basename(directory)) drop(directory)
      const matters = name === null || name.startsWith('..') || names.has(name) || (all && isConfigName(name))
      if (matters || !watchers.has(directory)) poke()
    })
    watcher.on('error', (error) => {
      drop(directory)
      onFault(error)
    })
    watchers.set(directory, watcher)
  }
  const renew = (): void => {
    for (const directory of wanted) {
      if (watchers.has(directory) || !isDirectory(directory)) continue
      try {
        add(directory)
      } catch (error) {
        onFault(error)
      }
    }
  }
  renew()
  return {
    renew,
    close() {
      for (const directory of watchers.keys()) drop(directory)
    },
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
