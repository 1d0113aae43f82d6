// Owns which numbers exist in which country's telephone plan. The plans are libphonenumber's; its parser is not used
// because it is a hundred times slower than a look-up.
import metadata from 'libphonenumber-js/metadata.min.json'

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

/** The pattern for all numbers of each plan. */
export function readPlans(): Map<string, RegExp> {
  const patterns = new Map<string, string[]>()
  // Their own reader of this is 72 files, which every start would load for these two columns.
  const plansByRegion = metadata.countries as Readonly<Record<string, readonly unknown[]>>
  for (const [code, , pattern] of Object.values(plansByRegion)) {
    patterns.set(String(code), [...(patterns.get(String(code)) ?? []), String(pattern)])
  }
  for (const code of ['800', '808', '870', '878', '881', '882', '883', '888', '979']) patterns.set(code, ['\\d{7,12}'])
  return new Map([...patterns].map(([code, of]) => [code, new RegExp(`^(?:${of.join('|')})$`)]))
}
