// Owns user names with passwords in URLs (RFC 3986 section 3.2.1), connection strings of databases and queues among them.
// The finding is what stands before the @, so that the URL stays one. A user name alone is no secret.
import { characterClass } from '../../characters.ts'
import type { Detector } from '../../detector.ts'
import { isReference } from '../../filler.ts'
import type { Probe } from '../../probe.ts'

const lengthMax = 256
/** More than the standard allows: people do not encode their passwords. */
const characters = characterClass('A-Za-z0-9._~!$&()*+,;=:@%^|#{}[]-', (code) => code > 0xa0 && code < 0xd800)
const hostStart = /^(?:[A-Za-z0-9._-]|%2F|\[)/i

export const urlCredentials: Detector = {
  entity: 'url-credentials',
  group: 'secrets',
  triggers: ['://', ':\\/\\/'],
  find(probe, _start, end) {
    const runEnd = probe.runEnd(end, characters, lengthMax)
    const run = probe.text.slice(end, runEnd)
    const at = run.lastIndexOf('@')
    const colon = run.indexOf(':')
    if (colon < 0 || at < colon + 2 || !isHost(probe, end + at + 1)) return
    const password = run.slice(colon + 1, at)
    if (/^[*.x]+$/i.test(password) || isPlaceholder(password)) return
    probe.accept(urlCredentials, end, end + at, false)
  },
}

function isHost(probe: Probe, index: number): boolean {
  probe.code(index)
  return hostStart.test(probe.text.slice(index, index + 3))
}

function isPlaceholder(password: string): boolean {
  return /^[[{<$%(]/.test(password) || (isReference(password) && !/\d/.test(password))
}
