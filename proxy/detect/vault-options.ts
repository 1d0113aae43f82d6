// Owns what operators may write under `vault`: type, JSON Schema and its meaning. It opens nothing.
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { secretRefSchema, type SecretRef } from '../lib/secret.ts'
import { durationPattern, parseDuration } from '../lib/units.ts'

export type VaultOptions = {
  readonly ttl: string
  readonly entries: number
  readonly store: 'memory' | 'redis'
  readonly key?: SecretRef
}

export type VaultPlan = {
  readonly ttlMs: number
  readonly entriesMax: number
  /** Other gateways see the same: kept in Redis, too. */
  readonly isShared: boolean
  /** Absent: tokens are derived from the key of the audit log. */
  readonly key?: SecretRef
}

export const vaultSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'How long it is remembered what tokens stand for, beyond the exchange that issued them.',
  properties: {
    ttl: {
      type: 'string',
      pattern: durationPattern,
      default: '1h',
      description: 'How long a value is kept after a token was last given out for it.',
    },
    entries: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000_000,
      default: 100_000,
      description: 'Most values kept in this process; the oldest go first.',
    },
    store: {
      enum: ['memory', 'redis'],
      default: 'memory',
      description: 'redis: also in the Redis of `store`, encrypted, for all gateways that have the key.',
    },
    key: {
      ...secretRefSchema,
      description: 'Secret that tokens and their encryption are derived from; absent: the key of the audit log.',
    },
  },
} as const

const ttlMsMin = 1000
const ttlMsMax = 7 * 86_400_000

export function compileVault(
  options: VaultOptions,
  path: Path,
  hasRedis: boolean,
): { readonly plan: VaultPlan; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const report = (key: string, message: string, hint: string): void => {
    problems.push({ path: [...path, key], message, hint, severity: 'error' })
  }
  const ttlMs = parseDuration(options.ttl) ?? 0
  if (ttlMs < ttlMsMin || ttlMs > ttlMsMax)
    report('ttl', 'values are kept from 1s to 7d', 'an hour outlasts most conversations')
  const isShared = options.store === 'redis'
  if (isShared && !hasRedis) report('store', 'there is no Redis to keep values in', 'add store: { redis: { url: … } }')
  if (isShared && options.key === undefined)
    report('store', 'gateways share values only if they have a key in common', 'add vault: { key: { fromFile: … } }')
  const { entries: entriesMax, key } = options
  return { plan: { ttlMs, entriesMax, isShared, ...(key === undefined ? undefined : { key }) }, problems }
}
