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
  | { readonly ok: false; readonly file: string; readonly message: string; readonly hint?: string }

/** The files behind one --config argument, by name. Folders inside a directory are not entered. */
export function readConfigFiles(path: string): FilesResult {
  for (let attempt = 1; ; attempt++) {
    try {
      return statSync(path).isDirectory() ? readDirectory(path) : readOne(path)
    } catch (error) {
      // Between listing and reading, a ConfigMap may be swapped and its former generation removed.
      const gone = isMissing(error) && attempt < attemptsMax
      if (!gone) return { ok: false, file: path, message: sentence(error) }
    }
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
  if (statSync(from).size > fileBytesMax) return { ok: false, file, message: `larger than ${fileBytesMax} bytes` }
  const bytes = readFileSync(from)
  if (bytes.length > fileBytesMax) return { ok: false, file, message: `larger than ${fileBytesMax} bytes` }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    // What is being written, or found no room on a disk, looks like this, and its rules must not be gone meanwhile.
    if (text.trim() === '') return { ok: false, file, message: 'the file is empty' }
    return { ok: true, files: [{ file, text }] }
  } catch {
    return { ok: false, file, message: 'not valid UTF-8' }
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
