// Owns the private key of an audit log: creating it on first start, reading it with care, signing with it and deriving
// other secrets from it. It does not know what is signed.
import { createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { link, open, readFile, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Fault } from '../errors.ts'
import { formatVkey, parseVkey } from './checkpoint.ts'
import { makeFolders } from './folder.ts'
import { readText } from './layout.ts'

export interface AuditKey {
  /** The 32 bytes of RFC 8032. */
  readonly publicKey: Buffer
  sign(message: Buffer): Promise<Buffer>
  /** 32 bytes by HKDF-SHA-256 (RFC 5869), different for each label; `digest`, `token` and `session` are in use. */
  derive(info: string): Buffer
}

/** The name in `<key>.pub`. Each log signs under its own origin; verifiers compare the 32 bytes, not the name. */
const publicName = 'gatewright'

/**
 * Reads the key file, or creates it (mode 0600) with its public half beside it as `<path>.pub`.
 * Throws a Fault whose cause says what is wrong and what to do.
 */
export async function openKeyFile(path: string): Promise<AuditKey> {
  const key = parseKey(await readOrCreate(path), path)
  const publicPath = `${path}.pub`
  const known = await readPublicKey(publicPath)
  if (known === undefined) await writePublicKey(publicPath, `${formatVkey(publicName, key.publicKey)}\n`)
  else if (parseVkey(known)?.publicKey.equals(key.publicKey) !== true) {
    throw unusable(
      `${publicPath} is not the public half of the audit key ${path}: with it, everything signed from now on would look tampered with. If the key was replaced by mistake, put the old one back; otherwise move ${publicPath} away (what the old key signed is verified with it), and the next start writes the new one`,
    )
  }
  return key
}

async function readOrCreate(path: string): Promise<string> {
  try {
    const text = await readKeyFile(path)
    if (text !== undefined) return text
    await createKeyFile(path)
    return (await readKeyFile(path)) ?? ''
  } catch (error) {
    if (error instanceof Fault) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw unusable(
      `the audit key ${path} can be neither read nor created there: ${why}. Give its folder to the user that runs this, or name another file (audit.key)`,
    )
  }
}

/** PEM PKCS#8, or the 32-byte seed as one line of base64; `source` is named in the error. */
export function parseKey(text: string, source: string): AuditKey {
  try {
    const trimmed = text.trim()
    const pem = trimmed.startsWith('-----BEGIN')
    const privateKey = pem ? createPrivateKey(trimmed) : privateKeyOf(Buffer.from(trimmed, 'base64'))
    if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error(`it is a ${privateKey.asymmetricKeyType} key`)
    return keyOf(privateKey)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw unusable(`${source} does not hold an Ed25519 private key (PEM PKCS#8 or a 32-byte seed in base64): ${why}`)
  }
}

function keyOf(privateKey: KeyObject): AuditKey {
  const { d = '' } = privateKey.export({ format: 'jwk' })
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const seed = Buffer.from(d, 'base64url')
  return {
    publicKey: Buffer.from(x, 'base64url'),
    // With a callback, so that signing runs on the thread pool and not on the event loop.
    sign: (message) =>
      new Promise((resolve, reject) => {
        sign(null, message, privateKey, (error, signature) => (error === null ? resolve(signature) : reject(error)))
      }),
    derive: (info) => Buffer.from(hkdfSync('sha256', seed, '', `gatewright/${info}`, 32)),
  }
}

/** RFC 8410 §7: the fixed PKCS#8 head of an Ed25519 key, then its seed. */
function privateKeyOf(seed: Buffer): KeyObject {
  if (seed.length !== 32) throw new Error(`the seed has ${seed.length} bytes`)
  const head = Buffer.from('302e020100300506032b657004220420', 'hex')
  return createPrivateKey({ key: Buffer.concat([head, seed]), format: 'der', type: 'pkcs8' })
}

async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    const { mode, uid } = await stat(path)
    // As ssh does: strict about files of our own. A mounted secret belongs to root and is shared by group.
    const forbidden = uid === process.getuid?.() ? 0o077 : 0o007
    if (process.platform !== 'win32' && (mode & forbidden) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0')
      throw unusable(`${path} can be read by others (mode ${octal}); run: chmod 600 ${path}`)
    }
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function createKeyFile(path: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('ed25519')
  await makeFolders(dirname(path))
  await createFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600)
}

/** The file appears whole or not at all: written aside, made durable, then linked, which never overwrites. */
async function createFile(path: string, text: string, mode: number): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await open(aside, 'wx', mode)
  try {
    await file.writeFile(text)
    await file.sync()
    await link(aside, path)
  } catch (error) {
    // Another process was first: its key is the key.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await file.close()
    await unlink(aside)
  }
}

async function readPublicKey(path: string): Promise<string | undefined> {
  try {
    return await readText(path)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw unusable(`the public half of the audit key, ${path}, cannot be read: ${why}`)
  }
}

async function writePublicKey(path: string, text: string): Promise<void> {
  try {
    await createFile(path, text, 0o644)
  } catch {
    // Beside a mounted secret nothing can be written: each log carries its own vkey.
  }
}

function unusable(message: string): Fault {
  return new Fault('audit-unavailable', undefined, { cause: new Error(message) })
}
