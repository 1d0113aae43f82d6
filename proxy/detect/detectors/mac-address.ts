// Owns hardware addresses (IEEE 802, EUI-48): pairs with colons or dashes; beside the word also fours with dots, and
// digits alone.
import { endsWord, startsValue, startsWord } from '../boundary.ts'
import { characterClass, holds, runStart } from '../characters.ts'
import type { Detector } from '../detector.ts'
import type { Probe } from '../probe.ts'

const group = 'pii'
const entity = 'mac-address'
const hexadecimals = characterClass('0-9A-Fa-f')
const pairs = 6
const colon = 58

export const macAddress: Detector = {
  entity,
  group,
  triggers: [':', '-'],
  next: hexadecimals,
  // Most dashes and colons with digits around are of times, dates and other codes.
  recursAfter: 3,
  find(probe, at) {
    const start = at - 2
    if (start < 0 || !isPairBefore(probe.text, at)) return
    const separator = probe.text.charCodeAt(at)
    // Dashes in an identifier are a time's: `backup_24-01-15-10-20-30`.
    if (separator === colon ? !startsValue(probe, start) : !startsWord(probe, start)) return
    const previous = probe.before(start)
    if (previous === separator && holds(hexadecimals, probe.before(start - 1))) return
    probe.startsAt(start)
    for (let pair = 1; pair < pairs; pair++) {
      const next = start + pair * 3
      if (probe.code(next - 1) !== separator || !isPair(probe, next)) return
    }
    const end = start + pairs * 3 - 1
    const next = probe.code(end)
    if (!endsWord(probe, end) || (next === separator && holds(hexadecimals, probe.code(end + 1)))) return
    if (isAssigned(probe.text.slice(start, end))) probe.accept(macAddress, start, end, true)
  },
  tailStart: hexadecimalsAtEnd,
}

function isPairBefore(text: string, at: number): boolean {
  return holds(hexadecimals, text.charCodeAt(at - 1)) && holds(hexadecimals, text.charCodeAt(at - 2))
}

function isPair(probe: Probe, start: number): boolean {
  return holds(hexadecimals, probe.code(start)) && holds(hexadecimals, probe.code(start + 1))
}

/** Not the broadcast address, nor the one of nobody. */
function isAssigned(address: string): boolean {
  return /[1-9a-e]/i.test(address) || /f.*0|0.*f/i.test(address)
}

function hexadecimalsAtEnd(units: Uint16Array, end: number): number {
  return runStart(units, end, 2, hexadecimals)
}

const value = '[\\da-f]{4}\\.[\\da-f]{4}\\.[\\da-f]{4}|[\\da-f]{12}'
const behindWord = new RegExp(`^(?:[ _-]?addr(?:ess)?)?["']?(?: is|:| ?=)?\\s?["']?(${value})(?!\\.?\\w)`, 'i')
const reach = 36

/** As Cisco writes them, or without any sign: by themselves they may be parts of anything. */
export const labelledMacAddress: Detector = {
  entity,
  group,
  triggers: ['mac'],
  find(probe, start, end) {
    if (!startsWord(probe, start)) return
    let limit = end
    while (limit < end + reach && probe.code(limit) > 31) limit++
    const match = behindWord.exec(probe.text.slice(end, limit))
    if (match === null) return
    const valueEnd = end + match[0].length
    probe.accept(labelledMacAddress, valueEnd - (match[1]?.length ?? 0), valueEnd, true)
  },
}
