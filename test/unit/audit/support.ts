// What the tests of the audit log share: a key that is always the same, logs in a temporary folder, a disk that fails on
// command, and the published vectors where they are at hand.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Disk, type DiskFile, systemDisk } from '../../../proxy/audit/disk.ts'
import { parseKey } from '../../../proxy/audit/key.ts'
import { type AuditLog, type LogOptions, openLog } from '../../../proxy/audit/log.ts'
import { ManualClock } from '../../support/clock.ts'

export const testKey = parseKey(Buffer.alloc(32, 7).toString('base64'), 'test')

type Teardown = { teardown: (run: () => void) => void }

export function temporaryFolder(t: Teardown): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-audit-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export type Opened = {
  readonly log: AuditLog
  readonly clock: ManualClock
  readonly dir: string
  readonly folder: string
  readonly faults: unknown[]
}

/** Writer `w`, strict, a clock that stands still. */
export async function openTestLog(dir: string, options: Partial<LogOptions> = {}): Promise<Opened> {
  const clock = (options.clock as ManualClock | undefined) ?? new ManualClock()
  const faults: unknown[] = []
  const log = await openLog({
    dir,
    writer: 'w',
    key: testKey,
    durability: 'strict',
    onFault: (error) => faults.push(error),
    ...options,
    clock,
  })
  return { log, clock, dir, folder: join(dir, options.writer ?? 'w'), faults }
}

export type Line = {
  readonly i: number
  readonly kind: string
  readonly t: string
  readonly prev: string
  readonly [key: string]: unknown
}

export function segmentsOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
}

/** Every record of a log, over all its segments. */
export function linesOf(folder: string): Line[] {
  return segmentsOf(folder)
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as Line)
}

export type Operation = 'create' | 'append' | 'truncate' | 'rename' | 'syncFolder' | 'write' | 'datasync'

/** The real disk, but `before` sees each operation first: it may throw, or wait. */
export function watchedDisk(before: (operation: Operation, path: string) => void | Promise<void>): Disk {
  const wrap = (path: string, file: DiskFile): DiskFile => ({
    write: async (bytes) => {
      await before('write', path)
      await file.write(bytes)
    },
    // In two steps, as where there is no O_DSYNC, so that the second can fail after the first.
    writeThrough: async (bytes) => {
      await before('write', path)
      await file.write(bytes)
      await before('datasync', path)
      await file.datasync()
    },
    datasync: async () => {
      await before('datasync', path)
      await file.datasync()
    },
    close: () => file.close(),
  })
  return {
    create: async (path) => {
      await before('create', path)
      return wrap(path, await systemDisk.create(path))
    },
    append: async (path) => {
      await before('append', path)
      return wrap(path, await systemDisk.append(path))
    },
    truncate: async (path, bytes) => {
      await before('truncate', path)
      await systemDisk.truncate(path, bytes)
    },
    rename: async (from, to) => {
      await before('rename', from)
      await systemDisk.rename(from, to)
    },
    syncFolder: async (path) => {
      await before('syncFolder', path)
      await systemDisk.syncFolder(path)
    },
    sizeOf: (path) => systemDisk.sizeOf(path),
  }
}

/** The real disk, whose `operation` waits from `hold` to `go`. `hold` resolves when one does. */
export function heldDisk(operation: Operation) {
  let held: PromiseWithResolvers<void> | undefined
  let reached: (() => void) | undefined
  const disk = watchedDisk(async (now) => {
    if (now !== operation) return
    reached?.()
    await held?.promise
  })
  return {
    disk,
    hold: (): Promise<void> => {
      held = Promise.withResolvers()
      return new Promise((resolve) => (reached = resolve))
    },
    go: (): void => {
      held?.resolve()
      held = undefined
    },
  }
}

export function diskError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code })
}

/** The text of a published vector file; undefined where shared/ is absent. */
export function vector(path: string): string | undefined {
  const file = new URL(`../../../../shared/vectors/${path}`, import.meta.url)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

export function jsonLines<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

export const absent = 'shared/ is absent'
