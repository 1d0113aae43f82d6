// Owns the codes that addresses of cryptocurrencies are written in, each with its own checksum. Which prefix is which
// currency's, the detector knows.
import { hash } from 'node:crypto'
import { sha256 } from '../lib/sha256.ts'

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
  const payload = bytes.subarray(0, -4)
  const digest = sha256(sha256(payload))
  return digest.subarray(0, 4).equals(bytes.subarray(-4)) ? payload : undefined
}

/** How many bytes the text stands for; none when it is not base 58. */
export function base58Length(text: string): number {
  return base58(text, bitcoinAlphabet)?.length ?? 0
}

/** Values of the characters in base 58, and −1. */
function digitsOf(alphabet: string): Int8Array {
  const values = new Int8Array(128).fill(-1)
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i
  return values
}

/** Room for 44 characters: 33 bytes, in words of 32 bits, lowest first. */
const limbs = new Float64Array(9)
const limb = 2 ** 32

function base58(text: string, values: Int8Array): Uint8Array | undefined {
  limbs.fill(0)
  let used = 0
  for (let i = 0; i < text.length; i++) {
    let carry = values[text.charCodeAt(i)] ?? -1
    if (carry < 0) return undefined
    for (let j = 0; j < used; j++) {
      const product = (limbs[j] ?? 0) * 58 + carry
      carry = Math.floor(product / limb)
      limbs[j] = product - carry * limb
    }
    if (carry > 0) limbs[used++] = carry
  }
  let zeros = 0
  while (zeros < text.length && values[text.charCodeAt(zeros)] === 0) zeros++
  return bytesOf(used, zeros)
}

function bytesOf(used: number, zeros: number): Uint8Array {
  const bytes = Buffer.alloc(zeros + used * 4)
  for (let j = 0; j < used; j++) bytes.writeUInt32BE(limbs[used - 1 - j] ?? 0, zeros + j * 4)
  let first = zeros
  while (first < bytes.length && bytes[first] === 0) first++
  return bytes.subarray(first - zeros)
}

/** BIP 173. */
const bech32Characters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'

/** BIP 173 and 350: letters of one case, `prefix1data`; the checksum's remainder is 1, or that of Bech32m. */
export function isBech32(text: string): boolean {
  const lower = text.toLowerCase()
  if (lower !== text && text.toUpperCase() !== text) return false
  const separator = lower.lastIndexOf('1')
  const prefix = lower.slice(0, separator)
  const values = valuesOf(lower.slice(separator + 1))
  if (separator < 1 || values === undefined || values.length < 6) return false
  const head = codesOf(prefix).map((code) => code >> 5)
  const tail = codesOf(prefix).map((code) => code & 31)
  const remainder = [...head, 0, ...tail, ...values].reduce(bech32Step, 1)
  return remainder === 1 || remainder === 0x2bc830a3
}

const bech32Generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

function bech32Step(check: number, value: number): number {
  let next = ((check & 0x1ffffff) << 5) ^ value
  for (let i = 0; i < 5; i++) if ((check >> (25 + i)) & 1) next ^= bech32Generator[i] ?? 0
  return next
}

/** Bitcoin Cash specification, "CashAddr": a polynomial of forty bits over the prefix and the data. */
export function isCashAddress(prefix: string, data: string): boolean {
  const values = valuesOf(data.toLowerCase())
  if (values === undefined) return false
  let check = 1n
  for (const value of [...codesOf(prefix).map((code) => code & 31), 0, ...values]) {
    const top = check >> 35n
    check = ((check & 0x07ffffffffn) << 5n) ^ BigInt(value)
    for (let i = 0n; i < 5n; i++) if ((top >> i) & 1n) check ^= cashGenerator[Number(i)] ?? 0n
  }
  return check === 1n
}

const cashGenerator = [0x98f2bc8e61n, 0x79b76d99e2n, 0xf33e5fb3c4n, 0xae2eabe2a8n, 0x1e4f43e470n]

function valuesOf(data: string): number[] | undefined {
  const values = data.split('').map((character) => bech32Characters.indexOf(character))
  return values.includes(-1) ? undefined : values
}

function codesOf(text: string): number[] {
  return text.split('').map((character) => character.charCodeAt(0))
}

/** ERC-55: a letter is upper case where the digest of the lower case address has 8 or more. */
export function isChecksummedHex(hex: string): boolean {
  const lower = hex.toLowerCase()
  const digest = keccak256(lower)
  // Rather too many addresses than one that is missed.
  if (digest === undefined) return true
  for (let i = 0; i < hex.length; i++) {
    const code = lower.charCodeAt(i)
    const nibble = i % 2 === 0 ? (digest[i >> 1] ?? 0) >> 4 : (digest[i >> 1] ?? 0) & 15
    if (hex.charCodeAt(i) !== (nibble >= 8 && code >= 97 ? code - 32 : code)) return false
  }
  return true
}

/** As Ethereum has it, with the padding of the submission to NIST. Undefined where OpenSSL (before 3.2, or FIPS) has none. */
function keccak256(text: string): Buffer | undefined {
  try {
    return hash('keccak-256', text, 'buffer')
  } catch {
    return undefined
  }
}
