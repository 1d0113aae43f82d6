// Owns credentials of HTTP as they are written in headers (RFC 9110 section 11.6.2, RFC 7617, RFC 6750), kept for registries
// (Docker, config.json: `auth`; npm, npmrc: `_auth`), and given to curl.
import { contextBefore } from '../../candidate.ts'
import { characterClass } from '../../characters.ts'
import { readAssignment } from '../../assignment.ts'
import { startsWord } from '../../boundary.ts'
import type { Detector } from '../../detector.ts'
import { isFiller, isFillerWithin, isReference, isReferenceWithin } from '../../filler.ts'
import { isWordUnit } from '../../key-shapes.ts'
import { acceptLong, isInLongRun, longRun, type LongRun } from '../../long-run.ts'
import { pad, sextets } from '../../normalise-digits.ts'
import type { Probe } from '../../probe.ts'
import { mayBeToken } from '../jwt.ts'
import { isPassword, isToken, isTokenWithin } from './secret-value.ts'

const token68 = characterClass('A-Za-z0-9._~+/=-')
const tokenLengthMin = 8
/** So much tells whether a longer one is secret; whether it is a JSON Web Token is known before. */
const long = longRun(token68, 288, false)
const longLikeJwt = longRun(token68, 344, false)
const gap = characterClass(' \t"\'`:=,>\\')
const letters = characterClass('A-Za-z-')
const schemes = new Set([
  'bearer',
  'token',
  'basic',
  'ssws',
  'apikey',
  'digest',
  'negotiate',
  'key',
  'api-token',
  'api-key',
])

/** `Authorization: <scheme> <credentials>`, in a header or as code writes one. */
export const authorizationHeader: Detector = {
  entity: 'authorization-header',
  group: 'secrets',
  triggers: ['authorization', 'bearer ', 'x-api-key', 'x-auth-token'],
  find(probe, labelStart, labelEnd) {
    const isScheme = probe.text.charCodeAt(labelEnd - 1) === 32
    if (isInLongRun(probe, labelStart)) return
    if (isScheme && !startsWord(probe, labelStart)) return
    let start = isScheme ? labelEnd : probe.runEnd(labelEnd, gap, 8)
    if (start === labelEnd && !isScheme) return
    const wordEnd = probe.runEnd(start, letters, 10)
    if (!isScheme && probe.code(wordEnd) === 32 && schemes.has(probe.text.slice(start, wordEnd).toLowerCase()))
      start = wordEnd + 1
    const run = probe.text.startsWith('eyJ', start) ? longLikeJwt : long
    if (mayBeToken(probe, start)) probe.isLaterAt(start)
    else if (!probe.hasTouchedEnd) probe.findsFrom(start)
    const end = probe.runEnd(start, token68, run.after)
    if (end - start < tokenLengthMin) return
    if (end - start === run.after) {
      if (isLongSecret(probe, start, end, isScheme, run)) acceptLong(probe, authorizationHeader, start, start, run)
      return
    }
    const value = probe.text.slice(start, end)
    if (!isToken(probe, start, end) && !isBasic(value) && (isScheme || !isShortToken(value))) return
    if (!isFiller(value)) probe.accept(authorizationHeader, start, end, false)
  },
}

function isLongSecret(probe: Probe, start: number, end: number, isScheme: boolean, { tally }: LongRun): boolean {
  const counts = tally.over(probe, start, end)
  if (isFillerWithin(probe, start, end, counts)) return false
  if (isTokenWithin(probe, start, end, tally) || isBasic(probe.text.slice(start, end))) return true
  // All of the run is of ASCII.
  return (
    !isScheme &&
    counts !== undefined &&
    counts.digits > 0 &&
    counts.letters > 0 &&
    !isReferenceWithin(probe, start, end)
  )
}

/** In a header anything that is not a word of documentation. */
function isShortToken(value: string): boolean {
  return /\d/.test(value) && /[A-Za-z]/.test(value) && !isReference(value)
}

const base64 = characterClass('A-Za-z0-9+/=')
/** Whole groups of four. */
const longBasic = longRun(base64, 288, true)

/** `Basic <base64 of user:password>` */
export const basicAuthorization: Detector = {
  entity: 'authorization-header',
  group: 'secrets',
  triggers: ['basic '],
  find(probe, schemeStart, start) {
    if (!startsWord(probe, schemeStart)) return
    probe.findsFrom(start)
    const end = probe.runEnd(start, base64, longBasic.after)
    if (end - start < 8 || !isBasic(probe.text.slice(start, end))) return
    if (end - start === longBasic.after) acceptLong(probe, basicAuthorization, start, start, longBasic)
    else probe.accept(basicAuthorization, start, end, true)
  },
}

const afterName = characterClass(' "\'\\=:')

/** `"auth": "<base64 of user:password>"` */
export const registryAuth: Detector = {
  entity: 'authorization-header',
  group: 'secrets',
  triggers: ['auth'],
  next: afterName,
  find(probe, nameStart, nameEnd) {
    if (!startsWord(probe, nameStart) && !isOwnName(probe, nameStart)) return
    const start = readAssignment(probe, nameStart, nameEnd)
    if (start < 0) return
    const end = probe.runEnd(start, base64, longBasic.after)
    if (end - start < 8 || !isBasic(probe.text.slice(start, end))) return
    if (end - start === longBasic.after) acceptLong(probe, registryAuth, start, start, longBasic)
    else probe.accept(registryAuth, start, end, true)
  },
}

/** `_auth` */
function isOwnName(probe: Probe, start: number): boolean {
  return probe.before(start) === 95 && !isWordUnit(probe.before(start - 1))
}

function isBasic(value: string): boolean {
  if (value.length % 4 !== 0 || !beginsReadably(value)) return false
  // A registry's password may be a file of JSON in lines (Google, Artifact Registry: `_json_key`).
  return /^[\x20-\x7e]*:[\t\n\r\x20-\x7e]+$/.test(Buffer.from(value, 'base64').toString('latin1'))
}

/** By the first eight digits: most of what says nothing has a byte among theirs that cannot be printed. */
function beginsReadably(value: string): boolean {
  let bits = 0
  for (let at = 0; at < 8; at++) {
    const sextet = sextets[value.charCodeAt(at)] ?? pad
    if (sextet >= pad) return true
    bits = (bits << 6) | sextet
    const phase = at & 3
    const byte = (bits >> (6 - 2 * phase)) & 255
    if (phase > 0 && (byte < 0x20 || byte > 0x7e)) return false
  }
  return true
}

const flagGap = characterClass(' ="\'\\')
const userLengthMax = 96
const userCharacters = characterClass('A-Za-z0-9._%+@\\-')
const passwordCharacters = characterClass('A-Za-z0-9._~!@#$%^&*+=?/-')
const command = /\b(?:curl|wget|https?)\b/

/** `curl -u user:password` */
export const curlCredentials: Detector = {
  entity: 'curl-credentials',
  group: 'secrets',
  triggers: [' -u', ' --user', ' --proxy-user'],
  find(probe, flagStart, flagEnd) {
    const start = probe.runEnd(flagEnd, flagGap, 4)
    const userEnd = probe.runEnd(start, userCharacters, userLengthMax)
    if (probe.code(userEnd) !== 58) return
    const end = probe.runEnd(userEnd + 1, passwordCharacters, 128)
    const password = probe.text.slice(userEnd + 1, end)
    if (!isPassword(password, { isQuoted: true, isEnvironment: false }) || isReference(password)) return
    if (password === probe.text.slice(start, userEnd)) return
    const before = probe.text.slice(Math.max(0, flagStart - contextBefore), flagStart)
    const after = probe.text.slice(end, probe.runEnd(end, printable, 64))
    if (!command.test(after) && !command.test(before)) return
    probe.accept(curlCredentials, start, end, false)
  },
}

const printable = characterClass(' -~\n')
