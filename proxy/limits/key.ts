// Owns the name of one count: which requests share it. It does not know what is counted.
import { hash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { LimitSubject } from './limiter.ts'
import type { Dimension } from './options.ts'

/** Longer names are replaced by their digest, so that a client cannot make the store hold what it likes. */
const charsMax = 128

/** What a count may be named after. */
export type Named = Pick<LimitSubject, 'principal' | 'org' | 'team' | 'ip' | 'route' | 'upstream'> & {
  readonly role?: string | undefined
  readonly model?: string | undefined
  readonly tool?: string | undefined
}

/**
 * Every value is preceded by its length, so two different subjects never share a name whatever characters they hold.
 * A value that is absent is written `-` and is a subject of its own.
 */
export function subjectKey(by: readonly Dimension[], subject: Named): string {
  let key = ''
  for (const name of by) {
    const value = name === 'ip' ? addressBlock(subject.ip) : subject[name]
    key += value === undefined ? '-' : `${value.length}:${value}`
  }
  return key.length <= charsMax ? key : `#${hash('sha256', key, 'base64url')}`
}

/** One IPv6 client commands a whole /64 (RFC 6177), so that is what is counted. IPv4-mapped addresses are IPv4. */
function addressBlock(ip: string): string {
  if (!ip.includes(':') || !isIPv6(ip)) return ip
  const address = ipaddr.IPv6.parse(ip)
  if (address.isIPv4MappedAddress()) return address.toIPv4Address().toString()
  return `${address.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}
