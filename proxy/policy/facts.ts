// Owns what one evaluation may look at: the query, and what follows from it (tags, counts by group, the client's
// address in numbers), worked out at most once and only when some rule asks.
import ipaddr from 'ipaddr.js'
import type { Catalogue } from './catalogue.ts'
import { unreadable } from './glob.ts'
import type { Action, Query } from './query.ts'
import type { Truth } from './truth.ts'

/** Whole groups of 16 bits, as many as the kind of address has. */
export type Address = readonly number[]

/** What a policy knows beyond the query. */
export type Background = {
  readonly catalogue: Catalogue
  /** Entity → group. */
  readonly entities: ReadonlyMap<string, string>
  /** Every entity and group, none found: what expressions see of most content. */
  readonly nothingFound: Readonly<Record<string, bigint>>
}

export function backgroundOf(catalogue: Catalogue, entities: ReadonlyMap<string, string>): Background {
  const names = [...entities.keys(), ...entities.values()]
  return { catalogue, entities, nothingFound: Object.freeze(Object.fromEntries(names.map((name) => [name, 0n]))) }
}

export class Facts {
  readonly query: Query
  readonly action: Action
  readonly background: Background
  /** Why the last condition that was asked could not be decided. */
  because = ''
  /** The view of these facts that expressions see; made by the first expression. */
  expressionContext: object | undefined
  #tags: readonly string[] | undefined
  #counts: Readonly<Record<string, bigint>> | undefined
  #address: Address | null | undefined

  constructor(query: Query, background: Background) {
    this.query = query
    this.action = query.action
    this.background = background
  }

  /** Notes why something cannot be decided. */
  unknown(why: string): undefined {
    this.because = why
    return undefined
  }

  /**
   * A name as patterns see it: undefined when absent, when it is longer than patterns read, and when it is not in Unicode
   * normal form C, because then it is ambiguous which name the upstream will see.
   */
  test(name: string | undefined, what: string, matches: (name: string) => boolean): Truth {
    if (name === undefined) return this.unknown(`${what} is unknown`)
    const why = unreadable(name)
    return why === undefined ? matches(name) : this.unknown(`${what} ${why}`)
  }

  /** Undefined where the name of the tool is one that no pattern can be asked about. */
  get tags(): readonly string[] | undefined {
    if (this.action.tool === undefined || unreadable(this.action.tool) !== undefined) return undefined
    return (this.#tags ??= this.background.catalogue.tagsOf(this.action.tool, this.query.upstream))
  }

  /** Every known entity and group with its count, zero included; undefined when the content was not inspected. */
  get counts(): Readonly<Record<string, bigint>> | undefined {
    if (this.query.findings === undefined) return undefined
    return (this.#counts ??= countAll(this.query.findings, this.background))
  }

  /** Null when the client's address cannot be read. An IPv4 address written as IPv6 is the IPv4 address. */
  get address(): Address | null {
    return (this.#address ??= readAddress(this.query.client.ip))
  }
}

/** Reading an address costs more than all else here, and clients come back; bounded, because anyone may be a client. */
const addresses = new Map<string, Address | null>()
const addressesMax = 1000

function readAddress(ip: string): Address | null {
  const known = addresses.get(ip)
  if (known !== undefined) return known
  const address = ipaddr.isValid(ip) ? groupsOf(ipaddr.process(ip)) : null
  if (addresses.size >= addressesMax) addresses.clear()
  addresses.set(ip, address)
  return address
}

export function groupsOf(address: ipaddr.IPv4 | ipaddr.IPv6): Address {
  const bytes = address.toByteArray()
  return Array.from({ length: bytes.length / 2 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0))
}

function countAll(
  found: Readonly<Record<string, number>>,
  { entities, nothingFound }: Background,
): Readonly<Record<string, bigint>> {
  let counts: Record<string, bigint> | undefined
  for (const [entity, count] of Object.entries(found)) {
    const group = entities.get(entity)
    if (group === undefined || count === 0) continue
    counts ??= { ...nothingFound }
    counts[entity] = BigInt(count)
    counts[group] = (counts[group] ?? 0n) + BigInt(count)
  }
  return counts ?? nothingFound
}
