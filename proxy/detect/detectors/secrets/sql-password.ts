// Owns passwords in SQL: `IDENTIFIED BY` (MySQL, CREATE USER; Oracle, CREATE USER). `PASSWORD '…'` is an assignment as
// others are.
import { characterClass } from '../../characters.ts'
import type { Detector } from '../../detector.ts'
import { isPassword } from './secret-value.ts'

const gap = characterClass(' \t\r\n\\"\'`')
const value = characterClass('!#-&(-:<-[]-_a-~')

export const sqlPassword: Detector = {
  entity: 'sql-password',
  group: 'secrets',
  triggers: ['identified by', 'password by'],
  find(probe, _start, end) {
    const start = probe.runEnd(end, gap, 6)
    const valueEnd = probe.runEnd(start, value, 80)
    if (start === end) return
    const isQuoted = /['"]$/.test(probe.text.slice(end, start))
    if (!isPassword(probe.text.slice(start, valueEnd), { isQuoted, isEnvironment: false })) return
    probe.accept(sqlPassword, start, valueEnd, false)
  },
}
