// Owns the few file operations that the log writes with, so that tests can make each of them fail or hang. Reading
// goes to node:fs directly.
import { close, constants, fdatasync, fsync, ftruncate, open, rename, stat, write } from 'node:fs'
import { promisify } from 'node:util'

export interface DiskFile {
  /** Writes all of it at the end of the file. */
  write(bytes: Uint8Array): Promise<void>
  /** The same, and it is on stable storage afterwards; what stands before it must be already. */
  writeThrough(bytes: Uint8Array): Promise<void>
  /** Contents, and the length needed to read them back, are on stable storage afterwards. */
  datasync(): Promise<void>
  close(): Promise<void>
}

export interface Disk {
  /** A new empty file (mode 0600), replacing what was there. `through`: for many `writeThrough`. */
  create(path: string, through?: 'through'): Promise<DiskFile>
  /** An existing file or a new one, written at its end. */
  append(path: string, through?: 'through'): Promise<DiskFile>
  /** Cuts the file to `bytes` and makes that durable through a descriptor of its own. */
  truncate(path: string, bytes: number): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>
  /** In bytes; 0 for a file that is not there. */
  sizeOf(path: string): Promise<number>
}

const calls = {
  open: promisify(open),
  close: promisify(close),
  fdatasync: promisify(fdatasync),
  fsync: promisify(fsync),
  ftruncate: promisify(ftruncate),
  rename: promisify(rename),
  stat: promisify(stat),
}

// Both descriptors of a file write at its end, wherever the other one has moved that to.
const appendFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND

/**
 * One write that is durable instead of a write and an fdatasync. Only Linux: on macOS O_DSYNC leaves the data in the
 * drive's cache, where Node's fdatasync does not.
 */
const throughFlags = process.platform === 'linux' ? appendFlags | constants.O_DSYNC : undefined

export const systemDisk: Disk = {
  create: (path, through) => openFile(path, appendFlags | constants.O_TRUNC, through),
  append: (path, through) => openFile(path, appendFlags, through),
  rename: (from, to) => calls.rename(from, to),
  truncate: (path, bytes) =>
    withDescriptor(path, constants.O_WRONLY, async (fd) => {
      await calls.ftruncate(fd, bytes)
      await calls.fsync(fd)
    }),
  syncFolder: (path) => withDescriptor(path, constants.O_RDONLY, (fd) => calls.fsync(fd)),
  sizeOf: (path) =>
    calls.stat(path).then(
      ({ size }) => size,
      (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? 0 : Promise.reject(error)),
    ),
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

async function openFile(path: string, flags: number, through: 'through' | undefined): Promise<DiskFile> {
  const fd = await calls.open(path, flags, 0o600)
  if (through === undefined || throughFlags === undefined) return fileOf(fd)
  try {
    return fileOf(fd, await calls.open(path, throughFlags))
  } catch (error) {
    await calls.close(fd)
    throw error
  }
}

function fileOf(fd: number, throughFd?: number): DiskFile {
  return {
    write: (bytes) => writeAll(fd, bytes),
    writeThrough: (bytes) =>
      throughFd === undefined ? writeAll(fd, bytes).then(() => calls.fdatasync(fd)) : writeAll(throughFd, bytes),
    datasync: () => calls.fdatasync(fd),
    close: async () => {
      if (throughFd !== undefined) await calls.close(throughFd)
      await calls.close(fd)
    },
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
