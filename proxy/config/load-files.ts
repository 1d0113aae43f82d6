// Owns finding and reading the files of a configuration: a file, or the YAML files of a directory. A mounted ConfigMap
// is read from one generation only. It does not parse.
import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** What one file may weigh. */
export const fileBytesMax = 5 * 1024 * 1024
const filesMax = 1000
const attemptsMax = 5

export type FileText = { readonly file: string; readonly text: string }
export type FilesResult =
  | { readonly ok: true; readonly files: readonly FileText[] }
  | { readonly ok: false; readonly file: string; readonly message: string; readonly place?: Place }
/** Of what is wrong within a file, from 1. */
type Place = { readonly line: number; readonly column: number }

/** The files behind one --config argument, by name. Folders inside a directory are not entered. */
export function readConfigFiles(path: string): FilesResult {
  for (let attempt = 1; ; attempt++) {
    try {
      return statSync(path).isDirectory() ? readDirectory(path) : readOne(path)
    } catch (error) {
      const { file, cause } = error instanceof Unreadable ? error : { file: path, cause: error }
      // Between listing and reading, a ConfigMap may be swapped and its former generation removed.
      const gone = isMissing(cause) && attempt < attemptsMax
      if (!gone) return { ok: false, file, message: sentence(cause) }
    }
  }
}

/** Names the one file of a directory that is to blame; never leaves this file. */
class Unreadable extends Error {
  readonly file: string
  constructor(file: string, cause: unknown) {
    super('unreadable', { cause })
    this.file = file
  }
}

/** Whether a file of a directory is configuration: not hidden, YAML, and not a test of policies (`*.test.yaml`). */
export function isConfigName(name: string): boolean {
  return /\.ya?ml$/.test(name) && !/\.test\.ya?ml$/.test(name) && !name.startsWith('.')
}

function readDirectory(path: string): FilesResult {
  const names = readdirSync(path).filter(isConfigName).sort()
  if (names.length === 0) return { ok: false, file: path, message: 'the directory holds no .yaml file' }
  if (names.length > filesMax) return { ok: false, file: path, message: `more than ${filesMax} files` }
  const generation = generationOf(path)
  const files: FileText[] = []
  for (const name of names) {
    const read = readText(join(path, name), within(generation, path, name))
    if (!read.ok) return read
    files.push(...read.files)
  }
  return { ok: true, files }
}

function readOne(path: string): FilesResult {
  const directory = dirname(path)
  return readText(path, within(generationOf(directory), directory, basename(path)))
}

/**
 * The directory that `..data` stands for at this moment. Kubernetes swaps that link to publish all files at once, so
 * reading through it each time could mix two generations.
 */
function generationOf(directory: string): string | undefined {
  try {
    return realpathSync(join(directory, '..data'))
  } catch {
    return undefined
  }
}

function within(generation: string | undefined, directory: string, name: string): string {
  const file = join(directory, name)
  if (generation === undefined) return file
  try {
    const target = readlinkSync(file)
    return target.startsWith('..data/') ? join(generation, target.slice('..data/'.length)) : file
  } catch {
    return file
  }
}

function readText(file: string, from: string): FilesResult {
  const bytes = readBytes(file, from)
  if (bytes === undefined) return { ok: false, file, message: `larger than ${fileBytesMax} bytes` }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    // What is being written, or found no room on a disk, looks like this, and its rules must not be gone meanwhile.
    if (text.trim() === '') return { ok: false, file, message: 'the file is empty' }
    return { ok: true, files: [{ file, text }] }
  } catch {
    return { ok: false, file, message: 'not valid UTF-8', place: placeOfMangled(bytes) }
  }
}

/** Undefined: too many. */
function readBytes(file: string, from: string): Buffer | undefined {
  try {
    if (statSync(from).size > fileBytesMax) return undefined
    const bytes = readFileSync(from)
    return bytes.length > fileBytesMax ? undefined : bytes
  } catch (error) {
    throw new Unreadable(file, error)
  }
}

/** Of the first character that is no UTF-8: what stands before it decodes, and nothing that goes beyond does. */
function placeOfMangled(bytes: Buffer): Place {
  let good = 0
  let bad = bytes.length
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (beginningOf(bytes, middle) === undefined) bad = middle
    else good = middle
  }
  const lines = (beginningOf(bytes, good) ?? '').split('\n')
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 }
}

/** A character that is cut off at its end is left out. */
function beginningOf(bytes: Buffer, length: number): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true })
  } catch {
    return undefined
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

function sentence(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const sentences: Record<string, string> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EISDIR: 'is a directory',
    ELOOP: 'too many symbolic links',
  }
  return sentences[code ?? ''] ?? message
}
