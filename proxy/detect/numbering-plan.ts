// Owns which numbers exist in which country's telephone plan. The plans are libphonenumber's; its parser is not used
// because it is a hundred times slower than a look-up.
import metadata from 'libphonenumber-js/metadata.min.json'

/** `digits` are those of a number in E.164, without the plus sign. */
export function isInternationalNumber(digits: string): boolean {
  let code = 0
  for (let length = 1; length <= codeLengthMax; length++) {
    code = 10 * code + digits.charCodeAt(length - 1) - 48
    // No code begins with a zero.
    if (!(code > 0)) return false
    if (patterns[code]?.test(digits) === true) return true
  }
  return false
}

export function isCallingCode(digits: string): boolean {
  return codes.has(digits)
}

/** Whether one begins at `at`, of however many digits. */
export function startsCallingCode(text: string, at: number): boolean {
  let code = 0
  for (let index = at; index < at + codeLengthMax; index++) {
    const digit = text.charCodeAt(index) - 48
    if (!(digit >= 0 && digit <= 9)) return false
    code = 10 * code + digit
    if (code === 0) return false
    if (patterns[code] !== undefined) return true
  }
  return false
}

const codeLengthMax = 3
const codes = new Set<string>()
/** By calling code, the whole number: what is looked up by a piece of a text is hashed first. */
const patterns: (RegExp | undefined)[] = Array.from({ length: 10 ** codeLengthMax }, () => undefined)
for (const [code, plan] of readPlans()) {
  codes.add(code)
  patterns[Number(code)] = new RegExp(`^${code}(?:${plan})$`)
}

/** Calling code → the pattern for what may follow it, in any of the regions that share it. */
export function readPlans(): Map<string, string> {
  const ofRegions = new Map<string, string[]>()
  // Their own reader of this is 72 files, which every start would load for these two columns.
  const plansByRegion = metadata.countries as Readonly<Record<string, readonly unknown[]>>
  for (const [code, , pattern] of Object.values(plansByRegion)) {
    ofRegions.set(String(code), [...(ofRegions.get(String(code)) ?? []), String(pattern)])
  }
  for (const code of ['800', '808', '870', '878', '881', '882', '883', '888', '979']) ofRegions.set(code, ['\\d{7,12}'])
  return new Map([...ofRegions].map(([code, of]) => [code, of.join('|')]))
}
