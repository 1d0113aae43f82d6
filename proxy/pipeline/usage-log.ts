// Owns sums of what was used, read from the outcome records of the audit log: there is no second book that could disagree
// with the first. It remembers how far it has read, so asking again reads only what is new. It verifies nothing.
import { lineEnd, readBlocks } from '../audit/blocks.ts'
import { listLogs, listSegments } from '../audit/layout.ts'
import { costNanos, type Prices } from '../limits/prices.ts'

export const usageKeys = ['day', 'org', 'team', 'principal', 'model'] as const
export type UsageKey = (typeof usageKeys)[number]

/** `unpriced`: requests whose cost is in no sum, because nobody knows the price. */
export type UsageSums = {
  requests: number
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
  costNanos: number
  unpriced: number
}

export type UsageRow = { readonly [K in UsageKey]?: string } & Readonly<UsageSums>

/** Days as `2026-11-21`, in UTC, both included. */
export type UsageQuery = { readonly by: readonly UsageKey[]; readonly from?: string; readonly to?: string }

/** Models are named by clients, so the sums are bounded; what is beyond is summed as `other`. About 40 MB when full. */
const groupsMax = 100_000
const nameCharsMax = 256

type Group = { readonly names: Readonly<Record<UsageKey, string>>; readonly sums: UsageSums }

export class UsageLog {
  readonly #dir: string
  readonly #prices: Prices
  readonly #groupsMax: number
  readonly #groups = new Map<string, Group>()
  readonly #read = new Map<string, number>()
  #reading: Promise<void> | undefined

  constructor(dir: string, prices: Prices, groupsMaxOwn: number = groupsMax) {
    this.#dir = dir
    this.#prices = prices
    this.#groupsMax = groupsMaxOwn
  }

  /** In order of the names. Reads what is new first; several at once read once. Throws what the file system throws. */
  async rows({ by, from = '', to = '9999' }: UsageQuery): Promise<UsageRow[]> {
    this.#reading ??= this.#readNew().finally(() => (this.#reading = undefined))
    await this.#reading
    const rows = new Map<string, { [K in UsageKey]?: string } & UsageSums>()
    for (const { names, sums } of this.#groups.values()) {
      if (names.day < from || names.day > to) continue
      const key = by.map((name) => names[name]).join('\n')
      let row = rows.get(key)
      if (row === undefined) {
        row = { ...Object.fromEntries(by.map((name) => [name, names[name]])), ...noSums() }
        rows.set(key, row)
      }
      addSums(row, sums)
    }
    return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
  }

  async #readNew(): Promise<void> {
    for (const folder of await listLogs(this.#dir)) {
      const segments = await listSegments(folder)
      for (const [index, { name }] of segments.entries()) {
        const path = `${folder}/${name}`
        const from = this.#read.get(path) ?? 0
        // Whoever has begun to read the next segment has read this one to its end.
        const next = segments[index + 1]
        if (from > 0 && next !== undefined && this.#read.has(`${folder}/${next.name}`)) continue
        for await (const { bytes, start, end, offset, torn } of readBlocks(path, from)) {
          if (torn) break
          this.#addLines(bytes, start, end)
          this.#read.set(path, offset + end - start)
        }
      }
    }
  }

  /** Most lines are of no interest and are never made into strings. */
  #addLines(bytes: Buffer, start: number, end: number): void {
    for (let at = bytes.indexOf(mark, start); at >= 0 && at < end; at = bytes.indexOf(mark, at)) {
      const begin = bytes.lastIndexOf(0x0a, at) + 1
      const found = lineEnd(bytes, at, end)
      const to = found < 0 ? end : found
      this.#addLine(bytes.toString('utf8', Math.max(begin, start), to))
      at = to
    }
  }

  #addLine(line: string): void {
    const used = parseUse(line)
    if (used === undefined) return
    const { names, sums } = used
    if (sums.costNanos < 0) {
      const price = this.#prices.of(names.model)
      const within = used.apart ? 0 : sums.cacheRead + sums.cacheWrite
      const fresh = { ...sums, input: Math.max(0, sums.input - within) }
      sums.costNanos = price === undefined ? 0 : costNanos(price, fresh)
      if (price === undefined) sums.unpriced = 1
    }
    const group = this.#groupOf(names)
    addSums(group.sums, sums)
  }

  #groupOf(names: Group['names']): Group {
    const key = usageKeys.map((name) => names[name]).join('\n')
    const known = this.#groups.get(key)
    if (known !== undefined) return known
    const full = this.#groups.size >= this.#groupsMax
    if (full && (names.model !== other || names.principal !== other))
      return this.#groupOf({ ...names, model: other, principal: other, org: other, team: other })
    const group = { names, sums: noSums() }
    this.#groups.set(key, group)
    return group
  }
}

const mark = Buffer.from('"usage":{')
const other = 'other'

function noSums(): UsageSums {
  return { requests: 0, input: 0, output: 0, cacheRead: 0, cacheWrite: 0, costNanos: 0, unpriced: 0 }
}

function addSums(to: UsageSums, from: UsageSums): void {
  for (const field of Object.keys(noSums()) as (keyof UsageSums)[]) to[field] += from[field]
}

type Use = Group & { readonly apart: boolean }

/** Undefined: not an outcome, or not a record of ours. A cost that the record does not say is below zero. */
function parseUse(line: string): Use | undefined {
  let record: Readonly<Record<string, unknown>>
  try {
    record = JSON.parse(line) as typeof record
  } catch {
    return undefined
  }
  const { kind, t: time, usage, operation, costNanos: cost } = record
  if (kind !== 'outcome' || typeof time !== 'string' || typeof usage !== 'object' || usage === null) return undefined
  const count = (field: string): number => numberOf((usage as Record<string, unknown>)[field])
  const name = (field: string): string => {
    const value = record[field]
    // A line end would make two names of one.
    return typeof value === 'string' ? value.slice(0, nameCharsMax).replaceAll('\n', ' ') : ''
  }
  return {
    names: {
      day: time.slice(0, 10),
      org: name('org'),
      team: name('team'),
      principal: name('principal'),
      model: name('model'),
    },
    sums: {
      requests: 1,
      input: count('input'),
      output: count('output'),
      cacheRead: count('cacheRead'),
      cacheWrite: count('cacheWrite'),
      costNanos: cost === undefined ? -1 : numberOf(cost),
      unpriced: 0,
    },
    // As protocols say of themselves (cachedInputApart); records name the operation.
    apart: operation === 'messages',
  }
}

/** Logs of earlier versions hold what upstreams reported, whatever it was, and one such number would be in a sum for good. */
function numberOf(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0
}
