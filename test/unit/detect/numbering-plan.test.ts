import { Metadata, type CountryCode, type MetadataJson } from 'libphonenumber-js/core'
import metadata from 'libphonenumber-js/metadata.min.json'
import t from 'tap'
import { isCallingCode, isInternationalNumber, readPlans } from '../../../proxy/detect/numbering-plan.ts'

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
  for (const [code, patterns] of theirs) t.equal(ours.get(code)?.source, `^(?:${patterns.join('|')})$`, code)
  t.equal(ours.size, theirs.size + 9, 'and those of no country')
})

t.test('numbers that exist, and those that do not', async (t) => {
  for (const number of ['4930901820', '12125550123', '80012345678']) t.ok(isInternationalNumber(number), number)
  for (const number of ['', '49', '99912345678', '1212555']) t.notOk(isInternationalNumber(number), number)
  t.ok(isCallingCode('49'))
  t.notOk(isCallingCode('999'))
})
