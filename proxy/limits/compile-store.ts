// Owns the step from options to a plan for the store. It opens nothing.
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import type { SecretRef } from '../lib/secret.ts'
import { parseDuration } from '../lib/units.ts'
import type { RedisOptions, StoreOptions } from './options.ts'

export type Node = { readonly host: string; readonly port: number }

export type RedisPlan = {
  readonly servers:
    | { readonly url: string }
    | { readonly sentinels: readonly Node[]; readonly name: string; readonly sentinelPassword?: SecretRef }
    | { readonly cluster: readonly Node[] }
  /** Again, for what can only be asked of one server. */
  readonly url?: string
  readonly tls: boolean
  readonly username?: string
  readonly password?: SecretRef
  readonly timeoutMs: number
  readonly prefix: string
}

export type StorePlan = {
  /** How many processes share the counts; each takes its part while there is no store. */
  readonly replicas: number
  readonly redis?: RedisPlan
}

const timeoutMsDefault = 50
const timeoutMsMax = 1000

export function compileStore(
  options: StoreOptions | undefined,
  path: Path,
): { readonly plan: StorePlan; readonly problems: readonly Problem[] } {
  const replicas = options?.replicas ?? 1
  const redis = options?.redis
  if (redis === undefined) return { plan: { replicas }, problems: [] }
  const at = [...path, 'redis']
  const problems = [...checkServers(redis, at), ...(redis.url === undefined ? [] : checkUrl(redis.url, at))]
  const timeoutMs = redis.timeout === undefined ? timeoutMsDefault : parseDuration(redis.timeout)
  if (timeoutMs === undefined || timeoutMs === 0 || timeoutMs > timeoutMsMax) {
    problems.push({
      path: [...at, 'timeout'],
      message: 'the timeout for Redis must lie between 1ms and 1s',
      hint: 'requests wait for it: leave it at 50ms',
      severity: 'error',
    })
  }
  const plan: RedisPlan = {
    servers: serversOf(redis),
    ...(redis.url === undefined ? {} : { url: redis.url }),
    tls: redis.tls ?? false,
    timeoutMs: timeoutMs ?? timeoutMsDefault,
    prefix: redis.prefix ?? 'gatewright:',
    ...(redis.username === undefined ? {} : { username: redis.username }),
    ...(redis.password === undefined ? {} : { password: redis.password }),
  }
  return { plan: { replicas, redis: plan }, problems }
}

function checkServers({ url, sentinels, cluster, tls }: RedisOptions, at: Path): Problem[] {
  const given = [url, sentinels, cluster].filter((servers) => servers !== undefined).length
  if (given !== 1) {
    const hint = 'write e.g. url: redis://host:6379'
    return [{ path: at, message: 'the store needs one of url, sentinels and cluster', hint, severity: 'error' }]
  }
  if (url === undefined || tls !== true) return []
  const message = 'with a url, TLS is asked for by rediss://'
  return [{ path: [...at, 'tls'], message, hint: 'leave tls out', severity: 'error' }]
}

/** The url itself stays out of messages: it may carry a password. */
function checkUrl(written: string, at: Path): Problem[] {
  const report = (message: string, hint: string): Problem[] => [
    { path: [...at, 'url'], message, hint, severity: 'error' },
  ]
  const url = URL.parse(written)
  if (url === null || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '')
    return report('this is not a Redis url', 'write redis://host:6379 or rediss://host:6379')
  if (!/^\/?[0-9]{0,4}$/.test(url.pathname) || url.search !== '' || url.hash !== '')
    return report('only a database number may follow the host of a Redis url', 'write e.g. redis://host:6379/0')
  return []
}

function serversOf({ url, sentinels, cluster }: RedisOptions): RedisPlan['servers'] {
  if (sentinels !== undefined) {
    const { name, nodes, password } = sentinels
    return { sentinels: nodes.map(nodeOf), name, ...(password === undefined ? {} : { sentinelPassword: password }) }
  }
  return cluster === undefined ? { url: url ?? '' } : { cluster: cluster.nodes.map(nodeOf) }
}

function nodeOf(text: string): Node {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}
