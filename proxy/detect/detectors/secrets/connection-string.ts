// Owns logins in connection strings of ADO, ODBC, JDBC and libpq: `User Id=…;Password=…` (Microsoft, Connection string
// syntax; PostgreSQL, Connection strings). The finding reaches from the user name to the end of the password. It owns netrc
// lines too.
import { characterClass } from '../../characters.ts'
import { startsWord } from '../../boundary.ts'
import type { Detector } from '../../detector.ts'
import { isReference } from '../../filler.ts'
import type { Probe } from '../../probe.ts'

const assigning = characterClass(' =')
const userCharacters = characterClass('!#-:<-~')
const between = characterClass(' -~')
const readLengthMax = 160
const pair = /^[ ]?= ?([^;"'\s]{1,64})(?:;| & "| )[^\n]{0,64}?\b(?:password|passwd|pwd) ?= ?([^;"'\s<>,]{3,80})/i

export const connectionString: Detector = {
  entity: 'connection-string',
  group: 'secrets',
  triggers: ['user id', 'userid', 'user_id', 'uid', 'username', 'user'],
  find(probe, start, end) {
    const next = probe.code(end)
    if ((next !== 61 && next !== 32) || (next === 32 && probe.code(end + 1) !== 61) || !startsWord(probe, start)) return
    const userEnd = probe.runEnd(probe.runEnd(end, assigning, 3), userCharacters, 64)
    const delimiter = probe.code(userEnd)
    if (delimiter !== 59 && delimiter !== 34 && delimiter !== 32) return
    const window = probe.text.slice(end, probe.runEnd(end, between, readLengthMax))
    const match = pair.exec(window)
    const [, user, password] = match ?? []
    if (match === null || user === undefined || password === undefined) return
    if (isReference(password) || /^[*#x.]+$|[)]$/i.test(password)) return
    const userStart = end + window.indexOf(user)
    probe.accept(connectionString, userStart, end + match[0].length, false)
  },
}

const netrcLine = /^[^\s]{3,80}\s{1,16}login\s{1,4}([^\s]{1,64})\s{1,16}password\s{1,4}([^\s]{3,128})/
const netrcCharacters = characterClass(' -~\n\r\t')

/** curl, manual: .netrc */
export const netrcPassword: Detector = {
  entity: 'netrc-password',
  group: 'secrets',
  triggers: ['machine '],
  find(probe, start, end) {
    if (!startsWord(probe, start)) return
    const windowEnd = netrcEnd(probe, end)
    const userEnd = probe.runEnd(probe.runEnd(end, assigning, 3), userCharacters, 64)
    const delimiter = probe.code(userEnd)
    if (delimiter !== 59 && delimiter !== 34 && delimiter !== 32) return
    const window = probe.text.slice(end, windowEnd)
    const match = netrcLine.exec(window)
    const [, user, password] = match ?? []
    if (match === null || user === undefined || password === undefined || isReference(password)) return
    const userStart = end + window.indexOf(user, window.indexOf('login') + 5)
    probe.accept(netrcPassword, userStart, end + match[0].length, true)
  },
}

/** Reads on only while `host login` stands there. */
function netrcEnd(probe: Probe, from: number): number {
  const word = probe.runEnd(from, characterClassOfHost, 80)
  const login = probe.runEnd(word, space, 16)
  for (let i = 0; i < 5; i++) if (probe.code(login + i) !== 'login'.charCodeAt(i)) return login
  return probe.runEnd(login, netrcCharacters, 240)
}

const characterClassOfHost = characterClass('A-Za-z0-9.:_-')
const space = characterClass(' \t\r\n')
