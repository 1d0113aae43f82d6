// Owns payment card numbers: issuer ranges with their lengths, the usual grouping, and the Luhn digit.
import { alphanumerics, holds } from '../characters.ts'
import type { Detector } from '../detector.ts'
import type { Probe } from '../probe.ts'

const group = 'pii'
const entity = 'payment-card'
const digitsMin = 12
const digitsMax = 19
const slash = 47

/** First digits, or their range, and the lengths that the issuer uses. */
const issuers = [
  issuer('4', '4', [13, 16, 19]), // Visa
  issuer('51', '55', [16]), // Mastercard
  issuer('2221', '2720', [16]), // Mastercard
  issuer('34', '34', [15]), // American Express
  issuer('37', '37', [15]),
  issuer('300', '305', [14, 16]), // Diners Club
  issuer('36', '36', [14, 16]),
  issuer('38', '39', [14, 16]),
  issuer('6011', '6011', [16, 19]), // Discover
  issuer('644', '659', [16, 19]),
  issuer('3528', '3589', [16, 19]), // JCB
  issuer('1800', '1800', [15]),
  issuer('2131', '2131', [15]),
  issuer('62', '62', [16, 17, 18, 19]), // UnionPay
  issuer('50', '50', [12, 13, 14, 15, 16, 17, 18, 19]), // Maestro
  issuer('56', '58', [12, 13, 14, 15, 16, 17, 18, 19]),
  issuer('60', '60', [12, 13, 14, 15, 16, 17, 18, 19]),
  issuer('63', '63', [12, 13, 14, 15, 16, 17, 18, 19]),
  issuer('67', '67', [12, 13, 14, 15, 16, 17, 18, 19]),
  issuer('2200', '2204', [16, 17, 18, 19]), // Mir
]

type Issuer = { readonly from: number; readonly to: number; readonly lengths: readonly number[] }

/** Compared by their first four digits. */
function issuer(from: string, to: string, lengths: readonly number[]): Issuer {
  return { from: Number(from.padEnd(4, '0')), to: Number(to.padEnd(4, '9')), lengths }
}

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
    if (probe.number.digits < digitsMin) return
    const card = readCard(probe)
    if (card === undefined || holds(alphanumerics, probe.code(card.end))) return
    if (needsContext(card) && !context.test(probe.text.slice(Math.max(0, start - contextLength), start))) return
    probe.accept(paymentCard, start, card.end, true)
  },
}

type CardText = { readonly digits: string; readonly end: number; readonly isGrouped: boolean }

/** Digits in one run, or in groups joined by the same separator, that pass the Luhn check. */
function readCard(probe: Probe): CardText | undefined {
  const { number } = probe
  const length = number.lengthOf(0)
  if (length >= digitsMin && length <= digitsMax) {
    const digits = probe.text.slice(number.start, number.end)
    return passesLuhn(digits) ? { digits, end: number.end, isGrouped: false } : undefined
  }
  const separator = number.separatorAfter(probe, 0)
  if (length !== 4 || separator === -1 || separator === slash) return undefined
  let digits = probe.text.slice(number.start, number.end)
  let grouping = '4'
  let best: CardText | undefined
  for (let group = 1; group < 5 && number.separatorAfter(probe, group - 1) === separator; group++) {
    const end = number.endOf(group)
    digits += probe.text.slice(number.startOf(group), end)
    grouping += `,${number.lengthOf(group)}`
    if (groupings.has(grouping) && passesLuhn(digits)) best = { digits, end, isGrouped: true }
  }
  return best
}

/** Without a known issuer, or in a bare run of a rarer length, it may as well be an order number or nanoseconds. */
function needsContext({ digits, isGrouped }: CardText): boolean {
  const head = Number(digits.slice(0, 4))
  const isIssued = issuers.some(
    ({ from, to, lengths }) => head >= from && head <= to && lengths.includes(digits.length),
  )
  if (!isIssued) return true
  if (isGrouped || digits.length === 16) return false
  return !((digits.length === 15 || digits.length === 14) && digits.startsWith('3') && !digits.startsWith('36'))
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
