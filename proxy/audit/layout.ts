// Owns the names in an audit folder: one sub-folder per writer, and in it the segments and what stands beside them. How a
// small file is read that may not be there is here, too.
import type { Dirent } from 'node:fs'
import { readdir, readFile, realpath } from 'node:fs/promises'

export const checkpointName = 'checkpoint'
export const checkpointsName = 'checkpoints.log'
/** The file that `checkpoints.log` becomes when it is full. */
export const checkpointsBeforeName = 'checkpoints.log.1'
const checkpointNames: ReadonlySet<string> = new Set([checkpointName, checkpointsName, checkpointsBeforeName])
export const frontierName = 'frontier'
export const vkeyName = 'vkey'
export const recoveryName = 'recovery'

/** In the audit folder itself: the writer id that was made up when the operator named none. */
export const writerName = 'writer'

export const originPrefix = 'gatewright/'

/** Safe as a folder name, as part of a note's key name and in a URL. */
export const writerPattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'

const writerRegExp = new RegExp(writerPattern)
const segmentRegExp = /^([0-9]{20})\.jsonl$/

/** Twenty digits, so that names sort as their first indexes do. */
export function segmentName(first: number): string {
  return `${String(first).padStart(20, '0')}.jsonl`
}

export type Segment = { readonly name: string; readonly first: number }

/** Undefined where there is no such file. */
export async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

/** In order; empty where there is no such folder. */
export async function listSegments(folder: string): Promise<Segment[]> {
  return (await namesIn(folder))
    .filter((name) => segmentRegExp.test(name))
    .sort()
    .map((name) => ({ name, first: Number(name.slice(0, 20)) }))
}

/** The folders of the logs in `dir`, which may itself be the folder of one, too: a log there must not hide the others. */
export async function listLogs(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true })
  const logs = isLog(entries.map(({ name }) => name)) ? [dir] : []
  for (const { name, isLink } of entries.flatMap(folderOf).sort(byKindAndName)) {
    const folder = `${dir}/${name}`
    if (isLog(await namesIn(folder)) && !(isLink && (await isAmong(folder, logs)))) logs.push(folder)
  }
  return logs
}

type Folder = { readonly name: string; readonly isLink: boolean }

/** A writer writes where a link leads, so that is looked at, too. */
function folderOf(entry: Dirent): Folder[] {
  const isLink = entry.isSymbolicLink()
  const mayBe = (isLink || entry.isDirectory()) && writerRegExp.test(entry.name)
  return mayBe ? [{ name: entry.name, isLink }] : []
}

/** Links last: what they lead to may have been met by its own name. */
function byKindAndName(a: Folder, b: Folder): number {
  if (a.isLink !== b.isLink) return a.isLink ? 1 : -1
  return a.name < b.name ? -1 : 1
}

/** A second name of a log is no second log. */
async function isAmong(folder: string, logs: readonly string[]): Promise<boolean> {
  const path = await realpath(folder)
  for (const log of logs) if ((await realpath(log)) === path) return true
  return false
}

/** Empty where there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP') return []
    throw error
  })
}

/** Also where the records are gone: the checkpoints tell of them. */
function isLog(names: readonly string[]): boolean {
  return names.some((name) => checkpointNames.has(name) || segmentRegExp.test(name))
}
