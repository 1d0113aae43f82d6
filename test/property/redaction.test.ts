// Redacting is complete: what was found is gone, what was not is untouched, and a second pass finds nothing of it.
import t from 'tap'
import { array, assert, constantFrom, property, string } from 'fast-check'
import { replace } from '../../proxy/detect/replace.ts'
import { openVault } from '../../proxy/detect/vault.ts'
import { planOf } from '../support/plan-of.ts'

const asked = { direction: 'request' } as const
const values = [
  'ada@example.org',
  '378-07-9520',
  '4111 1111 1111 1111',
  '+44 20 7946 0958',
  '10.1.2.3',
  'GB82WEST12345698765432',
]
const words = string({ unit: constantFrom('a', 'b', ' ', '.', '\n', 'é', '"', '<', '{', '電'), maxLength: 12 })
const texts = array(constantFrom(...values, '{', ' | '), { maxLength: 8 }).chain((parts) =>
  array(words, { minLength: parts.length, maxLength: parts.length }).map((between) =>
    parts.map((part, i) => `${part} ${between[i] ?? ''} `).join(''),
  ),
)

void t.test('findings are in order, inside the text, and do not overlap', async () => {
  const { scanner } = planOf('mask', undefined, asked)
  assert(
    property(texts, (text) => {
      let last = 0
      return scanner.scan(text).every(({ start, end }) => {
        const isAfter = start >= last && end > start && end <= text.length
        last = end
        return isAfter
      })
    }),
  )
})

void t.test('every value is gone, and the text between is as it was', async () => {
  for (const action of ['mask', 'token', 'hash', 'remove'] as const) {
    const plan = planOf(action, undefined, asked)
    assert(
      property(texts, (text) => {
        const findings = plan.scanner.scan(text)
        const result = replace(text, findings, plan, openVault(Buffer.alloc(32, 3), 'p'))
        const between = findings.map((f, i) => text.slice(findings[i - 1]?.end ?? 0, f.start))
        const kept = between.every((part) => result.text.includes(part))
        const counted = Object.values(result.counts).reduce((sum, n) => sum + n, 0)
        return kept && counted === findings.length && values.every((value) => !result.text.includes(value))
      }),
    )
  }
})

void t.test('what was put in place of values is not found again', async () => {
  for (const action of ['mask', 'token', 'hash'] as const) {
    const plan = planOf(action, undefined, asked)
    assert(
      property(texts, (text) => {
        const result = replace(text, plan.scanner.scan(text), plan, openVault(Buffer.alloc(32, 3), 'p'))
        return plan.scanner.scan(result.text).length === 0
      }),
    )
  }
})
