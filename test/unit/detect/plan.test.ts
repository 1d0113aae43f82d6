// Several rules over one text: what one of them only observes, or lets be, is no way past another.
import t from 'tap'
import { scanMarkup } from '../../../proxy/detect/markup.ts'
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

void t.test('what one rule lets be is observed by another, whatever else is', async (t) => {
  const some = { ...emails, allow: ['ada@*'] } as const
  const trial = { ...emails, mode: 'shadow' } as const
  const said = 'ada@example.org and bob@example.org, call +44 20 7946 0958'
  for (const rules of [
    [some, trial],
    [some, trial, { detect: ['phone'], action: 'tag' } as const],
  ]) {
    const plan = planOfRules(...rules)
    const whole = replace(said, plan.scanner.scan(said), plan, undefined)
    const window = openWindow({ plan })
    t.equal(window.push(said) + window.end(), whole.text)
    t.same(whole.observed, rules.length === 2 ? { email: 1 } : { email: 1, phone: 1 })
    t.same(window.observed, whole.observed, 'in a stream')
  }
})

void t.test('what is only observed hides nothing in markup', async (t) => {
  const plan = planOfRules({ detect: ['us-ssn'], action: 'mask' }, { detect: ['phone'], action: 'tag' })
  const said = 'call +49 <i>378-07-9520</i><i>12</i>'
  const { text: hidden } = replace(said, scanMarkup(plan.scanner, said, 'html'), plan, undefined)
  t.equal(hidden, 'call +49 <i>[US_SSN]</i><i>12</i>')
})

void t.test('where both are enforced, the longer one wins, and what is allowed lets the other count', async (t) => {
  const secrets = { detect: ['secrets'], action: 'mask' } as const
  const both = planOfRules(secrets, emails)
  t.match(replace(text, both.scanner.scan(text), both, undefined).counts, { 'curl-credentials': 1, email: 1 })
  const some = planOfRules({ ...secrets, allow: ['ada@*'] }, emails)
  t.same(replace(text, some.scanner.scan(text), some, undefined).counts, { email: 2 })
  t.equal(planOfRules(secrets, emails).scanner, both.scanner, 'rules that are all enforced share a scanner')
})

void t.test('what a rule does about keys alone is looked for as what it does about strings', async (t) => {
  const plan = planOfRules(
    { detect: ['phone'], action: 'mask', keys: 'leave' },
    { detect: ['us-ssn'], action: 'tag', keys: 'block' },
  ).forForm('key')
  const key = 'phone 378-07-9520'
  t.match(replace(key, plan.scanner.scan(key), plan, undefined).blocked, { entity: 'us-ssn' })
})

void t.test('a plan enforces what would be changed in any form, and nothing that is only observed', async (t) => {
  t.same([...planOfRules(emails, { detect: ['phone'], action: 'tag' }).enforced], ['email'])
  t.same([...planOfRules({ detect: ['us-ssn'], action: 'tag', numbers: 'block' }).enforced], ['us-ssn'])
  t.same([...planOfRules({ detect: ['email'], action: 'tag' }, { ...emails, mode: 'shadow' }).enforced], [])
  t.same([...planOfRules({ ...emails, mode: 'shadow', keys: 'block' }).enforced], [])
})
