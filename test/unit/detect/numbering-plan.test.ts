import { Metadata, type CountryCode, type MetadataJson } from 'libphonenumber-js/core'
import metadata from 'libphonenumber-js/metadata.min.json'
import t from 'tap'
import {
  isCallingCode,
  isInternationalNumber,
  readPlans,
  startsCallingCode,
} from '../../../proxy/detect/numbering-plan.ts'

type NumberingPlan = { readonly callingCode: () => string; readonly nationalNumberPattern: () => string }

t.test('the plans are those that the package itself reads', async (t) => {
  const json: MetadataJson = metadata
  const reader = new Metadata(json)
  const theirs = new Map<string, string[]>()
  for (const region of Object.keys(json.countries)) {
    reader.selectNumberingPlan(region as CountryCode)
    const plan = reader.numberingPlan as unknown as NumberingPlan
    theirs.set(plan.callingCode(), [...(theirs.get(plan.callingCode()) ?? []), plan.nationalNumberPattern()])
  }
  const ours = readPlans()
  t.ok(theirs.size > 200)
  for (const [code, patterns] of theirs) t.equal(ours.get(code), patterns.join('|'), code)
  t.equal(ours.size, theirs.size + 9, 'and those of no country')
})

t.test('numbers that exist, and those that do not', async (t) => {
  for (const number of ['4930901820', '12125550123', '80012345678']) t.ok(isInternationalNumber(number), number)
  for (const number of ['', '49', '99912345678', '1212555']) t.notOk(isInternationalNumber(number), number)
  t.ok(isCallingCode('49'))
  t.notOk(isCallingCode('999'))
})

t.test('a plan is asked about its own numbers, and about whole ones', async (t) => {
  const plans = [...readPlans()].map(([code, plan]) => [code, new RegExp(`^(?:${plan})$`)] as const)
  // Numbers of every code and length; a linear congruential generator gives the digits.
  let state = 7
  const digit = (): string => String((state = (state * 48271) % 2147483647) % 10)
  let known = 0
  for (const [code] of plans)
    for (let n = 0; n < 60; n++) {
      const number = code + Array.from({ length: 4 + (n % 9) }, digit).join('')
      const isKnown = plans.some(([code, plan]) => number.startsWith(code) && plan.test(number.slice(code.length)))
      if (isKnown) known++
      if (isInternationalNumber(number) !== isKnown) t.fail(number)
      if (isInternationalNumber(`0${number}`) || isInternationalNumber(`00${number}`)) t.fail(`zeros before ${number}`)
    }
  t.ok(known > 500, `${known} of them exist`)
})

t.test('a number begins with a calling code, or not', async (t) => {
  for (const text of ['49', '1', '+49', '3581', '12345', '80012'])
    t.equal(startsCallingCode(text, text.lastIndexOf('+') + 1), true, text)
  for (const text of ['', '0', '01', '049', '4', '4 9', '999', '35', '35 8', 'a'])
    t.equal(startsCallingCode(text, 0), false, text)
})
