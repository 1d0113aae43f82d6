// Owns payment card numbers: issuer ranges with their lengths, the usual grouping, and the Luhn digit.
import { isInIdentifier } from '../boundary.ts'
import { passesLuhn, passesLuhnIn } from '../checksums.ts'
import { alphanumerics, holds } from '../characters.ts'
import { contextWords } from '../context-words.ts'
import type { Detector } from '../detector.ts'
import type { NumberRun } from '../number-run.ts'
import type { Probe } from '../probe.ts'
import { wordEnd, wordStart } from '../word-places.ts'

const group = 'pii'
const entity = 'payment-card'
const digitsMin = 12
const digitsMax = 19
/** Shorter ones in unusual groups are too likely something else. */
const spreadDigitsMin = 14
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
const groupings: readonly number[] = [4444, 44443, 465, 464]
const context = new RegExp(
  `card|credit|debit|${wordStart}(?:cc|pan|jcb)${wordEnd}|visa|master|maestro|amex|american express|diners|discover|kart[aąęy]`,
  'i',
)
const words = contextWords(
  'card|credit|debit|cc|pan|visa|master|maestro|amex|american express|diners|discover|jcb|kart',
)
const contextLength = 48

export const paymentCard: Detector = {
  entity,
  group,
  digits: 'number',
  digitsMin,
  contexts: [words],
  find(probe, start) {
    const { number } = probe
    if (number.digits < digitsMin) return
    if (!probe.hasHeard(words, start, contextLength) && !hasIssuedHead(probe.units, number)) return
    const card = readCard(probe)
    if (card === undefined || holds(alphanumerics, probe.code(card.end))) return
    if ((needsContext(card) || isMember(probe, card)) && !isBesideWord(probe, start)) return
    probe.accept(paymentCard, start, card.end, true)
  },
}

/** By the first four digits: a bit for each length that an issuer has. */
const lengthsByHead = new Uint32Array(10_000)
for (const { from, to, lengths } of issuers)
  for (let head = from; head <= to; head++)
    for (const length of lengths) lengthsByHead[head] = (lengthsByHead[head] as number) | (1 << length)

function hasIssuedHead(units: Uint16Array, { start, end }: NumberRun): boolean {
  if (end < start + 4) return false
  let head = 0
  for (let i = start; i < start + 4; i++) head = head * 10 + (units[i] as number) - 48
  return lengthsByHead[head] !== 0
}

type CardText = {
  readonly digits: string
  readonly end: number
  readonly isGrouped: boolean
  readonly isSpread?: true
}

/** Digits in one run, or in groups joined by the same separator, that pass the Luhn check. */
function readCard(probe: Probe): CardText | undefined {
  const { number } = probe
  const length = number.lengthOf(0)
  if (length >= digitsMin && length <= digitsMax) {
    if (!passesLuhnIn(probe.units, number.start, number.end)) return undefined
    return { digits: probe.text.slice(number.start, number.end), end: number.end, isGrouped: false }
  }
  const separator = number.separatorAfter(probe, 0)
  if (separator === -1 || separator === slash) return undefined
  if (length !== 4) return readSpread(probe, separator)
  let grouping = 4
  let best: CardText | undefined
  for (let group = 1; group < 5 && number.separatorAfter(probe, group - 1) === separator; group++) {
    grouping = grouping * 10 + number.lengthOf(group)
    if (!groupings.includes(grouping)) continue
    const end = number.endOf(group)
    if (!passesLuhnIn(probe.units, number.start, end)) continue
    const digits = probe.text.slice(number.start, end).replaceAll(String.fromCharCode(separator), '')
    best = { digits, end, isGrouped: true }
  }
  return best ?? readSpread(probe, separator)
}

/** Every digit by itself, or groups of other lengths, with the same separator throughout. */
function readSpread(probe: Probe, separator: number): CardText | undefined {
  const { number } = probe
  // It counts only beside a word, and in tables of digits the word is quicker to miss than the digits to add up.
  if (!isBesideWord(probe, number.start)) return undefined
  const isSingle = number.lengthOf(0) === 1
  let digits = probe.text.slice(number.start, number.end)
  let best: CardText | undefined
  for (let group = 1; group < number.groups && number.separatorAfter(probe, group - 1) === separator; group++) {
    if (isSingle && number.lengthOf(group) !== 1) break
    const end = number.endOf(group)
    digits += probe.text.slice(number.startOf(group), end)
    const isCard = digits.length >= spreadDigitsMin && digits.length <= digitsMax && passesLuhn(digits)
    if (isCard) best = { digits, end, isGrouped: false, isSpread: true }
  }
  return best
}

function isBesideWord(probe: Probe, start: number): boolean {
  return (
    probe.hasHeard(words, start, contextLength) &&
    context.test(probe.text.slice(Math.max(0, start - contextLength), start))
  )
}

/** Digits alone behind an underscore: identifiers have numbers of any length. */
function isMember(probe: Probe, { isGrouped }: CardText): boolean {
  return !isGrouped && isInIdentifier(probe, probe.number.start)
}

/** Without a known issuer, or in a bare run of a rarer length, it may as well be an order number or nanoseconds. */
function needsContext({ digits, isGrouped, isSpread }: CardText): boolean {
  const isIssued = ((lengthsByHead[Number(digits.slice(0, 4))] as number) & (1 << digits.length)) !== 0
  if (!isIssued || isSpread === true) return true
  if (isGrouped || digits.length === 16) return false
  return !((digits.length === 15 || digits.length === 14) && digits.startsWith('3') && !digits.startsWith('36'))
}
