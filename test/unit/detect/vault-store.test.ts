import t from 'tap'
import type { Kept } from '../../../proxy/detect/vault-memory.ts'
import { compileVault, type VaultOptions } from '../../../proxy/detect/vault-options.ts'
import { VaultRedis, type VaultRedisClient } from '../../../proxy/detect/vault-redis.ts'
import { openVaultStore, type VaultStore } from '../../../proxy/detect/vault-store.ts'
import { ManualClock } from '../../support/clock.ts'

/** A Redis that several clients share. */
class FakeRedis implements VaultRedisClient {
  readonly held: Map<string, Buffer>
  status = 'ready'
  fails: Error | undefined
  asked = 0

  constructor(held = new Map<string, Buffer>()) {
    this.held = held
  }

  mgetBuffer(keys: string[]): Promise<(Buffer | null)[]> {
    this.asked += 1
    if (this.fails !== undefined) return Promise.reject(this.fails)
    return Promise.resolve(keys.map((name) => this.held.get(name) ?? null))
  }

  set(name: string, value: Buffer): Promise<unknown> {
    this.asked += 1
    if (this.fails !== undefined) return Promise.reject(this.fails)
    this.held.set(name, value)
    return Promise.resolve('OK')
  }

  disconnect(): void {
    this.status = 'end'
  }

  on(): void {}
}

const kept: Kept = { entity: 'email', value: 'ada@example.org', restore: ['response.text'], restoreTo: ['crm'] }

function gateway(client: FakeRedis, clock = new ManualClock(), secret = 1): { store: VaultStore; faults: string[] } {
  const faults: string[] = []
  const key = Buffer.alloc(32, secret)
  const onFault = (what: string): void => void faults.push(what)
  const redis = new VaultRedis(client, { key, prefix: 'p:', ttlMs: 60_000, clock, onFault })
  return { store: openVaultStore({ ttlMs: 60_000, entriesMax: 10, isShared: true }, clock, redis), faults }
}

void t.test('gateways with one key share what they keep, and Redis can read none of it', async (t) => {
  const client = new FakeRedis()
  gateway(client).store.of('anna').keep('k7q2m9xd4r', 'mail', kept)
  const other = gateway(new FakeRedis(client.held))
  t.equal(await other.store.recall('anna', ['k7q2m9xd4r', 'unknown']), true)
  t.same(other.store.of('anna').get('k7q2m9xd4r'), kept)
  t.ok(other.store.of('anna').forms.has('mail'))
  t.same(other.faults, [])

  const stored = [...client.held].map(([name, value]) => name + value.toString('latin1')).join()
  for (const secret of ['anna', 'k7q2m9xd4r', 'ada', 'example', 'email', 'crm']) t.notMatch(stored, secret)
})

void t.test('neither another caller nor another key gets it, nor who moves it to another name', async (t) => {
  const client = new FakeRedis()
  gateway(client).store.of('anna').keep('x', 'word', kept)
  const { store } = gateway(new FakeRedis(client.held))
  await store.recall('bob', ['x'])
  t.equal(store.of('bob').get('x'), undefined)
  const stranger = gateway(new FakeRedis(client.held), new ManualClock(), 2)
  await stranger.store.recall('anna', ['x'])
  t.equal(stranger.store.of('anna').get('x'), undefined)

  gateway(client)
    .store.of('bob')
    .keep('x', 'word', { ...kept, value: 'bob@example.org' })
  const [[first, value], [second]] = [...client.held] as [[string, Buffer], [string, Buffer]]
  const moved = new Map([
    [second, value],
    [first, Buffer.from('short')],
  ])
  const { store: deceived, faults } = gateway(new FakeRedis(moved))
  await deceived.recall('bob', ['x'])
  await deceived.recall('anna', ['x'])
  t.equal(deceived.of('bob').get('x'), undefined)
  t.equal(deceived.of('anna').get('x'), undefined)
  t.same(faults, ['reply'])
})

void t.test('a conversation sends its values again only when half of their time is over', async (t) => {
  const client = new FakeRedis()
  const clock = new ManualClock()
  const { store } = gateway(client, clock)
  const keep = async (terms = kept): Promise<number> => {
    store.of('anna').keep('x', 'word', terms)
    await Promise.resolve()
    return client.asked
  }
  t.equal(await keep(), 1)
  t.equal(await keep(), 1)
  t.equal(await keep({ ...kept, restoreTo: [] }), 2, 'on other terms')
  clock.advance(31_000)
  t.equal(await keep(), 3)
})

void t.test('without Redis tokens stay tokens, nobody waits twice, and this process still knows its own', async (t) => {
  const client = new FakeRedis()
  const clock = new ManualClock()
  const { store, faults } = gateway(client, clock)
  client.fails = new Error('Command timed out')
  store.of('anna').keep('x', 'word', kept)
  t.ok(store.of('anna').get('x'))
  t.equal(await store.recall('anna', ['x']), true, 'what is known here need not be asked')
  t.equal(await store.recall('anna', ['y']), false)
  t.same(faults, ['timeout', 'unavailable'])
  t.equal(client.asked, 1)
  clock.advance(1001)
  client.fails = undefined
  t.equal(await store.recall('anna', ['y']), true)
  client.status = 'reconnecting'
  t.equal(await store.recall('anna', ['y']), false)
  store.close()
  t.equal(client.status, 'end')
})

void t.test('the section', async (t) => {
  const options: VaultOptions = { ttl: '1h', entries: 5, store: 'memory' }
  t.same(compileVault(options, ['vault'], false), {
    plan: { ttlMs: 3_600_000, entriesMax: 5, isShared: false },
    problems: [],
  })
  const messages = (changes: Partial<VaultOptions>, hasRedis = true): string[] =>
    compileVault({ ...options, ...changes }, ['vault'], hasRedis).problems.map(({ message }) => message)
  t.same(messages({ store: 'redis', key: { fromEnv: 'K' } }), [])
  t.match(messages({ store: 'redis' }), ['key in common'])
  t.match(messages({ store: 'redis', key: { fromEnv: 'K' } }, false), ['no Redis'])
  t.match(messages({ ttl: '8d' }), ['from 1s to 7d'])
})
