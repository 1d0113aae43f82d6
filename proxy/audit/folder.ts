// Owns making the folders of a log, and the writer id of an operator who names none.
import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Fault } from '../errors.ts'
import { writerName, writerPattern } from './layout.ts'

/** Without an id of the operator's, one is made up. Throws a Fault whose cause says why there can be no folder. */
export async function openFolder(dir: string, given: string | undefined): Promise<{ writer: string; folder: string }> {
  try {
    await makeFolders(dir)
    const writer = given ?? (await writerIdOf(dir))
    const folder = `${dir}/${writer}`
    await makeFolders(folder)
    return { writer, folder }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const cause = new Error(
      `the audit log cannot have its folder in ${dir}: ${why}. Give that one to the user that runs this, or name another (audit.dir)`,
    )
    throw new Fault('audit-unavailable', undefined, { cause })
  }
}

/**
 * Readable by its owner only: records name principals and addresses. One level at a time, because Node's `recursive`
 * tries for ever where a file system says that what is there is missing, as /proc does.
 */
export async function makeFolders(folder: string): Promise<void> {
  const path = resolve(folder)
  if (await isThere(path)) return
  const above = dirname(path)
  if (above !== path) await makeFolders(above)
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    // Of several processes that start together, one makes it.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await isThere(path))) throw error
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** Made up once and kept, so that one chain goes on over restarts. */
async function writerIdOf(dir: string): Promise<string> {
  const path = `${dir}/${writerName}`
  const aside = `${path}.${randomBytes(6).toString('hex')}.tmp`
  await writeFile(aside, `w-${randomBytes(4).toString('hex')}\n`, { mode: 0o600, flush: true })
  // Linking never overwrites: of several processes that start together, one id stays.
  await link(aside, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await unlink(aside)
  const id = (await readFile(path, 'utf8')).trim()
  if (!new RegExp(writerPattern).test(id)) throw new Error(`${path} does not hold a writer id`)
  return id
}
