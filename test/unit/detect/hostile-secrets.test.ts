// Texts made of nothing but what wakes detectors of secrets: the units that are read stay in proportion to the text.
import t from 'tap'
import { startsValue, startsWord } from '../../../proxy/detect/boundary.ts'
import { detectors } from '../../../proxy/detect/detectors.ts'
import type { Detector } from '../../../proxy/detect/detector.ts'
import type { Probe } from '../../../proxy/detect/probe.ts'
import { CountingProbe } from './counting-probe.ts'

const secrets = detectors.filter((detector) => detector.group === 'secrets')
const length = 20_000
/** A name, an assignment and a value are read at every label, some labels wake several detectors. */
const readsPerUnitMax = 48

// prettier-ignore
const pieces = [
  'key=', 'key', 'sk-', 'a', '://', '://a:@', 'pass="', "key='", 'token: ', 'user=', 'user=a;', 'password=user=ab;',
  'authorization: bearer ', ' -u a:b1c2d3', 'eyJ-', 'ZXlK-', 'LS0tLS1CRUdJTi/', 'AZDO', `${'a'.repeat(76)}AZDO`, 'aaa8Q~',
  'datadog ', 'heroku=', 'twitter: ', '1234567890123456|', `${'0a'.repeat(16)}-us`, '$2a$', 'private-lines: 1\n',
  'ops_eyJ-', 'machine a login b ', 'basic QUFB', 'sl.-', '-EAA', '.pk.-', 'PASSWORD_SECRET_TOKEN_KEY_', '.glpat-', '-shpat_',
  '123456789:AA', 'identified by ', 'a-b.apps.googleusercontent.com', '"""', 'is is is ', 'value="', '-----BEGIN ',
  '=ZXlK', '=LS0tLS1CRUdJTi', '$6$', '$krb5asrep$', 'pbkdf2_sha256$', '+ASt', 'pat.', 'eyJhbGciO.,',
  '-----BEGIN PRIVATE KEY-----AAAAAAAAAAAAAAAA&', 'eyJ_', 'ZXlK_', 'sk-ant-_', 'ops_eyJ_', '_sl.', 'x_github_pat_', '_ops_eyJ/', '________',
  '________AIza', 'whsec_/',
]

void t.test('reads stay in proportion', async (t) => {
  for (const piece of pieces) {
    const text = piece.repeat(Math.ceil(length / piece.length))
    const probe = new CountingProbe()
    probe.open(text, true)
    for (const detector of secrets) wake(detector, probe, text.toLowerCase())
    const { reads } = probe
    t.ok(reads < readsPerUnitMax * text.length, `${piece}: ${(reads / text.length).toFixed(1)} reads a unit`)
  }
})

function wake(detector: Detector, probe: Probe, lowerCase: string): void {
  for (const trigger of new Set(detector.triggers?.map((literal) => literal.toLowerCase()))) {
    for (let at = lowerCase.indexOf(trigger); at >= 0; at = lowerCase.indexOf(trigger, at + 1)) {
      if (!isWoken(detector, probe, at, trigger)) continue
      probe.arm(at)
      detector.find(probe, at, at + trigger.length)
      probe.settle()
    }
  }
}

/** As the pass has it, which does not ask otherwise. */
function isWoken(
  { isCaseSensitive, isAtWordStart, isAtValueStart, triggers }: Detector,
  probe: Probe,
  at: number,
  trigger: string,
): boolean {
  const written = probe.text.slice(at, at + trigger.length)
  if (isCaseSensitive === true && triggers?.includes(written) !== true) return false
  if (isAtValueStart === true) return startsValue(probe, at)
  return isAtWordStart !== true || startsWord(probe, at)
}
