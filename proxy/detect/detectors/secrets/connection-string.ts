// Owns logins that are written as pairs: in connection strings of ADO, ODBC, JDBC, libpq and Azure (`User Id=…;Password=…`;
// Microsoft, Connection string syntax; Azure Storage, Connection strings; PostgreSQL, Connection strings), and in netrc. The
// finding reaches from the name to the end of the secret, so that neither is left.
import { characterClass } from '../../characters.ts'
import { startsWord } from '../../boundary.ts'
import type { Detector } from '../../detector.ts'
import { isReference } from '../../filler.ts'
import type { Probe } from '../../probe.ts'

const names = [
  'user id',
  'userid',
  'user_id',
  'uid',
  'username',
  'user',
  'accountname',
  'sharedaccesskeyname',
  'endpoint',
]
const secrets = new Set(['password', 'passwd', 'pwd', 'secret', 'accountkey', 'sharedaccesskey'])
const space = characterClass(' ')
const delimiters = characterClass(' ;:&"\n')
const keyCharacters = characterClass('A-Za-z0-9_ ')
/** Without `=` but at the end: what looks like the next pair is no value. */
const valueCharacters = characterClass('!#-&(-:>-~')
const padding = characterClass('=')
const lengthMax = 128
/** The secret follows the name with at most so many pairs between. */
const pairsMax = 4

export const connectionString: Detector = {
  entity: 'connection-string',
  group: 'secrets',
  triggers: names,
  find(probe, start, end) {
    const equals = probe.runEnd(end, space, 1)
    if (probe.code(equals) !== 61 || !startsWord(probe, start)) return
    const nameStart = probe.runEnd(equals + 1, space, 1)
    let index = probe.runEnd(nameStart, valueCharacters, lengthMax)
    if (index === nameStart) return
    for (let pair = 0; pair < pairsMax; pair++) {
      const keyStart = probe.runEnd(index, delimiters, 8)
      const keyEnd = probe.runEnd(keyStart, keyCharacters, 32)
      if (keyStart === index || probe.code(keyEnd) !== 61) return
      const valueStart = probe.runEnd(keyEnd + 1, space, 1)
      index = probe.runEnd(probe.runEnd(valueStart, valueCharacters, lengthMax), padding, 2)
      if (!secrets.has(probe.text.slice(keyStart, keyEnd).trim().toLowerCase())) continue
      if (isSecret(probe.text.slice(valueStart, index))) probe.accept(connectionString, nameStart, index, false)
      return
    }
  },
}

function isSecret(value: string): boolean {
  return value.length > 2 && !isReference(value) && !/^[*#x.]+$|[)]$/i.test(value)
}

const hostCharacters = characterClass('A-Za-z0-9.:_-')
const whiteSpace = characterClass(' \t\r\n')
const words = characterClass('!-~')

/** curl, manual: .netrc */
export const netrcPassword: Detector = {
  entity: 'netrc-password',
  group: 'secrets',
  triggers: ['machine '],
  find(probe, start, end) {
    if (!startsWord(probe, start)) return
    const login = wordAfter(probe, probe.runEnd(end, hostCharacters, 80), 'login')
    if (login === -1) return
    const password = wordAfter(probe, probe.runEnd(login, words, 80), 'password')
    if (password === -1) return
    const passwordEnd = probe.runEnd(password, words, 128)
    if (isSecret(probe.text.slice(password, passwordEnd))) probe.accept(netrcPassword, login, passwordEnd, true)
  },
}

/** Where the word after `name` begins; -1 when `name` is not what comes next. */
function wordAfter(probe: Probe, from: number, name: string): number {
  const start = probe.runEnd(from, whiteSpace, 16)
  for (let i = 0; i < name.length; i++) if (probe.code(start + i) !== name.charCodeAt(i)) return -1
  return probe.runEnd(start + name.length, whiteSpace, 4)
}
