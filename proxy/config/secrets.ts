// Owns the resolving of secret references: environment variables and files. A value is never shown, in no message.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import type { ResolveSecret, SecretRef } from '../lib/secret.ts'
import { credentialFlaw } from '../upstream/credential.ts'
import type { Environment } from './interpolate.ts'
import { formatPath } from './locate.ts'
import { manifestFiles } from './pins.ts'

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
 * Every file that a document refers to and a reload reads anew, absolute: to be watched along with the configuration.
 * Beside secrets these are the manifests of pinned tools.
 */
export function referencedFiles(document: object, baseDir: string): string[] {
  const files = secretsOf(document).flatMap(({ ref }) => ('fromFile' in ref ? [ref.fromFile] : []))
  return [...files, ...manifestFiles(document)].map((file) => resolve(baseDir, file))
}

/**
 * The secrets of a document that `resolveSecret` does not find, or that cannot be what they are for. `check` warns of them,
 * `serve` refuses to start.
 */
export function secretProblems(
  document: object,
  resolveSecret: ResolveSecret,
  severity: Problem['severity'],
): Problem[] {
  return secretsOf(document).flatMap(({ path, ref }): Problem[] => {
    const at = [...path, ...Object.keys(ref)]
    try {
      const value = resolveSecret(ref)
      const flaw = isCredential(path) ? credentialFlaw(value) : undefined
      if (flaw === undefined) return []
      return [{ path: at, message: `${nameOf(ref)} ${flaw}`, hint: 'it must be the key and nothing else', severity }]
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return [{ path: at, message, hint: remedyFor(path, ref), severity }]
    }
  })
}

/** By path, a digest of what each secret of these sections holds: so much tells whether one was rotated. */
export type SecretMarks = ReadonlyMap<string, string>

export function secretMarks(document: object, sections: readonly string[], resolveSecret: ResolveSecret): SecretMarks {
  const placed = secretsOf(document).filter(({ path }) => sections.includes(String(path[0])))
  return new Map(placed.map(({ path, ref }) => [formatPath(path), markOf(resolveSecret(ref))]))
}

/** Of a document with the same references that `before` was made of: those that no longer hold what they held. */
export function rotatedSecrets(document: object, before: SecretMarks, resolveSecret: ResolveSecret): Problem[] {
  return secretsOf(document).flatMap(({ path, ref }): Problem[] => {
    const mark = before.get(formatPath(path))
    if (mark === undefined || mark === markOf(resolveSecret(ref))) return []
    return [
      {
        path: [...path, ...Object.keys(ref)],
        message: `${nameOf(ref)} has changed, and the section "${path[0]}" cannot change while the proxy runs`,
        hint: 'restart the proxy to take it over',
        severity: 'error',
      },
    ]
  })
}

function markOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64')
}

function isCredential(path: Path): boolean {
  return path[0] === 'upstreams' && (path[2] === 'credential' || path[2] === 'credentials')
}

function nameOf(ref: SecretRef): string {
  return 'fromEnv' in ref ? `the environment variable ${ref.fromEnv}` : `the secret file ${ref.fromFile}`
}

type PlacedSecret = { readonly path: Path; readonly ref: SecretRef }

/** Not the key of the audit log: the gateway writes that file itself, and a reload does not read it. */
function secretsOf(document: object): PlacedSecret[] {
  return Object.entries(document).flatMap(([key, section]) => (key === 'audit' ? [] : secretsIn(section, [key])))
}

function secretsIn(value: unknown, path: Path): PlacedSecret[] {
  if (typeof value !== 'object' || value === null) return []
  if ('fromEnv' in value && typeof value.fromEnv === 'string') return [{ path, ref: { fromEnv: value.fromEnv } }]
  if ('fromFile' in value && typeof value.fromFile === 'string') return [{ path, ref: { fromFile: value.fromFile } }]
  if (Array.isArray(value)) return value.flatMap((item, i) => secretsIn(item, [...path, i]))
  return Object.entries(value).flatMap(([key, child]) => secretsIn(child, [...path, key]))
}

function remedyFor(path: Path, ref: SecretRef): string {
  const need = 'the proxy does not start without it;'
  if ('fromFile' in ref) {
    const start = isAbsolute(ref.fromFile) ? '' : '; a relative path starts at the working directory'
    return `${need} put the secret there, readable by the user it runs as${start}`
  }
  const { fromEnv } = ref
  const otherwise = path[0] === 'upstreams' ? `, or give the upstream "ifEnv: ${fromEnv}"` : ''
  return `${need} set it where that runs${otherwise}`
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
