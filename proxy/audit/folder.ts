// Owns making the folder of one log, and the writer id of an operator who names none.
import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { writerName, writerPattern } from './layout.ts'

/** Made up once and kept, so that one chain goes on over restarts. */
export async function writerIdOf(dir: string): Promise<string> {
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

/** Readable by its owner only: records name principals and addresses. */
export async function createFolder(dir: string, writer: string): Promise<string> {
  const folder = `${dir}/${writer}`
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return folder
}
