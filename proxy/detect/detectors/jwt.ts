// Owns JSON Web Tokens in compact form (RFC 7519, 7515, 7516), known by a header that decodes to JSON with an algorithm,
// and once they are long by that alone: a stream cannot wait for their last part.
import { contextBefore, foreseenLength } from '../candidate.ts'
import { characterClass, holds, type CharacterClass } from '../characters.ts'
import type { Detector } from '../detector.ts'
import { startsValue, startsWord } from '../boundary.ts'
import { acceptLongTo, isPadded, longLengthMax, longRun, type LongRun } from '../long-run.ts'
import type { Probe } from '../probe.ts'
import { decodedHeader, joseParameter, partsOfSigned, readJoseHeader } from './jose-header.ts'

const group = 'secrets'
const entity = 'jwt'
const base64url = characterClass('A-Za-z0-9_-')
/** A header that is longer is known by its beginning. */
const headerLengthMax = 330
/** With the first character of what follows it, whether it is a header at all can wait no longer. */
const longHeader = 250
const soon = tokenRun(base64url, foreseenLength)
const late = tokenRun(base64url, headerLengthMax + 10)

export const jwt: Detector = {
  entity,
  group,
  // {" in base64url
  triggers: ['eyJ'],
  find(probe, start) {
    if (!probe.text.startsWith('eyJ', start) || !startsValue(probe, start) || probe.before(start) === 46) return
    if (isRead(probe, start)) return
    const headerEnd = probe.runEnd(start, base64url, headerLengthMax)
    if (headerEnd - start === headerLengthMax) {
      if (namesAlgorithm.test(decodedHeader(probe.text.slice(start, headerEnd))))
        acceptParts(probe, start, undefined, late)
      return
    }
    if (probe.code(headerEnd) !== 46) return
    const header = readJoseHeader(probe.text.slice(start, headerEnd))
    if (header === undefined || (header.isBroken && !isObject(probe, headerEnd + 1))) return
    acceptParts(probe, start, header.parts, headerEnd - start < longHeader ? soon : late)
  },
}

/** Of a long header the beginning: it says how the token is signed or encrypted, that it is one, or whose key it is. */
const namesAlgorithm = /^\{(?=\s*")(?:[^]*"(?:alg|enc)"\s*:\s*"|[^]*"typ"\s*:\s*"[\w+-]*JWT"|\s*"x5c"\s*:\s*\[\s*"MI)/

/** `parts`: how many there are, where the header has been read. A long token may be cut. */
function acceptParts(probe: Probe, start: number, parts: number | undefined, run: LongRun): void {
  const limit = start + longLengthMax
  let end = probe.runEnd(start, base64url, longLengthMax)
  const most = parts ?? readJoseHeader(probe.text.slice(start, end))?.parts ?? partsOfSigned
  let part = 1
  for (; part < most && end < limit && probe.code(end) === 46; part++)
    end = probe.runEnd(end + 1, base64url, limit - end - 1)
  if (part === most || end - start >= run.after) acceptLongTo(probe, jwt, start, end, run)
}

/** Each run is read and decoded once, from its first `eyJ`; otherwise `-eyJ-eyJ…` and `_eyJ_eyJ…` would cost a header at every one. */
function isRead(probe: Probe, start: number): boolean {
  const previous = probe.before(start)
  if (previous !== 45 && previous !== 95) return false
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

const base64 = characterClass('A-Za-z0-9+/=_-')
const wrappedHeaderMin = 24
/** Nothing that short is padded. */
const wrappedUnpaddedMin = 20
const runInBase64 = tokenRun(base64, foreseenLength)

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
    const headEnd = probe.runEnd(start, base64, foreseenLength)
    if (headEnd - start < wrappedHeaderMin || isPadded(probe.text, start, start + wrappedUnpaddedMin)) return
    const text = Buffer.from(probe.text.slice(start, headEnd), 'base64').toString('latin1')
    const [header = ''] = text.split('.', 1)
    if (!joseParameter.test(decodedHeader(header))) return
    acceptLongTo(probe, jwtInBase64, start, probe.runEnd(start, base64, longLengthMax), runInBase64)
  },
}

/** Said of a value that has a name or a header, too, so that it need not be known whether that says anything of it. */
export function mayBeToken(probe: Probe, start: number): boolean {
  return probe.text.startsWith('eyJ', start) || probe.text.startsWith('ZXlK', start)
}

function tokenRun(characters: CharacterClass, after: number): LongRun {
  return { ...longRun(characters, after, true), isFirst: true }
}
