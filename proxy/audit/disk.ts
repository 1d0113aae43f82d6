// Owns the few file operations that the log writes with, so that tests can make each of them fail or hang. Reading
// goes to node:fs directly.
import { close, constants, fdatasync, fsync, ftruncate, open, rename, write } from 'node:fs'
import { promisify } from 'node:util'

export interface DiskFile {
  /** Writes all of it at the end of the file. */
  write(bytes: Uint8Array): Promise<void>
  /** Contents, and the length needed to read them back, are on stable storage afterwards. */
  datasync(): Promise<void>
  close(): Promise<void>
}

export interface Disk {
  /** A new empty file (mode 0600), replacing what was there. */
  create(path: string): Promise<DiskFile>
  /** An existing file or a new one, written at its end. */
  append(path: string): Promise<DiskFile>
  /** Cuts the file to `bytes` and makes that durable through a descriptor of its own. */
  truncate(path: string, bytes: number): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>
}

const calls = {
  open: promisify(open),
  close: promisify(close),
  fdatasync: promisify(fdatasync),
  fsync: promisify(fsync),
  ftruncate: promisify(ftruncate),
  rename: promisify(rename),
}

export const systemDisk: Disk = {
  create: async (path) => fileOf(await calls.open(path, 'w', 0o600)),
  append: async (path) => fileOf(await calls.open(path, 'a', 0o600)),
  rename: (from, to) => calls.rename(from, to),
  truncate: (path, bytes) =>
    withDescriptor(path, constants.O_WRONLY, async (fd) => {
      await calls.ftruncate(fd, bytes)
      await calls.fsync(fd)
    }),
  syncFolder: (path) => withDescriptor(path, constants.O_RDONLY, (fd) => calls.fsync(fd)),
}

/**
 * Readers see the old file or the new one. `durable`: also after a power cut, and the new one from here on; `cached`: a
 * power cut may leave anything.
 */
export async function replaceFile(
  disk: Disk,
  folder: string,
  name: string,
  bytes: Uint8Array,
  keep: 'durable' | 'cached',
): Promise<void> {
  const path = `${folder}/${name}`
  const file = await disk.create(`${path}.tmp`)
  try {
    await file.write(bytes)
    if (keep === 'durable') await file.datasync()
  } finally {
    await file.close()
  }
  await disk.rename(`${path}.tmp`, path)
  if (keep === 'durable') await disk.syncFolder(folder)
}

async function withDescriptor(path: string, flags: number, run: (fd: number) => Promise<void>): Promise<void> {
  const fd = await calls.open(path, flags)
  try {
    await run(fd)
  } finally {
    await calls.close(fd)
  }
}

function fileOf(fd: number): DiskFile {
  return {
    write: (bytes) => writeAll(fd, bytes),
    datasync: () => calls.fdatasync(fd),
    close: () => calls.close(fd),
  }
}

/** A write may be short: near a full disk, or when a signal comes. */
function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (offset: number): void => {
      write(fd, bytes, offset, bytes.length - offset, null, (error, written) => {
        if (error !== null) reject(error)
        else if (offset + written >= bytes.length) resolve()
        else next(offset + written)
      })
    }
    next(0)
  })
}
