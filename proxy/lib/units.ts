// Owns the notations that operators write: durations, sizes and rates.

/** `250ms`, `30s`, `15m`, `24h`, `7d`; whole numbers only. */
export const durationPattern = '^[0-9]{1,9}(ms|s|m|h|d)$'
/** `512`, `64KiB`, `10MiB`, `1GiB`, and the decimal `64KB`, `10MB`. */
export const sizePattern = '^[0-9]{1,12}(B|KB|MB|GB|KiB|MiB|GiB)?$'
/** `60/m`, `1000/h`, `100k/m`, `50/d`, and `20/10s` for any other window. */
export const ratePattern = '^[0-9]{1,9}(\\.[0-9]{1,6})?[kM]?/([0-9]{1,6})?(s|m|h|d)$'

const durationRegExp = new RegExp(durationPattern)
const sizeRegExp = new RegExp(sizePattern)
const rateRegExp = /^([0-9.]+)([kM]?)\/([0-9]*)(s|m|h|d)$/

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const unitBytes = { '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const

/** Milliseconds; undefined when the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  if (!durationRegExp.test(text)) return undefined
  const count = Number.parseInt(text, 10)
  const unit = text.slice(String(text.match(/^[0-9]+/)).length) as keyof typeof unitMs
  return count * unitMs[unit]
}

/** Bytes; undefined when the text is not a size. */
export function parseSize(text: string): number | undefined {
  if (!sizeRegExp.test(text)) return undefined
  const digits = String(text.match(/^[0-9]+/))
  return Number(digits) * unitBytes[text.slice(digits.length) as keyof typeof unitBytes]
}

export type Rate = { readonly amount: number; readonly windowMs: number }

/** `100k/m` → 100000 in 60000 ms; undefined when the text is not a rate, or is a rate of nothing. */
export function parseRate(text: string): Rate | undefined {
  if (!new RegExp(ratePattern).test(text)) return undefined
  const match = rateRegExp.exec(text)
  if (match === null) return undefined
  const [, amountText = '', scale = '', countText = '', unit = 's'] = match
  const amount = Number(amountText) * (scale === 'k' ? 1e3 : scale === 'M' ? 1e6 : 1)
  const windowMs = (countText === '' ? 1 : Number(countText)) * unitMs[unit as keyof typeof unitMs]
  return amount > 0 && windowMs > 0 ? { amount, windowMs } : undefined
}
