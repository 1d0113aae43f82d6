// Owns checkpoints: C2SP tlog-checkpoint notes signed with Ed25519 (signed-note type 0x01), and the text form of the
// keys that verify them (vkey). It knows neither files nor where the size and root come from.
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { sha256 } from '../lib/sha256.ts'

export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Buffer }

/** A signed note as text, or why it cannot be trusted. */
export type OpenedCheckpoint = { readonly checkpoint: Checkpoint } | { readonly problem: string }

const ed25519Type = 0x01
// More than 16 signatures of post-quantum size; anything longer is no checkpoint of ours.
const noteCharsMax = 128 * 1024

/** The signed part of a checkpoint, which ends with a newline. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`
}

/** `signature` is over the UTF-8 bytes of `text`; the key name is the origin, as tlog-checkpoint advises. */
export function formatNote(text: string, name: string, publicKey: Buffer, signature: Buffer): string {
  return `${text}\n— ${name} ${Buffer.concat([keyId(name, publicKey), signature]).toString('base64')}\n`
}

/** `name+hash+key` as in C2SP signed-note: what an auditor keeps to check signatures with. */
export function formatVkey(name: string, publicKey: Buffer): string {
  const encoded = Buffer.concat([Buffer.of(ed25519Type), publicKey]).toString('base64')
  return `${name}+${keyId(name, publicKey).toString('hex')}+${encoded}`
}

export type Vkey = { readonly name: string; readonly publicKey: Buffer }

export function parseVkey(text: string): Vkey | undefined {
  const match = /^([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text.trim())
  if (match === null) return undefined
  const [, name = '', id = '', encoded = ''] = match
  const key = decodeBase64(encoded, 33)
  if (key === undefined || key[0] !== ed25519Type) return undefined
  const publicKey = key.subarray(1)
  return keyId(name, publicKey).toString('hex') === id ? { name, publicKey } : undefined
}

/** Believes a note only when the key called `vkey.name` signed it; signatures of other keys are ignored. */
export function openCheckpoint(note: string, { name, publicKey }: Vkey): OpenedCheckpoint {
  const split = note.lastIndexOf('\n\n')
  if (note.length > noteCharsMax || split < 0 || !note.endsWith('\n')) return { problem: 'it is not a signed note' }
  const text = note.slice(0, split + 1)
  const wanted = keyId(name, publicKey)
  let signed = false
  for (const line of note.slice(split + 2, -1).split('\n')) {
    const [dash, signer, encoded, ...rest] = line.split(' ')
    if (dash !== '—' || signer === undefined || encoded === undefined || rest.length > 0) {
      return { problem: 'it has a malformed signature line' }
    }
    if (signer !== name) continue
    const signature = decodeBase64(encoded)
    if (signature === undefined) return { problem: 'it has a malformed signature line' }
    if (!signature.subarray(0, 4).equals(wanted)) continue
    if (!checkSignature(Buffer.from(text), signature.subarray(4), publicKey)) {
      return { problem: `the signature of ${name} does not match its text` }
    }
    signed = true
  }
  return signed ? parseText(text) : { problem: `it is not signed by the key ${formatVkey(name, publicKey)}` }
}

export function checkSignature(message: Buffer, signature: Buffer, publicKey: Buffer): boolean {
  if (signature.length !== 64) return false
  try {
    return verify(null, message, keyObjectOf(publicKey), signature)
  } catch {
    // Bytes that are no Ed25519 key cannot have signed anything.
    return false
  }
}

// Importing a key costs half of a verification, and a log has one key for very many notes.
const keyObjects = new WeakMap<Buffer, KeyObject>()

function keyObjectOf(publicKey: Buffer): KeyObject {
  let key = keyObjects.get(publicKey)
  if (key === undefined) {
    key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') }, format: 'jwk' })
    keyObjects.set(publicKey, key)
  }
  return key
}

/** Strict base64 (RFC 4648 §4): one text for one byte string, so that no bit of a note can be changed unseen. */
export function decodeBase64(text: string, bytes?: number): Buffer | undefined {
  const decoded = Buffer.from(text, 'base64')
  if (bytes !== undefined && decoded.length !== bytes) return undefined
  return decoded.toString('base64') === text ? decoded : undefined
}

function keyId(name: string, publicKey: Buffer): Buffer {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ed25519Type), publicKey])
  return sha256(input).subarray(0, 4)
}

function parseText(text: string): OpenedCheckpoint {
  const [origin = '', sizeText = '', rootText = ''] = text.split('\n')
  const root = decodeBase64(rootText, 32)
  if (origin === '' || !/^(0|[1-9][0-9]{0,15})$/.test(sizeText) || root === undefined) {
    return { problem: 'its text is not that of a checkpoint' }
  }
  const size = Number(sizeText)
  if (!Number.isSafeInteger(size)) return { problem: 'its size is not a size' }
  return { checkpoint: { origin, size, root } }
}
