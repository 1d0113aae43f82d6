// Owns the resolving of secret references: environment variables and files. A value is never shown, in no message.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ResolveSecret } from '../lib/secret.ts'
import type { Environment } from './interpolate.ts'

/**
 * `baseDir` is where relative files start. A file loses one trailing newline, as editors and `echo` add it. Throws where
 * a secret is absent or empty; files are read anew at every call, so a rotated secret is seen by the next reload.
 */
export function secretResolver(env: Environment, baseDir: string): ResolveSecret {
  return (ref) => {
    if ('fromEnv' in ref) {
      const value = env[ref.fromEnv]
      if (value === undefined) throw new Error(`the environment variable ${ref.fromEnv} is not set`)
      if (value === '') throw new Error(`the environment variable ${ref.fromEnv} is empty`)
      return value
    }
    const value = readSecret(resolve(baseDir, ref.fromFile), ref.fromFile).replace(/\r?\n$/, '')
    if (value === '') throw new Error(`the secret file ${ref.fromFile} is empty`)
    return value
  }
}

/**
 * Every secret file that a document refers to, absolute: to be watched along with the configuration. Not the key of the
 * audit log: the gateway writes that file itself, and a reload does not read it.
 */
export function secretFiles(document: object, baseDir: string): string[] {
  const sections = Object.entries(document).filter(([key]) => key !== 'audit')
  return sections.flatMap(([, section]) => filesIn(section, baseDir))
}

function filesIn(value: unknown, baseDir: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, child]: [string, unknown]) =>
    key === 'fromFile' && typeof child === 'string' ? [resolve(baseDir, child)] : filesIn(child, baseDir),
  )
}

const secretBytesMax = 1024 * 1024

function readSecret(path: string, shown: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const sentences: Record<string, string> = {
      ENOENT: 'does not exist',
      EACCES: 'may not be read (permission denied)',
      EISDIR: 'is a directory',
    }
    throw new Error(`the secret file ${shown} ${sentences[code ?? ''] ?? `cannot be read (${code})`}`, { cause: error })
  }
  if (bytes.length > secretBytesMax) throw new Error(`the secret file ${shown} is larger than ${secretBytesMax} bytes`)
  return bytes.toString('utf8')
}
