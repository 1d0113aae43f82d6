// Owns keeping values in Redis, for gateways that share a key: under a keyed name, encrypted, for a time. Redis never
// sees a caller, a token or a value. Whoever asks a Redis that does not answer is told at once that it is not there.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { loadRedis } from '../lib/late-packages.ts'
import { keyedDigest, type KeyedDigest } from '../lib/keyed-digest.ts'
import { Recent } from '../lib/recent.ts'
import { restorePlaces } from './options.ts'
import type { Kept, TokenForm } from './vault-memory.ts'

/** What is used of a Redis client; ioredis fulfils it, and so does a test's. */
export interface VaultRedisClient {
  readonly status: string
  mgetBuffer(keys: string[]): Promise<(Buffer | null)[]>
  set(key: string, value: Buffer, unit: 'PX', ttlMs: number): Promise<unknown>
  disconnect(): void
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'ready', listener: () => void): unknown
}

export type VaultRedisAddress = {
  readonly url: string
  readonly username?: string
  readonly password?: string
  readonly timeoutMs: number
}

export function connectVaultRedis(address: VaultRedisAddress): VaultRedisClient {
  const { url, username, password, timeoutMs } = address
  const client = loadRedis()
  return new client.Redis(url, {
    protocol: 2,
    disableClientInfo: true,
    connectionName: 'gatewright-vault',
    connectTimeout: 2000,
    disconnectTimeout: 200,
    commandTimeout: timeoutMs,
    // Without these a request waits for Redis to come back.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt - 1, 10), 2000) * (0.5 + Math.random() / 2),
    ...(username === undefined ? undefined : { username }),
    ...(password === undefined ? undefined : { password }),
  })
}

export type VaultFault = 'timeout' | 'reply' | 'unavailable' | 'connection'

export type VaultRedisContext = {
  /** 32 bytes that the gateways have in common. */
  readonly key: Buffer
  readonly prefix: string
  readonly ttlMs: number
  readonly clock: Clock
  readonly onFault: (what: VaultFault) => void
}

export type Shareable = { readonly form: TokenForm; readonly kept: Kept }

/** How long Redis is left alone after it did not answer in time. */
const pauseMs = 1000
const sentCharactersMax = 512 * 1024
const nonceBytes = 12
const tagBytes = 16

export class VaultRedis {
  readonly #client: VaultRedisClient
  readonly #context: VaultRedisContext
  readonly #cipherKey: Buffer
  readonly #nameOf: KeyedDigest
  /** Name → when Redis took it, so that a conversation does not send its values with every turn. */
  readonly #sent = new Recent<number>(sentCharactersMax)
  #pausedUntilMs = Number.NEGATIVE_INFINITY

  constructor(client: VaultRedisClient, context: VaultRedisContext) {
    this.#client = client
    this.#context = context
    this.#cipherKey = derived(context.key, 'vault/values')
    this.#nameOf = keyedDigest(derived(context.key, 'vault/names'))
    // An 'error' event without a listener would end the process.
    client.on('error', () => context.onFault('connection'))
  }

  /** Undefined: Redis did not answer. What cannot be decrypted with our key is as good as not there. */
  async get(caller: string, tokens: readonly string[]): Promise<(Shareable | undefined)[] | undefined> {
    if (!this.#isThere()) {
      this.#context.onFault('unavailable')
      return undefined
    }
    const names = tokens.map((token) => this.#name(caller, token))
    try {
      const found = await this.#client.mgetBuffer(names)
      return names.map((name, index) => this.#opened(name, found[index] ?? null))
    } catch (error) {
      this.#failed(error)
      return undefined
    }
  }

  /** Does not wait: what Redis did not take is sent again when the token is next given out. */
  put(caller: string, token: string, value: Shareable): void {
    const { ttlMs, clock } = this.#context
    const name = this.#name(caller, token)
    const terms = `${name} ${value.kept.restore.join()} ${value.kept.restoreTo.join()}`
    const nowMs = clock.monotonic()
    if (nowMs < (this.#sent.get(terms) ?? Number.NEGATIVE_INFINITY) + ttlMs / 2) return
    if (!this.#isThere()) {
      this.#context.onFault('unavailable')
      return
    }
    this.#client.set(name, this.#sealed(name, value), 'PX', ttlMs).then(
      () => this.#sent.set(terms, nowMs),
      (error: unknown) => this.#failed(error),
    )
  }

  /** Resolves once Redis can be asked, or after `timeoutMs`. */
  ready(timeoutMs: number): Promise<void> {
    if (this.#isThere()) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#context.clock.after(timeoutMs, resolve)
      this.#client.on('ready', () => {
        timer.cancel()
        resolve()
      })
    })
  }

  close(): void {
    this.#client.disconnect()
  }

  #isThere(): boolean {
    return this.#client.status === 'ready' && this.#context.clock.monotonic() >= this.#pausedUntilMs
  }

  #failed(error: unknown): void {
    const isLate = error instanceof Error && error.message === 'Command timed out'
    if (isLate) this.#pausedUntilMs = this.#context.clock.monotonic() + pauseMs
    const isReply = error instanceof Error && error.name === 'ReplyError'
    this.#context.onFault(isLate ? 'timeout' : isReply ? 'reply' : 'unavailable')
  }

  #name(caller: string, token: string): string {
    const name = this.#nameOf(Buffer.from(`${caller.length}\0${caller}\0${token}`))
    return `${this.#context.prefix}vault/${name}`
  }

  /** AES-256-GCM; the name is authenticated, so that no value can be moved under another. */
  #sealed(name: string, value: Shareable): Buffer {
    const nonce = randomBytes(nonceBytes)
    const cipher = createCipheriv('aes-256-gcm', this.#cipherKey, nonce).setAAD(Buffer.from(name))
    const sealed = [cipher.update(JSON.stringify(value)), cipher.final()]
    return Buffer.concat([nonce, cipher.getAuthTag(), ...sealed])
  }

  #opened(name: string, bytes: Buffer | null): Shareable | undefined {
    if (bytes === null || bytes.length <= nonceBytes + tagBytes) return undefined
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#cipherKey, bytes.subarray(0, nonceBytes))
      decipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
      const text = Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()])
      return shareable(JSON.parse(text.toString()))
    } catch {
      this.#context.onFault('reply')
      return undefined
    }
  }
}

/** Whoever wrote it had the key, but may have been another version. */
function shareable(value: unknown): Shareable | undefined {
  const { form, kept } = value as Partial<Shareable>
  if (form !== 'word' && form !== 'mail') return undefined
  const { entity, value: text, restore, restoreTo } = kept ?? {}
  if (typeof entity !== 'string' || typeof text !== 'string') return undefined
  const to = Array.isArray(restoreTo) ? restoreTo.filter((id) => typeof id === 'string') : []
  const places = restorePlaces.filter((place) => Array.isArray(restore) && restore.includes(place))
  return { form, kept: { entity, value: text, restore: places, restoreTo: to } }
}

function derived(key: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `gatewright/${purpose}`, 32))
}
