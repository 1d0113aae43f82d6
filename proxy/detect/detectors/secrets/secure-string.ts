// Owns passwords in PowerShell scripts: `ConvertTo-SecureString "…" -AsPlainText -Force` (Microsoft.PowerShell.Security).
import type { Detector } from '../../detector.ts'
import type { Probe } from '../../probe.ts'
import { isPassword } from './secret-value.ts'

const command = 'convertto-'
/** Parameters that may stand before the value, and the value's quote. */
const opening = /^(?:\s{1,4}-(?:string|asplaintext|force)){0,3}\s{1,4}\\?["']/i
const openingLengthMax = 48
const valueLengthMin = 4
const valueLengthMax = 128
const backslash = 92

export const secureString: Detector = {
  entity: 'command-password',
  group: 'secrets',
  triggers: ['securestring'],
  find(probe, nameStart, nameEnd) {
    const from = nameStart - command.length
    if (from < 0 || probe.text.slice(from, nameStart).toLowerCase() !== command) return
    const found = opening.exec(lineFrom(probe, nameEnd, openingLengthMax))
    if (found === null) return
    const start = nameEnd + found[0].length
    const end = endOfQuoted(probe, start, probe.before(start))
    if (end < start + valueLengthMin) return
    if (isPassword(probe.text.slice(start, end), { isQuoted: true, isEnvironment: false }))
      probe.accept(secureString, start, end, false)
  },
}

function lineFrom(probe: Probe, from: number, lengthMax: number): string {
  let end = from
  while (end < from + lengthMax && probe.code(end) > 31) end++
  return probe.text.slice(from, end)
}

/** -1 where the line ends before. */
function endOfQuoted(probe: Probe, start: number, quote: number): number {
  for (let end = start; end < start + valueLengthMax; end++) {
    const code = probe.code(end)
    if (code === quote) return probe.before(end) === backslash ? end - 1 : end
    if (code < 32) return -1
  }
  return -1
}
