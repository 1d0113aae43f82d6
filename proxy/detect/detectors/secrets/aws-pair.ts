// Owns the secret half of AWS's access keys where no name stands before it, but the other half does: in the file that the
// console gives out (`AKIA…,…`), in what `aws configure` asks for, in tables, and in calls of code (AWS IAM, Access keys).
import { endsWord } from '../../boundary.ts'
import { contextBefore } from '../../candidate.ts'
import { characterClass, holds } from '../../characters.ts'
import type { Detector } from '../../detector.ts'
import { isFiller } from '../../filler.ts'
import { mixed } from './formats.ts'

const idRest = characterClass('A-Z0-9')
const idRestLength = 16
const secret = characterClass('A-Za-z0-9/+')
const secretLength = 40
const padding = 61

export const awsSecretBesideId: Detector = {
  entity: 'aws-secret-access-key',
  group: 'secrets',
  triggers: ['AKIA', 'ASIA'],
  isCaseSensitive: true,
  isAtValueStart: true,
  next: idRest,
  find(probe, start, end) {
    const idEnd = probe.runEnd(end, idRest, idRestLength + 1)
    if (idEnd - end !== idRestLength || !endsWord(probe, idEnd)) return
    if (probe.text.startsWith('EXAMPLE', idEnd - 7)) return
    probe.findsFrom(idEnd)
    // The first that is as long as one. A stream no longer has the other half before what stands further off.
    let at = idEnd
    while (at < start + contextBefore) {
      const code = probe.code(at)
      if (code === -1) return
      const runEnd = holds(secret, code) ? probe.runEnd(at, secret, contextBefore) : at + 1
      if (runEnd - at !== secretLength || probe.code(runEnd) === padding || !endsWord(probe, runEnd)) {
        at = runEnd
        continue
      }
      const value = probe.text.slice(at, runEnd)
      if (mixed.test(value) && !isFiller(value) && !value.endsWith('EXAMPLEKEY'))
        probe.accept(awsSecretBesideId, at, runEnd, true)
      return
    }
  },
}
