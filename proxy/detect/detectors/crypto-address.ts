// Owns addresses of cryptocurrencies, known by their checksums; those without one only beside a word that says so.
import { base58Check, base58Length, isBech32, isCashAddress, isChecksummedHex } from '../address-codes.ts'
import { isEscapeLetter, startsValue } from '../boundary.ts'
import { alphanumerics, isAlphanumeric, characterClass, holds, isDigit, isLetter } from '../characters.ts'
import { contextWords } from '../context-words.ts'
import type { Detector } from '../detector.ts'
import type { Probe } from '../probe.ts'

const group = 'pii'
const entity = 'crypto-address'
const contextLength = 64

/** Version bytes of 21-byte payloads, by first character: SLIP-0044's coins, each project's chain parameters. */
const versions: Readonly<Record<string, readonly number[]>> = {
  1: [0x00], // Bitcoin
  3: [0x05], // Bitcoin, Litecoin: scripts
  2: [0xc4], // test networks
  m: [0x6f],
  n: [0x6f],
  L: [0x30], // Litecoin
  M: [0x32],
  D: [0x1e], // Dogecoin
  9: [0x16],
  A: [0x16],
  X: [0x4c], // Dash
  7: [0x10],
  T: [0x41], // TRON
}
const base58LengthMin = 25
const base58HalfLength = Math.ceil(base58LengthMin / 2)
const base58LengthMax = 44
/** Of those with a checksum. */
const checkedLengthMax = 36
const solanaLengthMin = 32
const solanaWords = contextWords('sol|phantom|spl')
const solanaContext = /\b(?:solana|sol|phantom|spl)\b/i

/** Base58: Bitcoin and its kin, XRP, Zcash, Solana. Woken by the first digit that follows a letter. */
export const base58Address: Detector = {
  entity,
  group,
  digits: 'code',
  contexts: [solanaWords],
  find(probe, at) {
    if (isShortAround(probe, at)) return
    const start = wordStart(probe.units, at)
    if (start === undefined || isShorter(probe, start, base58LengthMin) || !startsValue(probe, start)) return
    // The first letter may be an escape's, or the address's own after a backslash.
    if (findBase58(probe, start) || probe.before(start) !== 92) return
    if (isEscapeLetter(probe.code(start))) findBase58(probe, start + 1)
  },
  tailStart: (units, end) => wordStart(units, end) ?? end,
}

/** The word around `at` ends soon, and is shorter than an address. */
function isShortAround(probe: Probe, at: number): boolean {
  const { units, text } = probe
  const half = at + base58HalfLength
  let end = at + 1
  while (end < half && isAlphanumeric(units[end] as number)) end++
  if (end >= half || end === text.length) return false
  let start = at
  while (start > 0 && end - start < base58LengthMin && isAlphanumeric(units[start - 1] as number)) start--
  return end - start < base58LengthMin && !probe.isFar(start, end)
}

/** The word ends before so many units, and the text does not. */
function isShorter(probe: Probe, start: number, length: number): boolean {
  const { text } = probe
  const last = start + length - 1
  return last < text.length && !holds(alphanumerics, text.charCodeAt(last)) && !probe.isFar(start, last)
}

function findBase58(probe: Probe, start: number): boolean {
  probe.startsAt(start)
  const end = probe.runEnd(start, alphanumerics, base58LengthMax + 1)
  const length = end - start
  if (length < base58LengthMin || length > base58LengthMax || holds(alphanumerics, probe.code(end))) return false
  const mayBeSolana = isNearSolana(probe, start, length)
  if (length > checkedLengthMax && !mayBeSolana) return false
  const text = probe.text.slice(start, end)
  const isValid = isBase58Address(text)
  if (!isValid && !(mayBeSolana && base58Length(text) === 32)) return false
  probe.accept(base58Address, start, end, isValid)
  return true
}

function isNearSolana(probe: Probe, start: number, length: number): boolean {
  if (length < solanaLengthMin || !probe.hasHeard(solanaWords, start, contextLength)) return false
  return isNear(probe, start, solanaContext)
}

/** The start of leading digits and letters up to `end`; undefined when a digit follows a letter, or it is too long. */
function wordStart(units: Uint16Array, end: number): number | undefined {
  const limit = Math.max(0, end - base58LengthMax)
  let start = end
  while (start > limit && isLetter(units[start - 1] as number)) start--
  while (start > limit && isDigit(units[start - 1] as number)) start--
  return start > 0 && holds(alphanumerics, units[start - 1] as number) ? undefined : start
}

function isBase58Address(text: string): boolean {
  if (text.length > checkedLengthMax) return false
  const first = text.charAt(0)
  if (first === 'r') return base58Check(text, { length: 21, isRipple: true }) !== undefined
  // Zcash has two version bytes.
  if (first === 't') return /^t[13]/.test(text) && base58Check(text, { length: 22 }) !== undefined
  const known = versions[first]
  return known !== undefined && base58Check(text, { length: 21, versions: known }) !== undefined
}

/** Bech32 prefixes: SLIP-0173; Cardano's CIP-19. */
const prefixes = ['bc1', 'tb1', 'ltc1', 'addr1', 'cosmos1', 'osmo1', 'bnb1', 'celestia1', 'thor1']
const bech32LengthMax = 120

export const bech32Address: Detector = {
  entity,
  group,
  triggers: prefixes,
  find(probe, start) {
    if (!startsValue(probe, start)) return
    const end = probe.runEnd(start, alphanumerics, bech32LengthMax)
    if (end - start < 38 || holds(alphanumerics, probe.code(end))) return
    if (isBech32(probe.text.slice(start, end))) probe.accept(bech32Address, start, end, true)
  },
}

export const cashAddress: Detector = {
  entity,
  group,
  triggers: ['bitcoincash:'],
  find(probe, start, dataStart) {
    const end = probe.runEnd(dataStart, alphanumerics, bech32LengthMax)
    if (end - dataStart < 42 || holds(alphanumerics, probe.code(end))) return
    if (isCashAddress('bitcoincash', probe.text.slice(dataStart, end))) probe.accept(cashAddress, start, end, true)
  },
}

const hexadecimals = characterClass('0-9A-Fa-f')
const hexLength = 40
const etherContext =
  /(?:\beth(?:er|ereum)?\b|wallet|address|erc-?\d|metamask|usd[tc]\b|polygon|arbitrum|payee|recipient|sender|0x\W*$)/i

/** Ethereum and every chain with its addresses (ERC-55). */
export const etherAddress: Detector = {
  entity,
  group,
  triggers: ['0x'],
  find(probe, start, hexStart) {
    if (!startsValue(probe, start)) return
    const end = probe.runEnd(hexStart, hexadecimals, hexLength + 1)
    if (end - hexStart !== hexLength || holds(alphanumerics, probe.code(end))) return
    const isMixed = isMixedCase(probe.units, hexStart, end)
    if (isMixed ? isChecksummedHex(probe.text.slice(hexStart, end)) : isNear(probe, start, etherContext))
      probe.accept(etherAddress, start, end, isMixed)
  },
}

function isMixedCase(units: Uint16Array, from: number, to: number): boolean {
  let cases = 0
  for (let at = from; at < to; at++) if (isLetter(units[at] as number)) cases |= (units[at] as number) & 32 ? 2 : 1
  return cases === 3
}

function isNear(probe: Probe, start: number, context: RegExp): boolean {
  return context.test(probe.text.slice(Math.max(0, start - contextLength), start))
}
