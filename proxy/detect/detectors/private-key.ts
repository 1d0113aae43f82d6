// Owns private keys in PEM or PGP armour, plain or with escaped line ends (`\n` inside a JSON string). Public keys and
// certificates are not secret. A key without its end marker is found as far as its text goes on.
import type { Block } from '../block.ts'
import { foreseenLength } from '../candidate.ts'
import { characterClass, holds } from '../characters.ts'
import { startsValue } from '../boundary.ts'
import type { Detector } from '../detector.ts'
import { acceptLongTo, areAll, isPadded, longLengthMax, longRun } from '../long-run.ts'
import type { Probe } from '../probe.ts'

const group = 'secrets'
const entity = 'private-key'
const begin = '-----BEGIN '
/** The longest real blocks (16384-bit RSA) are under 13,000 characters. */
export const keyLengthMax = 32_768

const labelCharacters = characterClass('A-Z0-9 ')
const labelLengthMax = 48
/** Base64, line ends in any escaping, header lines of encrypted keys, quotes and joins of source code. */
const bodyCharacters = characterClass('A-Za-z0-9+/=\\\\ \t\r\n"\',.:;()_>*|#-')
const base64 = characterClass('A-Za-z0-9+/=')
/** Comments and times of logs among it. */
const gapCharacters = characterClass(' \t\r\n\\"\'+>|*,#.0-9')
const gapLengthMax = 64
const markerLengthMax = 80
const blankLength = 64
const blank = new RegExp(`\\s{${blankLength}}`)
const headerWord = /^(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset)\b/

export const privateKey: Detector = {
  entity,
  group,
  triggers: [begin],
  find(probe, start, afterBegin) {
    const labelEnd = probe.runEnd(afterBegin, labelCharacters, labelLengthMax)
    if (!/PRIVATE KEY(?: BLOCK)?$/.test(probe.text.slice(afterBegin, labelEnd))) return
    for (let i = labelEnd; i < labelEnd + 5; i++) if (probe.code(i) !== 45) return
    const bodyStart = labelEnd + 5
    if (!hasKeyText(probe, bodyStart)) return
    if (probe.block !== undefined && start < probe.block.end) {
      acceptQuoted(probe, start, probe.block)
      return
    }
    const limit = start + keyLengthMax
    // Bodies that break off soon do not have all that follows searched.
    const runEnd = probe.runEndWithin(bodyStart, bodyCharacters, limit)
    const marker = endMarker(probe.text, bodyStart, runEnd)
    // What follows is not looked at, so that a stream goes on behind the key.
    const reach = blankAfter(
      probe.text,
      bodyStart,
      marker?.start ?? (runEnd === probe.text.length ? limit : Math.min(limit, runEnd + 1)),
    )
    const bodyEnd = probe.runEnd(bodyStart, bodyCharacters, reach - bodyStart)
    if (bodyEnd === limit) {
      probe.acceptToEnd(privateKey, start)
      probe.block = { end: probe.text.length, isOpen: true, isEndless: true }
      return
    }
    const end = marker?.start === bodyEnd ? marker.end : trimmed(probe.text, bodyEnd)
    probe.acceptForeseen(privateKey, start, end, { mayEnd })
    probe.block = { end, isOpen: probe.hasTouchedEnd, isEndless: false }
  },
}

/**
 * A key that begins inside of another ends where that does, which is not looked for again. It counts where the other one
 * does not, since that overlaps a key which begins before. What would be late is left out: to tell takes too long.
 */
function acceptQuoted(probe: Probe, start: number, { end, isOpen, isEndless }: Block): void {
  if (probe.isFar(start, start + foreseenLength)) return
  if (isEndless) {
    probe.acceptToEnd(privateKey, start)
    return
  }
  if (isOpen) probe.touchEnd()
  probe.acceptForeseen(privateKey, start, end, { mayEnd })
}

/** Sixteen characters of base64, or a header line: a sentence about key files has neither. */
function hasKeyText(probe: Probe, from: number): boolean {
  let start = probe.runEnd(from, gapCharacters, gapLengthMax)
  // Escaped line ends: the letter after the backslash.
  while (probe.text[start - 1] === '\\' && /[nrt]/.test(String.fromCharCode(probe.code(start)))) {
    start = probe.runEnd(start + 1, gapCharacters, gapLengthMax)
    if (start > from + gapLengthMax) return false
  }
  const end = probe.runEnd(start, base64, 16)
  if (end - start === 16) return true
  const wordEnd = start + 'Proc-Type:'.length
  for (let i = start; i < wordEnd; i++) if (!holds(bodyCharacters, probe.code(i))) return false
  return headerWord.test(probe.text.slice(start, wordEnd))
}

/** Where `-----END … KEY-----` stands; undefined when there is none within the bounds. */
function endMarker(
  text: string,
  from: number,
  to: number,
): { readonly start: number; readonly end: number } | undefined {
  const match = /-----END [A-Z0-9 ]{0,48}KEY(?: BLOCK)?-----/.exec(text.slice(from, to))
  if (match === null) return undefined
  const start = from + match.index
  return { start, end: start + match[0].length }
}

/** A marker may have begun before. */
function mayEnd(text: string, from: number): boolean {
  if (endMarker(text, Math.max(0, from - markerLengthMax), text.length) !== undefined) return true
  return (
    !areAll(text, from, bodyCharacters) || blankAfter(text, Math.max(0, from - blankLength), text.length) < text.length
  )
}

/** Where so much white space begins that no key goes on behind it, or `to`. */
function blankAfter(text: string, from: number, to: number): number {
  const at = text.slice(from, to).search(blank)
  return at === -1 ? to : from + at
}

function trimmed(text: string, end: number): number {
  let last = end
  while (/\s/.test(text.charAt(last - 1))) last--
  return last
}

const labelInBase64Length = 96
/** `-----BEGIN PRIVATE KEY` */
const labelInBase64Min = 30
const runInBase64 = longRun(base64, foreseenLength, true)

/** A whole PEM text that has been encoded once more, as secrets of Kubernetes are. */
export const privateKeyInBase64: Detector = {
  entity,
  group,
  // -----BEGIN in base64
  triggers: ['LS0tLS1CRUdJTi'],
  find(probe, start) {
    if (!probe.text.startsWith('LS0tLS1CRUdJTi', start) || !startsValue(probe, start)) return
    const previous = probe.before(start)
    if (previous === 43 || previous === 47) return
    // Certificates are told by their beginning, too, so that nobody waits for their end.
    const headEnd = probe.runEnd(start, base64, labelInBase64Length)
    if (headEnd - start < labelInBase64Min || isPadded(probe.text, start, start + labelInBase64Min - 1)) return
    const head = Buffer.from(probe.text.slice(start, headEnd), 'base64').toString('latin1')
    if (!/^-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/.test(head)) return
    acceptLongTo(probe, privateKeyInBase64, start, probe.runEnd(start, base64, longLengthMax), runInBase64)
  },
}
