// Owns which addresses an upstream's name may lead to. The judgement is made inside the socket's own lookup, so what
// was judged is what is connected to; it knows nothing of routes or requests.
import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { Fault } from '../errors.ts'
import type { Path } from '../lib/pointer.ts'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Block = readonly [Address, number]

export type Egress = {
  /** Where names may lead. Absent: to everything but the special addresses. */
  readonly only: readonly Block[] | undefined
  /** The url says `localhost`, so loopback is meant, too. */
  readonly localhost: boolean
}

/** Resolves a name to all its addresses, as `dns.lookup` with `all: true` does. */
export type Lookup = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** The lookup of a socket: `net.connect` asks for one address or for all. */
export type SocketLookup = (
  hostname: string,
  options: LookupOptions,
  callback: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
) => void

/**
 * `hostname` as WHATWG URL writes it. One that is an address is not looked up, so nothing here judges it: whoever wrote it
 * down means it, whatever `egress` says.
 */
export function compileEgress(
  hostname: string,
  cidrs: readonly string[] | undefined,
  report: (at: Path, message: string, hint?: string) => void,
): Egress {
  const only = cidrs?.flatMap((cidr, index) => {
    const block = parseBlock(cidr)
    if (block === undefined)
      report(['egress', index], `"${cidr}" is not an address range`, 'write it like 203.0.113.0/24')
    return block === undefined ? [] : [block]
  })
  return { only, localhost: /(^|\.)localhost\.?$/.test(hostname) }
}

/** May this address, as a resolver gave it, be connected to? */
export function admits(egress: Egress, text: string): boolean {
  const address = parseAddress(text)
  if (address === undefined) return false
  if (egress.localhost && address.range() === 'loopback') return true
  if (egress.only !== undefined) return egress.only.some((block) => within(address, block))
  return !isSpecial(address)
}

/** Forbidden addresses are dropped from the answer; with none left the connection fails. */
export function guardLookup(egress: Egress, lookup: Lookup = systemLookup): SocketLookup {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, [])
      const admitted = addresses.filter(({ address }) => admits(egress, address))
      const first = admitted[0]
      if (first === undefined) return callback(new Fault('upstream-refused-address'), [])
      return options.all === true ? callback(null, admitted) : callback(null, first.address, first.family)
    })
  }
}

function parseBlock(text: string): Block | undefined {
  // As below: no short, octal or decimal forms.
  if (isIP(text.split('/')[0] ?? '') === 0) return undefined
  try {
    const [address, bits] = text.includes('/') ? ipaddr.parseCIDR(text) : [ipaddr.parse(text), undefined]
    // A mapped range is a range of IPv4: addresses are judged in that form.
    if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && (bits ?? 128) >= 96) {
      return [address.toIPv4Address(), (bits ?? 128) - 96]
    }
    return [address, bits ?? (address.kind() === 'ipv4' ? 32 : 128)]
  } catch {
    return undefined
  }
}

function parseAddress(text: string): Address | undefined {
  // isIP admits no short, octal or decimal forms, which resolvers and sockets read differently.
  if (isIP(text) === 0) return undefined
  const address = ipaddr.parse(text)
  return address instanceof ipaddr.IPv6 ? embedded(address) : address
}

/** The IPv4 address that traffic to this IPv6 address ends at, or the address itself. */
function embedded(address: ipaddr.IPv6): Address {
  const bytes = address.toByteArray()
  switch (address.range()) {
    case 'ipv4Mapped':
    case 'rfc6145':
    case 'rfc6052': // NAT64; its local-use /48 is read as a /96, the usual layout (RFC 8215)
      return new ipaddr.IPv4(bytes.slice(12))
    case '6to4': // RFC 3056: the 32 bits after 2002:
      return new ipaddr.IPv4(bytes.slice(2, 6))
    case 'teredo': // RFC 4380 section 4: the client's address, inverted
      return new ipaddr.IPv4(bytes.slice(12).map((byte) => byte ^ 0xff))
    default:
      // IPv4-compatible addresses (RFC 4291 section 2.5.5.1), but not :: and ::1.
      return bytes.slice(0, 12).every((byte) => byte === 0) && (bytes[12] ?? 0) > 0
        ? new ipaddr.IPv4(bytes.slice(12))
        : address
  }
}

const specialRanges: ReadonlySet<string> = new Set([
  'loopback',
  'linkLocal',
  'unspecified',
  'multicast',
  'broadcast',
  'carrierGradeNat',
])

// Metadata services outside the link-local range: AWS and Google over IPv6, Azure, Oracle.
const metadata: ReadonlySet<string> = new Set(
  ['fd00:ec2::254', 'fd20:ce::254', '168.63.129.16', '192.0.0.192'].map((text) => ipaddr.parse(text).toString()),
)

function isSpecial(address: Address): boolean {
  return specialRanges.has(address.range()) || metadata.has(unzoned(address))
}

/** A zone (fe80::1%eth0) names an interface and changes nothing about the address. */
function unzoned(address: Address): string {
  return address.toString().replace(/%.*$/, '')
}

function within(address: Address, [start, bits]: Block): boolean {
  return address.kind() === start.kind() && address.match(start, bits)
}
