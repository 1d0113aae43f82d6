// Owns the question whether a socket's address lies in one of several networks.
import ipaddr from 'ipaddr.js'

type Network = { readonly address: ipaddr.IPv4 | ipaddr.IPv6; readonly bits: number }

/** Networks of one principal. IPv4-mapped IPv6 is IPv4 on both sides, whichever way the listener shows it. */
export class Networks {
  readonly #networks: readonly Network[]

  constructor(networks: readonly Network[]) {
    this.#networks = networks
  }

  /** False also for what is not an address. A zone (`%eth0`) is set aside. */
  holds(ip: string): boolean {
    const address = parseAddress(ip)
    if (address === undefined) return false
    return this.#networks.some((network) => network.address.kind() === address.kind() && contains(network, address))
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

function parseAddress(ip: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const zone = ip.indexOf('%')
  const text = zone === -1 ? ip : ip.slice(0, zone)
  return ipaddr.isValid(text) ? unmapped(ipaddr.parse(text)) : undefined
}

function unmapped(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  return 'isIPv4MappedAddress' in address && address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

function contains(network: Network, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  const a = network.address.toByteArray()
  const b = address.toByteArray()
  const whole = network.bits >> 3
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false
  const rest = network.bits & 7
  if (rest === 0) return true
  const mask = 0xff << (8 - rest)
  return ((a[whole] ?? 0) & mask) === ((b[whole] ?? 0) & mask)
}

function hostBitsSet(bytes: readonly number[], bits: number): boolean {
  return bytes.some((byte, index) => {
    const fixed = Math.min(Math.max(bits - index * 8, 0), 8)
    return (byte & (0xff >> fixed)) !== 0
  })
}
