// Owns counting in Redis: one script per request, so that several gateways share counts and no request is counted by
// half. It also owns the breaker round Redis: who asks a Redis that is slow is told at once that it is not there.
import { randomUUID } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import type { Clock, Timer } from '../lib/clock.ts'
import { loadRedis } from '../lib/late-packages.ts'
import type { ResolveSecret } from '../lib/secret.ts'
import type { RedisPlan } from './compile-store.ts'
import type { Charge, Correction, Count, Taken } from './counters.ts'
import { correctArguments, correctScript, takeArguments, takeScript } from './script.ts'
import { Settlements, type Told } from './settlements.ts'
import type { StoreErrorReason, StoreEvent } from './store-event.ts'

/** What is used of a Redis client; ioredis fulfils it, and so does a test's. */
export interface RedisClient {
  readonly status: string
  takeAll(keyCount: number, ...keysAndArguments: (string | number)[]): Promise<unknown>
  correctAll(keyCount: number, ...keysAndArguments: (string | number)[]): Promise<unknown>
  ping(): Promise<unknown>
  disconnect(reconnect?: boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'ready' | 'close', listener: () => void): unknown
  off(event: 'ready', listener: () => void): unknown
}

const reconnectMsMax = 2000

export function connectRedis(plan: RedisPlan, resolveSecret: ResolveSecret): RedisClient {
  const client = connect(plan, resolveSecret)
  client.defineCommand('takeAll', { lua: takeScript })
  client.defineCommand('correctAll', { lua: correctScript })
  return client as unknown as RedisClient
}

function connect(plan: RedisPlan, resolveSecret: ResolveSecret): Redis | Cluster {
  const options = {
    protocol: 2 as const,
    disableClientInfo: true,
    connectionName: 'gatewright',
    connectTimeout: 2000,
    // How long a connection that is given up may take to end before it is destroyed: a hung server never ends it.
    disconnectTimeout: 200,
    commandTimeout: plan.timeoutMs,
    // Without these three a request waits for Redis to come back.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // A charge that was given up must not be replayed after the next connect: its request was decided without it.
    autoResendUnfulfilledCommands: false,
    ...(plan.username === undefined ? {} : { username: plan.username }),
    ...(plan.password === undefined ? {} : { password: resolveSecret(plan.password) }),
    ...(plan.tls ? { tls: {} } : {}),
  }
  const { servers } = plan
  const client = loadRedis()
  if ('url' in servers) return new client.Redis(servers.url, { ...options, retryStrategy: backoffMs })
  if ('cluster' in servers) {
    return new client.Cluster([...servers.cluster], {
      enableOfflineQueue: false,
      clusterRetryStrategy: backoffMs,
      // One move of the slot is followed; whoever waits for more waits longer than a command may.
      maxRedirections: 2,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      redisOptions: options,
    })
  }
  const { sentinels, name, sentinelPassword } = servers
  return new client.Redis({
    ...options,
    sentinels: [...sentinels],
    name,
    sentinelRetryStrategy: backoffMs,
    retryStrategy: backoffMs,
    ...(sentinelPassword === undefined ? {} : { sentinelPassword: resolveSecret(sentinelPassword) }),
    ...(plan.tls ? { enableTLSForSentinelMode: true } : {}),
  })
}

function backoffMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt - 1, 10), reconnectMsMax) * (0.5 + Math.random() / 2)
}

const probeMsMin = 100
const probeMsMax = 1000
/** Unanswered probes after which the connection itself is given up: behind a black hole only a new one can help. */
const probesPerConnection = 3
/** How often at most a primary that became a replica is left for a new connection. */
const readonlyReconnectMs = 5000

export class RedisCounters {
  readonly #client: RedisClient
  readonly #prefix: string
  readonly #clock: Clock
  readonly #onEvent: (event: StoreEvent) => void
  readonly #settlements: Settlements
  /** Of this process, in the key that says which corrections it has made. */
  readonly #id: string
  #slow = false
  /** ioredis calls a connection ready until it is closed, also when it was told to leave it. */
  #leaving = false
  #leftReadonlyAtMs = Number.NEGATIVE_INFINITY
  #up: boolean | undefined
  #probe: Timer | undefined
  #closed = false

  constructor(
    client: RedisClient,
    prefix: string,
    clock: Clock,
    onEvent: (event: StoreEvent) => void,
    id: string = randomUUID(),
  ) {
    this.#client = client
    this.#prefix = prefix
    this.#clock = clock
    this.#onEvent = onEvent
    this.#id = id
    this.#settlements = new Settlements({
      tell: (number, corrections) => this.#correct(number, corrections),
      clock,
      onDropped: () => onEvent({ kind: 'error', reason: 'dropped', message: 'too many corrections wait' }),
      onLost: (count) => onEvent({ kind: 'lost', count }),
    })
    // An 'error' event without a listener would end the process.
    client.on('error', (error) => this.#onEvent({ kind: 'error', reason: 'connection', message: reasonOf(error) }))
    client.on('ready', () => this.#report())
    client.on('close', () => {
      this.#leaving = false
      this.#report()
    })
  }

  /** Whether a question would be asked at all. */
  get available(): boolean {
    return !this.#slow && !this.#leaving && this.#client.status === 'ready'
  }

  /** Undefined: Redis did not count; whether it counts later what it was sent before a timeout is not known. */
  async take(charges: readonly Charge[]): Promise<Taken | undefined> {
    if (!this.available) {
      this.#onEvent({ kind: 'error', reason: 'unavailable', message: this.#slow ? 'breaker open' : 'not connected' })
      return undefined
    }
    const keys = charges.map((charge) => this.#keyOf(charge))
    const wallMs = this.#clock.now()
    const rest = charges.flatMap((charge) => takeArguments(charge, wallMs))
    try {
      return readReply(await this.#client.takeAll(keys.length, ...keys, ...rest), charges.length)
    } catch (error) {
      this.#failed(error)
      return undefined
    }
  }

  /** Nobody waits for it. What Redis is not there for is made when it is back. */
  correct(corrections: readonly Correction[]): void {
    this.#settlements.add(corrections, this.available)
  }

  /** Requests whose corrections wait for Redis. */
  get unsettled(): number {
    return this.#settlements.waiting
  }

  async #correct(number: number, corrections: readonly Correction[]): Promise<Told> {
    if (!this.available) return 'unknown'
    const wallMs = this.#clock.now()
    const keys = [...corrections.map((correction) => this.#keyOf(correction)), this.#keyOf(settledBy(this.#id))]
    const rest = corrections.flatMap((correction) => correctArguments(correction, wallMs))
    try {
      await this.#client.correctAll(keys.length, ...keys, ...rest, number)
      return 'told'
    } catch (error) {
      this.#failed(error)
      // What it answered with an error it did not begin.
      return isReply(error) ? 'refused' : 'unknown'
    }
  }

  /** One tag for all keys, so that those of one request lie in one slot of a cluster. */
  #keyOf({ namespace, key }: { readonly namespace: string; readonly key: string }): string {
    return `${this.#prefix}{limits}${namespace}/${key}`
  }

  /** Resolves with true once Redis can be asked, with false after `timeoutMs`. Never rejects. */
  ready(timeoutMs: number): Promise<boolean> {
    if (this.available) return Promise.resolve(true)
    return new Promise((resolve) => {
      const settle = (ready: boolean): void => {
        timer.cancel()
        this.#client.off('ready', onReady)
        resolve(ready)
      }
      const onReady = (): void => settle(true)
      const timer = this.#clock.after(timeoutMs, () => settle(false))
      this.#client.on('ready', onReady)
    })
  }

  close(): void {
    this.#closed = true
    this.#settlements.close()
    this.#probe?.cancel()
    this.#client.disconnect()
  }

  /** Only slowness opens the breaker: an error that comes back at once costs a request nothing worth saving. */
  #failed(error: unknown): void {
    const message = reasonOf(error)
    const reason = classify(error, message)
    this.#onEvent({ kind: 'error', reason, message })
    if (this.#closed) return
    if (message.startsWith('READONLY')) this.#leaveReadonly()
    if (reason !== 'timeout' || this.#slow) return
    this.#slow = true
    this.#report()
    // At once: if only this process or the network stalled for a moment, Redis is back within a round trip.
    void this.#ask(1)
  }

  /** After a failover the name points to the new primary while this connection still holds the old one. */
  #leaveReadonly(): void {
    const nowMs = this.#clock.monotonic()
    if (nowMs - this.#leftReadonlyAtMs < readonlyReconnectMs) return
    this.#leftReadonlyAtMs = nowMs
    this.#leave()
  }

  #leave(): void {
    if (this.#leaving || this.#client.status !== 'ready') return
    this.#leaving = true
    this.#report()
    this.#client.disconnect(true)
  }

  /** Probes stand beside the requests, so none of them pays for finding out that Redis is still away. */
  async #ask(attempt: number): Promise<void> {
    try {
      await this.#client.ping()
      this.#slow = false
      this.#report()
    } catch {
      if (this.#closed) return
      if (attempt % probesPerConnection === 0) this.#leave()
      const delayMs = Math.min(probeMsMin * 2 ** Math.min(attempt - 1, 10), probeMsMax)
      this.#probe = this.#clock.after(delayMs, () => void this.#ask(attempt + 1))
    }
  }

  #report(): void {
    if (this.#closed || this.#up === this.available) return
    this.#up = this.available
    this.#onEvent({ kind: 'state', up: this.#up })
    if (this.#up) void this.#settlements.resume()
  }
}

function readReply(reply: unknown, length: number): Taken {
  if (!Array.isArray(reply) || reply.length !== 1 + 4 * length) throw new Error('Redis sent an unexpected reply')
  const numbers = reply.map(Number)
  const counts: Count[] = []
  for (let at = 1; at < numbers.length; at += 4) {
    const [used = 0, resetMs = 0, waitMs = 0, mark = 0] = numbers.slice(at, at + 4)
    counts.push({ used, resetMs, waitMs, mark })
  }
  return { admitted: numbers[0] === 1, counts }
}

function classify(error: unknown, message: string): StoreErrorReason {
  if (message === 'Command timed out') return 'timeout'
  return isReply(error) ? 'reply' : 'unavailable'
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError'
}

/** No limit's id begins with a colon. */
function settledBy(id: string): { readonly namespace: string; readonly key: string } {
  return { namespace: ':settled', key: id }
}

/** Some connection errors carry only a code (several addresses were tried). */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  return error.message === '' ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message
}
