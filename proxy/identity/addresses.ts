// Owns the question whether a socket's address lies in one of several networks.
import { BlockList, isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Network = { readonly address: ipaddr.IPv4 | ipaddr.IPv6; readonly bits: number }

/** Agents come back; bounded, because addresses are their own choice. */
const rememberedMax = 1000

/** Networks of one principal. IPv4-mapped IPv6 is IPv4 on both sides, whichever way the listener shows it. */
export class Networks {
  readonly #list = new BlockList()
  readonly #remembered = new Map<string, boolean>()

  constructor(networks: readonly Network[]) {
    for (const { address, bits } of networks) this.#list.addSubnet(address.toString(), bits, address.kind())
  }

  /** False also for what is not an address. A zone (`%eth0`) is set aside. */
  holds(ip: string): boolean {
    const known = this.#remembered.get(ip)
    if (known !== undefined) return known
    const held = this.#look(ip)
    if (this.#remembered.size >= rememberedMax) this.#remembered.clear()
    this.#remembered.set(ip, held)
    return held
  }

  #look(ip: string): boolean {
    const zone = ip.indexOf('%')
    const text = zone === -1 ? ip : ip.slice(0, zone)
    const family = isIP(text)
    if (family === 0) return false
    if (family === 4) return this.#list.check(text, 'ipv4')
    const mapped = mappedIPv4(text)
    return mapped === undefined ? this.#list.check(text, 'ipv6') : this.#list.check(mapped, 'ipv4')
  }
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. `masked`: bits beyond the prefix were set. Undefined: none of these. */
export function parseNetwork(text: string): (Network & { readonly masked: boolean }) | undefined {
  const [addressText = '', bitsText, ...rest] = text.split('/')
  if (rest.length > 0 || (bitsText !== undefined && !/^[0-9]{1,3}$/.test(bitsText))) return undefined
  // Strict: 127.1 and 0177.0.0.1 mean different things to different readers.
  if (!ipaddr.IPv4.isValidFourPartDecimal(addressText) && !ipaddr.IPv6.isValid(addressText)) return undefined
  const written = ipaddr.parse(addressText)
  const address = unmapped(written)
  const writtenBitsMax = written.kind() === 'ipv4' ? 32 : 128
  const writtenBits = bitsText === undefined ? writtenBitsMax : Number(bitsText)
  const bits = address === written ? writtenBits : writtenBits - 96
  if (writtenBits > writtenBitsMax || bits < 0) return undefined
  return { address, bits, masked: hostBitsSet(address.toByteArray(), bits) }
}

/** Only what can be mapped is parsed: it begins with five groups of zeros. */
function mappedIPv4(text: string): string | undefined {
  if (!/^[0:]+:ffff:/i.test(text)) return undefined
  const address = unmapped(ipaddr.parse(text))
  return address.kind() === 'ipv4' ? address.toString() : undefined
}

function unmapped(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  return 'isIPv4MappedAddress' in address && address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

function hostBitsSet(bytes: readonly number[], bits: number): boolean {
  return bytes.some((byte, index) => {
    const fixed = Math.min(Math.max(bits - index * 8, 0), 8)
    return (byte & (0xff >> fixed)) !== 0
  })
}
