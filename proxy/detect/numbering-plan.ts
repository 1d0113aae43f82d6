// Owns which numbers exist in which country's telephone plan. The plans are libphonenumber's; its parser is not used
// because it is a hundred times slower than a look-up.
import { Metadata } from 'libphonenumber-js/core'
import metadata from 'libphonenumber-js/metadata.min.json'
import type { CountryCode, MetadataJson } from 'libphonenumber-js/core'

/** `digits` are those of a number in E.164, without the plus sign. */
export function isInternationalNumber(digits: string): boolean {
  for (let length = 1; length <= 3; length++) {
    const plan = plans.get(digits.slice(0, length))
    if (plan !== undefined && plan.test(digits.slice(length))) return true
  }
  return false
}

export function isCallingCode(digits: string): boolean {
  return plans.has(digits)
}

/** Calling code → what may follow it, in any of the regions that share it. */
const plans: ReadonlyMap<string, RegExp> = readPlans()

type NumberingPlan = { readonly callingCode: () => string; readonly nationalNumberPattern: () => string }

function readPlans(): Map<string, RegExp> {
  const patterns = new Map<string, string[]>()
  const json: MetadataJson = metadata
  const reader = new Metadata(json)
  for (const region of Object.keys(json.countries)) {
    reader.selectNumberingPlan(region as CountryCode)
    const plan = reader.numberingPlan as unknown as NumberingPlan
    const code = plan.callingCode()
    patterns.set(code, [...(patterns.get(code) ?? []), plan.nationalNumberPattern()])
  }
  for (const code of ['800', '808', '870', '878', '881', '882', '883', '888', '979']) patterns.set(code, ['\\d{7,12}'])
  return new Map([...patterns].map(([code, of]) => [code, new RegExp(`^(?:${of.join('|')})$`)]))
}
