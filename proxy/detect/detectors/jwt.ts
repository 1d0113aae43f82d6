// Owns JSON Web Tokens in compact form (RFC 7519, 7515, 7516), known by a header that decodes to JSON with an algorithm.
import { characterClass, holds } from '../characters.ts'
import type { Detector } from '../detector.ts'
import { startsWord } from '../boundary.ts'
import { contextBefore, type Probe } from '../probe.ts'

const group = 'secrets'
const entity = 'jwt'
const base64url = characterClass('A-Za-z0-9_-')
const headerLengthMax = 4096
export const jwtLengthMax = 32_768

export const jwt: Detector = {
  entity,
  group,
  // {" in base64url
  triggers: ['eyJ'],
  find(probe, start) {
    if (!probe.text.startsWith('eyJ', start) || !startsWord(probe, start) || probe.before(start) === 46) return
    if (isRead(probe, start)) return
    const headerEnd = probe.runEnd(start, base64url, headerLengthMax)
    if (probe.code(headerEnd) !== 46) return
    const header = readHeader(probe.text.slice(start, headerEnd))
    if (header === undefined || (header.isBroken && !isObject(probe, headerEnd + 1))) return
    const limit = start + jwtLengthMax
    let end = headerEnd
    for (let part = 1; part < header.parts; part++) {
      if (end === limit) break
      if (probe.code(end) !== 46) return
      end = probe.runEnd(end + 1, base64url, limit - end - 1)
    }
    probe.accept(jwt, start, end, true)
  },
}

/** Each run is read and decoded once, from its first `eyJ`; otherwise `-eyJ-eyJ…` would cost a header at every one. */
function isRead(probe: Probe, start: number): boolean {
  if (probe.before(start) !== 45) return false
  const { text } = probe
  const least = start - contextBefore
  for (let at = start; at > least; at--) {
    if (!holds(base64url, probe.before(at))) return false
    if (text.charCodeAt(at - 1) === 101 && at + 1 < start && text.startsWith('eyJ', at - 1)) return true
  }
  return true
}

/** The payload begins with `eyJ` as well. */
function isObject(probe: Probe, index: number): boolean {
  return probe.code(index) === 101 && probe.code(index + 1) === 121 && probe.code(index + 2) === 74
}

/** Three parts when the header says how the token is signed, five when it says how it is encrypted. */
function readHeader(text: string): { readonly parts: number; readonly isBroken: boolean } | undefined {
  const decoded = Buffer.from(text, 'base64url').toString('utf8')
  try {
    const header: unknown = JSON.parse(decoded)
    if (typeof header !== 'object' || header === null) return undefined
    if ('enc' in header) return { parts: 5, isBroken: false }
    return 'alg' in header ? { parts: 3, isBroken: false } : undefined
  } catch {
    // Changed or cut by whoever printed it: what is left may still be secret.
    return joseParameter.test(decoded) ? { parts: 3, isBroken: true } : undefined
  }
}

const base64 = characterClass('A-Za-z0-9+/=_-')
const wrappedHeaderMin = 24

/** The beginning of a header (IANA, JSON Object Signing and Encryption: header parameters), which may be cut. */
const joseParameter =
  /^\{\s*"(?:alg|apu|apv|aud|b64|crit|cty|enc|epk|iss|iv|jku|jwk|key_ops|kid|kty|nonce|p2c|p2s|ppt|sub|svt|tag|typ|url|use|ver|version|x5c|x5t|x5t#S256|x5u|zip)"/

/** A token whose text has been encoded once more, as secrets of Kubernetes are. */
export const jwtInBase64: Detector = {
  entity,
  group,
  // eyJ in base64
  triggers: ['ZXlK'],
  find(probe, start) {
    if (!probe.text.startsWith('ZXlK', start) || !startsWord(probe, start)) return
    const previous = probe.before(start)
    if (previous === 45 || previous === 43 || previous === 47) return
    const end = probe.runEnd(start, base64, jwtLengthMax)
    if (end - start < wrappedHeaderMin) return
    const text = Buffer.from(probe.text.slice(start, Math.min(end, start + headerLengthMax)), 'base64').toString(
      'latin1',
    )
    const [header = ''] = text.split('.', 1)
    if (!joseParameter.test(Buffer.from(header, 'base64url').toString('latin1'))) return
    probe.accept(jwtInBase64, start, end, true)
  },
}
