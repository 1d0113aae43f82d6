// Owns the question whether a browser may be behind a request that no browser should make: pages of other origins, and
// names that were bound anew to this address (DNS rebinding). It looks at Origin and Host, never at who asks.
import { Fault } from '../errors.ts'
import { headerValue } from '../lib/headers.ts'

/** How this listener is called. `named`: only by these names, by loopback names and by addresses. */
export type Hosts = {
  readonly names: ReadonlySet<string>
  readonly named: boolean
  /** Whole origins, lower case, whose pages may ask (`server.cors`). */
  readonly origins: ReadonlySet<string>
}

/** A listener on loopback has no other names than those; elsewhere the names in front of it are known only if listed. */
export function hostsOf(host: string, publicNames: readonly string[], origins: readonly string[] = []): Hosts {
  return {
    names: new Set(publicNames),
    named: isLoopback(host) || publicNames.length > 0,
    origins: new Set(origins),
  }
}

/** Fault `origin-refused`. */
export function checkOrigin(headers: readonly string[], hosts: Hosts): void {
  const origin = headerValue(headers, 'origin')
  if (origin !== undefined && !isOwnOrigin(origin, hosts))
    throw new Fault(
      'origin-refused',
      'The Origin of the request is not one of this gateway (server.publicNames, server.cors).',
    )
}

/** Fault `origin-refused`. */
export function checkHost(headers: readonly string[], hosts: Hosts): void {
  const host = headerValue(headers, 'host')
  if (host === undefined || !hosts.named) return
  const name = withoutPort(host.toLowerCase())
  // A rebound name is a name: an address in Host cannot be anybody else's.
  if (!isOwn(host.toLowerCase(), hosts) && !isAddress(name))
    throw new Fault('origin-refused', 'The Host of the request is not a name of this gateway (server.publicNames).')
}

/**
 * For upgrades to a WebSocket, which a page may ask of anybody: only those of origins that were named (`server.cors`), not
 * even of this host, whose pages may be anybody's, too. Fault `origin-refused`.
 */
export function checkSocketOrigin(headers: readonly string[], hosts: Hosts): void {
  const origin = headerValue(headers, 'origin')
  if (origin !== undefined && !hosts.origins.has(origin.toLowerCase()))
    throw new Fault('origin-refused', 'Pages of this origin may open no WebSocket here (server.cors).')
}

function isOwnOrigin(origin: string, hosts: Hosts): boolean {
  if (hosts.origins.has(origin.toLowerCase())) return true
  const match = /^https?:\/\/([a-z0-9.-]+(?::\d{1,5})?|\[[0-9a-f:.]+\](?::\d{1,5})?)$/i.exec(origin)
  return match !== null && isOwn((match[1] ?? '').toLowerCase(), hosts)
}

function isOwn(host: string, { names }: Hosts): boolean {
  const name = withoutPort(host)
  return isLoopback(name) || names.has(host) || names.has(name)
}

function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, '')
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '127.0.0.1' || name === '[::1]' || name === '::1'
}

function isAddress(name: string): boolean {
  return name.startsWith('[') || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name)
}
