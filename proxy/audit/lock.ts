// Owns the rule that one process at a time writes a log. A lock is a listening Unix socket in the log's folder: the
// kernel releases it whenever and however the process ends, there is nothing stale to judge by age or process number,
// and it holds between containers that share the folder whatever their PID and network namespaces.
import { randomBytes } from 'node:crypto'
import { access, open, readdir, unlink } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { Server } from 'node:net'
import { join, relative } from 'node:path'

export type Lock = { readonly release: () => Promise<void> }

const prefix = 'lock.'

/**
 * Undefined when another process holds the log. Safe without any order between processes: each listens first and looks
 * round afterwards, so of two that start together at least the later to look sees the other. Both may then give up.
 */
export async function acquireLock(folder: string): Promise<Lock | undefined> {
  const name = `${prefix}${randomBytes(6).toString('hex')}`
  const directory = await open(folder, 'r')
  const server = createServer((socket) => socket.destroy())
  const release = async (): Promise<void> => {
    await new Promise<void>((resolve) => server.close(() => resolve()))
    await directory.close()
  }
  try {
    await listen(server, shortPath(folder, directory.fd, name))
    const held = await anotherListens(folder, directory.fd, name)
    // A rival that probed us between bind and listen took us for dead and removed the name.
    if (!held && (await exists(join(folder, name)))) return { release }
  } catch (error) {
    await release()
    throw error
  }
  await release()
  return undefined
}

/** Whether some process is writing the log in `folder`; false also where the folder cannot be looked into. */
export async function isLocked(folder: string): Promise<boolean> {
  const directory = await open(folder, 'r')
  try {
    for (const name of await lockNames(folder)) {
      if (await answers(shortPath(folder, directory.fd, name))) return true
    }
    return false
  } finally {
    await directory.close()
  }
}

/** Looks at every other lock and removes those that nobody listens on. */
async function anotherListens(folder: string, fd: number, own: string): Promise<boolean> {
  for (const name of await lockNames(folder)) {
    if (name === own) continue
    if (await answers(shortPath(folder, fd, name))) return true
    await unlink(join(folder, name)).catch(() => undefined)
  }
  return false
}

/** No links: one may lead to a socket that another program listens on, and would make any log look alive. */
async function lockNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries.filter((entry) => entry.name.startsWith(prefix) && !entry.isSymbolicLink()).map(({ name }) => name)
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/**
 * Socket addresses hold 103 bytes on macOS and 107 on Linux, folders are often deeper. Linux can go through the open
 * descriptor of the folder; elsewhere the path from the working directory may be short enough.
 */
function shortPath(folder: string, fd: number, name: string): string {
  if (process.platform === 'linux') return `/proc/self/fd/${fd}/${name}`
  const path = join(folder, name)
  return Buffer.byteLength(path) <= 103 ? path : relative(process.cwd(), path)
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      // The lock must not be what keeps the process alive.
      server.unref()
      resolve()
    })
  })
}

/** Only a refused connection or a name that is gone means that nobody is there. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    )
  })
}
