// Several rules over one text: what one of them only observes, or lets be, is no way past another.
import t from 'tap'
import { replace } from '../../../proxy/detect/replace.ts'
import { openWindow } from '../../../proxy/detect/window.ts'
import { planOfRules } from '../../support/plan-of.ts'

const emails = { detect: ['email'], action: 'mask' } as const
const text = ['curl -u ada@example.org', 's3cretPw9 https://api.example.org and bob@example.org'].join(':')

void t.test('values that are only observed, tagged or allowed hide no other', async (t) => {
  const hidden = replace(text, planOfRules(emails).scanner.scan(text), planOfRules(emails), undefined).text
  t.notMatch(hidden, '@')
  for (const other of [
    { detect: ['secrets'], action: 'mask', mode: 'shadow' },
    { detect: ['secrets'], action: 'tag' },
    { detect: ['secrets'], action: 'mask', allow: ['ada@*'] },
  ] as const) {
    const plan = planOfRules(other, emails)
    t.equal(replace(text, plan.scanner.scan(text), plan, undefined).text, hidden, JSON.stringify(other))
    const window = openWindow({ plan })
    t.equal(
      text
        .split('')
        .map((unit) => window.push(unit))
        .join('') + window.end(),
      hidden,
      'in single characters',
    )
  }
})

void t.test('where both are enforced, the longer one wins, and what is allowed lets the other count', async (t) => {
  const secrets = { detect: ['secrets'], action: 'mask' } as const
  const both = planOfRules(secrets, emails)
  t.match(replace(text, both.scanner.scan(text), both, undefined).counts, { 'curl-credentials': 1, email: 1 })
  const some = planOfRules({ ...secrets, allow: ['ada@*'] }, emails)
  t.same(replace(text, some.scanner.scan(text), some, undefined).counts, { email: 2 })
  t.equal(planOfRules(secrets, emails).scanner, both.scanner, 'rules that are all enforced share a scanner')
})
