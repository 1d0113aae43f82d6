// Owns the codes that addresses of cryptocurrencies are written in, each with its own checksum. Which prefix is which
// currency's, the detector knows.
import { hash } from 'node:crypto'
import { keccak256Of } from './keccak.ts'

const bitcoinAlphabet = digitsOf('123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz')
/** XRP Ledger documentation, "Base58 encodings". */
const rippleAlphabet = digitsOf('rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz')

/**
 * Base58Check (Bitcoin wiki): the payload with its version, when it is so long, begins with one of the versions where some
 * are asked for, and the four bytes after it are its checksum.
 */
export function base58Check(
  text: string,
  {
    length,
    versions,
    isRipple,
  }: { readonly length: number; readonly versions?: readonly number[]; readonly isRipple?: true },
): Uint8Array | undefined {
  const bytes = base58(text, isRipple === true ? rippleAlphabet : bitcoinAlphabet)
  if (bytes?.length !== length + 4 || versions?.includes(bytes[0] ?? -1) === false) return undefined
  const payload = bytes.subarray(0, length)
  const digest = sha256Twice(payload)
  for (let i = 0; i < 4; i++) if (digest.charCodeAt(i) !== bytes[length + i]) return undefined
  return payload
}

const once = Buffer.alloc(32)

/** A string of bytes, and the first digest written into the same buffer each time: new buffers would cost as much again. */
function sha256Twice(payload: Uint8Array): string {
  once.write(hash('sha256', payload, 'latin1'), 'latin1')
  return hash('sha256', once, 'latin1')
}

/** How many bytes the text stands for; none when it is not base 58. */
export function base58Length(text: string): number {
  return base58(text, bitcoinAlphabet)?.length ?? 0
}

/** Values of the characters, and −1. */
function digitsOf(alphabet: string): Int8Array {
  const values = new Int8Array(128).fill(-1)
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i
  return values
}

/** Room for 44 characters: 33 bytes, in words of three, lowest first. Four characters at a time change them in one go. */
const limbs = new Float64Array(12)
const limb = 2 ** 24
const limbBytes = 3
const charactersAtOnce = 4

function base58(text: string, values: Int8Array): Uint8Array | undefined {
  let used = 0
  let zeros = 0
  for (let from = 0; from < text.length; from += charactersAtOnce) {
    let carry = 0
    let factor = 1
    for (let i = from; i < text.length && i < from + charactersAtOnce; i++) {
      const value = values[text.charCodeAt(i)] ?? -1
      if (value < 0) return undefined
      if (value === 0 && zeros === i) zeros++
      carry = carry * 58 + value
      factor *= 58
    }
    for (let j = 0; j < used; j++) {
      const product = (limbs[j] as number) * factor + carry
      carry = Math.floor(product / limb)
      limbs[j] = product - carry * limb
    }
    if (carry > 0) limbs[used++] = carry
  }
  return bytesOf(used, zeros)
}

function bytesOf(used: number, zeros: number): Uint8Array {
  const highest = used === 0 ? 0 : (limbs[used - 1] as number)
  const unused = used === 0 ? 0 : highest < 2 ** 8 ? 2 : highest < 2 ** 16 ? 1 : 0
  const bytes = new Uint8Array(zeros + used * limbBytes - unused)
  let at = bytes.length
  for (let j = 0; j < used; j++) {
    let rest = limbs[j] as number
    for (let i = 0; i < limbBytes && at > zeros; i++) {
      bytes[--at] = rest & 255
      rest >>= 8
    }
  }
  return bytes
}

/** BIP 173. */
const bech32Values = digitsOf('qpzry9x8gf2tvdw0s3jn54khce6mua7l')

/** BIP 173 and 350: letters of one case, `prefix1data`; the checksum's remainder is 1, or that of Bech32m. */
export function isBech32(text: string): boolean {
  const lower = text.toLowerCase()
  if (lower !== text && text.toUpperCase() !== text) return false
  const separator = lower.lastIndexOf('1')
  if (separator < 1 || lower.length - separator <= 6) return false
  let check = 1
  for (let i = 0; i < separator; i++) check = bech32Step(check, lower.charCodeAt(i) >> 5)
  check = bech32Step(check, 0)
  for (let i = 0; i < separator; i++) check = bech32Step(check, lower.charCodeAt(i) & 31)
  for (let i = separator + 1; i < lower.length; i++) {
    const value = bech32Values[lower.charCodeAt(i)] ?? -1
    if (value < 0) return false
    check = bech32Step(check, value)
  }
  return check === 1 || check === 0x2bc830a3
}

const bech32Generator = Int32Array.of(0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)

function bech32Step(check: number, value: number): number {
  let next = ((check & 0x1ffffff) << 5) ^ value
  for (let i = 0; i < 5; i++) if ((check >> (25 + i)) & 1) next ^= bech32Generator[i] as number
  return next
}

/** Bitcoin Cash specification, "CashAddr": a polynomial of forty bits over the prefix and the data. */
export function isCashAddress(prefix: string, data: string): boolean {
  // Its upper eight bits and the others: whole numbers of more than 32 take a hundred times as long.
  cash[0] = 0
  cash[1] = 1
  for (let i = 0; i < prefix.length; i++) cashStep(prefix.charCodeAt(i) & 31)
  cashStep(0)
  const lower = data.toLowerCase()
  for (let i = 0; i < lower.length; i++) {
    const value = bech32Values[lower.charCodeAt(i)] ?? -1
    if (value < 0) return false
    cashStep(value)
  }
  return cash[0] === 0 && cash[1] === 1
}

const cash = new Int32Array(2)
const cashUpper = Int32Array.of(0x98, 0x79, 0xf3, 0xae, 0x1e)
const cashLower = Int32Array.of(0xf2bc8e61, 0xb76d99e2, 0x3e5fb3c4, 0x2eabe2a8, 0x4f43e470)

function cashStep(value: number): void {
  const upper = cash[0] as number
  const lower = cash[1] as number
  let nextUpper = ((upper & 7) << 5) | (lower >>> 27)
  let nextLower = (lower << 5) ^ value
  for (let i = 0; i < 5; i++) {
    if (((upper >> (3 + i)) & 1) === 0) continue
    nextUpper ^= cashUpper[i] as number
    nextLower ^= cashLower[i] as number
  }
  cash[0] = nextUpper
  cash[1] = nextLower
}

/** ERC-55: a letter is upper case where the digest of the lower case address has 8 or more. */
export function isChecksummedHex(hex: string): boolean {
  const lower = hex.toLowerCase()
  const digest = keccak256(lower)
  for (let i = 0; i < hex.length; i++) {
    const code = lower.charCodeAt(i)
    const isUpper = code >= 97 && digest.charCodeAt(i) >= 56
    if (hex.charCodeAt(i) !== (isUpper ? code - 32 : code)) return false
  }
  return true
}

let isServed = true

/** In hex. OpenSSL may have none (before Node 26, and in FIPS mode), and to ask it each time would cost more than to do without. */
function keccak256(text: string): string {
  if (isServed) {
    try {
      return hash('keccak-256', text, 'hex')
    } catch {
      isServed = false
    }
  }
  return Buffer.from(keccak256Of(text)).toString('hex')
}
