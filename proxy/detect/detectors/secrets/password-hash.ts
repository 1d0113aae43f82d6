// Owns hashes of passwords as crypt(5), htpasswd, LDAP and frameworks write them: they can be guessed at leisure. And the
// private parts of keys in formats without armour.
import { foreseenLength } from '../../candidate.ts'
import { characterClass, holds } from '../../characters.ts'
import type { Detector } from '../../detector.ts'
import { acceptLongTo, longLengthMax, longRun } from '../../long-run.ts'
import { hexAnyCase, prefixed, type Row } from './formats.ts'

const crypt = './A-Za-z0-9'

const rows: readonly Row[] = [
  ['password-hash', '$2a$ $2b$ $2y$ $2x$', `$${crypt}`, [56, 56], 'crypt(5): bcrypt', /^\d\d\$[./\dA-Za-z]{53}$/],
  ['password-hash', '$1$ $apr1$', `$${crypt}`, [24, 31], 'crypt(5): md5crypt', /^[./\dA-Za-z]{1,8}\$[./\dA-Za-z]{22}$/],
  ['password-hash', '$5$', `$=${crypt}`, [45, 80], 'crypt(5): sha256crypt', /\$[./\dA-Za-z]{43}$/],
  ['password-hash', '$6$', `$=${crypt}`, [88, 124], 'crypt(5): sha512crypt', /\$[./\dA-Za-z]{86}$/],
  ['password-hash', '$y$ $gy$ $7$', `$${crypt}`, [50, 140], 'crypt(5): yescrypt, scrypt', /\$[./\dA-Za-z]{43}$/],
  [
    'password-hash',
    '$argon2id$ $argon2i$ $argon2d$',
    '$=,A-Za-z0-9+/',
    [40, 200],
    'RFC 9106, PHC string format',
    /\$[\dA-Za-z+/]+$/,
  ],
  ['password-hash', '$8$ $9$', `$${crypt}`, [58, 58], 'Cisco IOS, Type 8 and 9 secrets', /^.{14}\$.{43}$/],
  ['password-hash', '$P$ $H$', crypt, [31, 31], 'phpass, Portable hashes'],
  ['password-hash', '$S$', crypt, [52, 52], 'Drupal, Password hashing'],
  ['password-hash', '{SSHA} {SHA} {SSHA256} {SSHA512} {SMD5}', 'A-Za-z0-9+/=', [24, 160], 'OpenLDAP, userPassword'],
  [
    'password-hash',
    'pbkdf2_sha256$ pbkdf2_sha1$',
    '$A-Za-z0-9+/=',
    [40, 120],
    'Django, Password management',
    /^[^$]*\$[^$]*\$/,
  ],
  [
    'password-hash',
    '$krb5asrep$ $krb5tgs$',
    '$A-Za-z0-9@.:*_/-',
    [80, 4000],
    'RFC 4120: AS-REP, TGS-REP',
    { source: '[0-9A-Fa-f]{64}', test: hasLongHex },
  ],
]

const hexadecimals = characterClass(hexAnyCase)
const longHexLength = 64

/** Every one of that length has one of these places; prefixes that follow one another have little else looked at. */
function hasLongHex(text: string): boolean {
  for (let at = longHexLength - 1; at < text.length; at += longHexLength) {
    let start = at
    while (start >= 0 && holds(hexadecimals, text.charCodeAt(start))) start--
    let end = at + 1
    while (end < text.length && holds(hexadecimals, text.charCodeAt(end))) end++
    if (end - start > longHexLength) return true
  }
  return false
}

const digits = characterClass('0-9')
const lineBreak = characterClass('\r\n')
const lines = characterClass('A-Za-z0-9+/=\r\n')
const keyInLines = longRun(lines, foreseenLength, true)

/** PuTTY, User manual, appendix C: the lines after `Private-Lines`. */
const puttyKey: Detector = {
  entity: 'private-key',
  group: 'secrets',
  triggers: ['private-lines: '],
  find(probe, _start, end) {
    const start = probe.runEnd(end, digits, 4)
    if (start === end) return
    const breakEnd = probe.runEnd(start, lineBreak, 2)
    const bodyEnd = probe.runEnd(breakEnd, lines, longLengthMax)
    if (!/^\r?\n[A-Za-z0-9+/]{32}/.test(probe.text.slice(start, breakEnd + 32))) return
    // The next field's name was read as if it were base64.
    const last = probe.text.lastIndexOf('\n', bodyEnd - 1)
    const isCut = last <= breakEnd || bodyEnd === breakEnd + longLengthMax
    acceptLongTo(probe, puttyKey, breakEnd, isCut ? bodyEnd : last, keyInLines)
  },
}

export const passwordHashes: readonly Detector[] = [...prefixed(rows), puttyKey]
