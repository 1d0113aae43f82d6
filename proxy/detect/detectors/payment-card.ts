// Owns payment card numbers: issuer ranges with their lengths, the usual grouping, and the Luhn digit.
import { alphanumerics, holds } from '../characters.ts'
import type { Detector } from '../detector.ts'
import type { Probe } from '../probe.ts'

const group = 'pii'
const entity = 'payment-card'
const digitsMin = 12
const digitsMax = 19
const slash = 47

/** First digits from–to (compared as numbers of that many digits) and the lengths that the issuer uses. */
const issuers: readonly { readonly from: string; readonly to: string; readonly lengths: readonly number[] }[] = [
  { from: '4', to: '4', lengths: [13, 16, 19] }, // Visa
  { from: '51', to: '55', lengths: [16] }, // Mastercard
  { from: '2221', to: '2720', lengths: [16] }, // Mastercard
  { from: '34', to: '34', lengths: [15] }, // American Express
  { from: '37', to: '37', lengths: [15] },
  { from: '300', to: '305', lengths: [14, 16] }, // Diners Club
  { from: '36', to: '36', lengths: [14, 16] },
  { from: '38', to: '39', lengths: [14, 16] },
  { from: '6011', to: '6011', lengths: [16, 19] }, // Discover
  { from: '644', to: '659', lengths: [16, 19] },
  { from: '3528', to: '3589', lengths: [16, 19] }, // JCB
  { from: '1800', to: '1800', lengths: [15] },
  { from: '2131', to: '2131', lengths: [15] },
  { from: '62', to: '62', lengths: [16, 17, 18, 19] }, // UnionPay
  { from: '50', to: '50', lengths: [12, 13, 14, 15, 16, 17, 18, 19] }, // Maestro
  { from: '56', to: '58', lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { from: '60', to: '60', lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { from: '63', to: '63', lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { from: '67', to: '67', lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { from: '2200', to: '2204', lengths: [16, 17, 18, 19] }, // Mir
]

/** How many digits stand together where a number is written in groups. */
const groupings = new Set(['4,4,4,4', '4,4,4,4,3', '4,6,5', '4,6,4'])
const context =
  /(?:card|credit|debit|\bcc\b|\bpan\b|visa|master|maestro|amex|american express|diners|discover|\bjcb\b|kart[aąęy])/i
const contextLength = 48

export const paymentCard: Detector = {
  entity,
  group,
  digits: 'number',
  find(probe, start) {
    const first = probe.text.charCodeAt(start)
    if (probe.number.digits < digitsMin || first < 49 || first > 54) return
    const number = readCard(probe)
    if (number === undefined || holds(alphanumerics, probe.code(number.end))) return
    if (needsContext(number) && !hasContext(probe.text, start)) return
    probe.accept(paymentCard, start, number.end, true)
  },
}

type CardText = { readonly digits: string; readonly end: number; readonly isGrouped: boolean }

/** Digits in one run, or in groups joined by the same separator. */
function readCard(probe: Probe): CardText | undefined {
  const { number } = probe
  const length = number.lengthOf(0)
  if (length >= digitsMin && length <= digitsMax) {
    const digits = probe.text.slice(number.start, number.end)
    return isCardNumber(digits) ? { digits, end: number.end, isGrouped: false } : undefined
  }
  const separator = number.separatorAfter(probe, 0)
  if (length !== 4 || separator === -1 || separator === slash) return undefined
  let digits = probe.text.slice(number.start, number.end)
  let grouping = '4'
  let best: CardText | undefined
  for (let group = 1; group < 5 && number.separatorAfter(probe, group - 1) === separator; group++) {
    const end = number.ends[group] as number
    digits += probe.text.slice(number.starts[group], end)
    grouping += `,${number.lengthOf(group)}`
    if (groupings.has(grouping) && isCardNumber(digits)) best = { digits, end, isGrouped: true }
  }
  return best
}

/** A bare run of another length than the commonest is as likely an order number or a time in nanoseconds. */
function needsContext(number: CardText): boolean {
  if (number.isGrouped || number.digits.length === 16) return false
  return !(number.digits.length === 15 && number.digits.startsWith('3'))
}

function hasContext(text: string, start: number): boolean {
  return context.test(text.slice(Math.max(0, start - contextLength), start))
}

function isCardNumber(digits: string): boolean {
  return hasIssuer(digits) && passesLuhn(digits)
}

function hasIssuer(digits: string): boolean {
  return issuers.some(({ from, to, lengths }) => {
    const head = digits.slice(0, from.length)
    return head >= from && head <= to && lengths.includes(digits.length)
  })
}

/** ISO/IEC 7812-1 annex B. */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48
    const doubled = digit * 2
    sum += i % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
