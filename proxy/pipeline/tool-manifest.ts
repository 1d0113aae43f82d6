// Owns the manifest of pinned tools: a JSON file that somebody has signed with the audit log's key, so that what may be
// used is decided before a server is first seen. The signature covers the canonical form (RFC 8785) of all but itself.
import { checkSignature, decodeBase64 } from '../audit/checkpoint.ts'
import type { AuditKey } from '../audit/key.ts'
import { canonicalise } from '../lib/canonical.ts'
import { isObject, parseJson, type Json } from '../lib/json.ts'

export const manifestFormat = 'gatewright-tools/1'

export type Manifest = { readonly upstream: string; readonly tools: ReadonlyMap<string, string> }

/** The file's text, tools in order of their names. */
export async function signManifest({ upstream, tools }: Manifest, key: AuditKey): Promise<string> {
  const listed = [...tools].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, sha256]) => ({ name, sha256 }))
  const unsigned = { format: manifestFormat, upstream, tools: listed, key: key.publicKey.toString('base64') }
  const signature = await key.sign(signedBytes(unsigned))
  return `${JSON.stringify({ ...unsigned, signature: signature.toString('base64') }, null, 2)}\n`
}

/** A string says why it cannot be trusted. Only the key given counts, whatever the file says of itself. */
export function openManifest(bytes: Uint8Array, upstream: string, publicKey: Buffer): Manifest | string {
  const parsed = parseJson(bytes, { depthMax: 8, keysMax: 10_000 })
  if (!parsed.ok) return `it is not JSON: ${parsed.message}`
  if (!isObject(parsed.value)) return 'it is not a manifest of tools'
  const { signature, ...unsigned } = parsed.value
  const signed = typeof signature === 'string' ? decodeBase64(signature, 64) : undefined
  if (signed === undefined) return 'it is not signed'
  if (!checkSignature(signedBytes(unsigned), signed, publicKey)) return 'it is not signed by the key of this audit log'
  if (unsigned['format'] !== manifestFormat) return `its format is not ${manifestFormat}`
  if (unsigned['upstream'] !== upstream) return 'it is for another upstream'
  return readTools(unsigned['tools'], upstream)
}

function signedBytes(unsigned: unknown): Buffer {
  return Buffer.from(canonicalise(unsigned))
}

function readTools(listed: Json | undefined, upstream: string): Manifest | string {
  if (!Array.isArray(listed)) return 'it lists no tools'
  const tools = new Map<string, string>()
  for (const tool of listed) {
    const { name, sha256 } = isObject(tool) ? tool : {}
    if (typeof name !== 'string' || typeof sha256 !== 'string' || tools.has(name)) return 'it lists a tool that is none'
    tools.set(name, sha256)
  }
  return { upstream, tools }
}
