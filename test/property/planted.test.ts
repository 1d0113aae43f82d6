// Ten thousand texts with values of every default entity somewhere in them, written plainly or in a disguise: whatever
// stands around a value, nothing of it survives, whole or streamed.
import t from 'tap'
import { compileRedaction } from '../../proxy/detect/redaction.ts'
import { entitiesOf } from '../../proxy/detect/entities.ts'
import { replace } from '../../proxy/detect/replace.ts'
import { openWindow } from '../../proxy/detect/window.ts'
import { disguises } from '../support/disguises.ts'
import { Dice, plantedEntities, plantedValue } from '../support/planted-values.ts'

const { redaction } = compileRedaction(
  [{ id: 'r', direction: 'response', detect: ['pii', 'secrets'], action: 'mask' }],
  [],
)
const plan = redaction?.plan('response', 'u', 'r')
if (plan === undefined) throw new Error('no plan')
const { scanner } = plan

// prettier-ignore
const words = ['the', 'invoice', 'was', 'sent', 'to', 'our', 'office', 'é', 'на', '電話', '😀', '{"a": [', '<b>', '100%', 'R&D', '\\n', 'ok.']
const before = [' ', ' ', ' _', ' **__', '\n', ' (', ' "', ' <', ': ', '\t', "'", ' 😀 ', ', ', '| ']
const behind = [' ', ' ', '_ ', '__** ', '\n', ') ', '" ', '> ', ', ', '\t', "'", '; ', '. ']
const spellings = Object.entries(disguises)

void t.test('nothing of a planted value survives', async (t) => {
  const dice = new Dice(Number(process.env['SEED'] ?? 11))
  const runs = Number(process.env['RUNS'] ?? 10_000)
  let failures = 0
  for (let run = 0; run < runs && failures < 20; run++) {
    const prose = (): string => Array.from({ length: dice.below(9) }, () => dice.pick(words)).join(' ')
    const planted = plantedValue(dice)
    const isNumber = !/[A-Za-z]{2}/.test(planted.value)
    const [name, write] = dice.pick(isNumber ? spellings : spellings.filter(([one]) => !one.endsWith('digits')))
    const written = write(planted.value)
    // There an underscore is a digit.
    const after = name === 'base64url' ? behind.filter((one) => !one.startsWith('_')) : behind
    const head = `${prose()}${dice.pick(before)}${planted.before}`
    const text = `${head}${written}${planted.behind}${dice.pick(after)}${prose()}`
    const findings = scanner.scan(text)
    const end = head.length + written.length
    let covered = head.length
    for (const finding of findings) if (finding.start <= covered && finding.end > covered) covered = finding.end
    if (covered < end) {
      failures++
      t.fail(`${planted.entity}, ${name}: ${JSON.stringify(text)} up to ${covered} of ${head.length}–${end}`)
    }
    // Streams take longer; windows have properties of their own.
    if (run % 5 > 0) continue
    const expected = replace(text, findings, plan, undefined).text
    const window = openWindow({ plan })
    const step = 1 + dice.below(40)
    let streamed = ''
    for (let at = 0; at < text.length; at += step) streamed += window.push(text.slice(at, at + step))
    if (streamed + window.end() !== expected) {
      failures++
      t.fail(`${planted.entity}, ${name} in pieces of ${step}: ${JSON.stringify(text)}`)
    }
  }
  t.equal(failures, 0)
})

void t.test('every entity of the group of personal data is planted', async (t) => {
  for (const entity of entitiesOf(['pii'])) t.ok(plantedEntities.has(entity), entity)
})
