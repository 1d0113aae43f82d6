import { EventEmitter } from 'node:events'
import t from 'tap'
import type { Charge, Correction } from '../../../proxy/limits/counters.ts'
import { RedisCounters, type RedisClient } from '../../../proxy/limits/redis.ts'
import { keptMax } from '../../../proxy/limits/settlements.ts'
import type { StoreEvent } from '../../../proxy/limits/store-event.ts'
import { ManualClock } from '../../support/clock.ts'

const charge: Charge = { namespace: 'n', key: 'k', quota: 2, amount: 1, window: { kind: 'first', lengthMs: 1000 } }

/** Answers as the test says: `reply` is a value to answer with, or an error. */
class ScriptedClient extends EventEmitter implements RedisClient {
  status = 'ready'
  reply: unknown = [1, 1, 1000, 0, 7]
  readonly calls: string[] = []

  takeAll(keyCount: number, ...rest: (string | number)[]): Promise<unknown> {
    this.calls.push(`take ${keyCount} ${rest.join(' ')}`)
    return this.#answer()
  }

  correctAll(keyCount: number, ...rest: (string | number)[]): Promise<unknown> {
    this.calls.push(`correct ${keyCount} ${rest.join(' ')}`)
    return this.#answer()
  }

  ping(): Promise<unknown> {
    this.calls.push('ping')
    return this.#answer()
  }

  disconnect(reconnect = false): void {
    this.calls.push(`disconnect ${reconnect}`)
  }

  #answer(): Promise<unknown> {
    return this.reply instanceof Error ? Promise.reject(this.reply) : Promise.resolve(this.reply)
  }
}

function open() {
  const clock = new ManualClock()
  const client = new ScriptedClient()
  const events: StoreEvent[] = []
  const counters = new RedisCounters(client, 'p:', clock, (event) => events.push(event), 'me')
  return { clock, client, events, counters }
}

/** Lets everything that is already settled run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const timeout = new Error('Command timed out')
const replyError = Object.assign(new Error('OOM command not allowed'), { name: 'ReplyError' })

t.test('one question holds every charge', async (t) => {
  const { client, counters } = open()
  client.reply = [0, 2, 700, 700, 1, 5, 60_000, 0, 2]
  const wide: Charge = { ...charge, namespace: 'm', key: 'l', quota: 9, amount: 3, shadow: true }
  t.same(await counters.take([charge, wide]), {
    admitted: false,
    counts: [
      { used: 2, resetMs: 700, waitMs: 700, mark: 1 },
      { used: 5, resetMs: 60_000, waitMs: 0, mark: 2 },
    ],
  })
  t.same(client.calls, ['take 2 p:{limits}n/k p:{limits}m/l f 2 1 1 1000 0 0 0 f 9 3 0 1000 0 0 0'])
})

const { namespace, key, window } = charge
const correction = (delta: number): Correction => ({ namespace, key, window, mark: 7, delta })
const told = (delta: number, number: number): string =>
  `correct 2 p:{limits}n/k p:{limits}:settled/me f 7 ${delta} 1000 0 0 0 ${number}`

t.test('nobody waits for a correction, and those of a store that is away are made when it is back', async (t) => {
  const { clock, client, counters, events } = open()
  counters.correct([correction(-1)])
  t.same(client.calls.splice(0), [told(-1, 1)])
  await settled()
  client.reply = timeout
  counters.correct([correction(-2)])
  counters.correct([correction(-3)])
  await settled()
  t.same(client.calls.splice(0), [told(-2, 2), told(-3, 3), 'ping'], 'one that is not answered opens the breaker, too')
  counters.correct([correction(-4)])
  t.same(client.calls, [], 'nobody is asked')
  t.equal(counters.unsettled, 3)
  client.reply = [1]
  clock.advance(100)
  await settled()
  t.same(client.calls, ['ping', told(-2, 2), told(-3, 3), told(-4, 4)], 'by the numbers that they had')
  t.equal(counters.unsettled, 0)
  t.equal(clock.waiting, 0)
  t.notMatch(events, [{ kind: 'lost' }])
})

t.test('what was answered with an error gets another number, and its turn later', async (t) => {
  const { clock, client, counters } = open()
  client.reply = replyError
  counters.correct([correction(-1)])
  await settled()
  client.reply = [1]
  counters.correct([correction(-2)])
  await settled()
  t.same(client.calls.splice(0), [told(-1, 1)], 'none overtakes it')
  clock.advance(1000)
  await settled()
  t.same(client.calls, [told(-1, 2), told(-2, 3)])
})

t.test('of too many that wait the latest are dropped, and counted', async (t) => {
  const { clock, client, counters, events } = open()
  client.reply = timeout
  counters.correct([correction(-1)])
  await settled()
  for (let n = 0; n < keptMax + 1; n++) counters.correct([correction(-1)])
  t.equal(counters.unsettled, keptMax)
  t.equal(events.filter((event) => event.kind === 'error' && event.reason === 'dropped').length, 2)
  client.reply = [1]
  clock.advance(100)
  while (counters.unsettled > 0) await settled()
  await settled()
  t.same(events.at(-1), { kind: 'lost', count: 2 })
  client.reply = timeout
  counters.correct([correction(-1)])
  await settled()
  counters.close()
  t.same(events.at(-1), { kind: 'lost', count: 1 }, 'what waits at the end is lost, too')
  t.equal(clock.waiting, 0)
})

t.test('a timeout opens the breaker; probes, never requests, find out when to close it', async (t) => {
  const { clock, client, events, counters } = open()
  client.reply = timeout
  t.equal(await counters.take([charge]), undefined)
  await settled()
  t.same(client.calls.splice(0), ['take 1 p:{limits}n/k f 2 1 1 1000 0 0 0', 'ping'], 'probed at once')
  t.same(events.splice(0), [
    { kind: 'error', reason: 'timeout', message: 'Command timed out' },
    { kind: 'state', up: false },
  ])
  for (let i = 0; i < 5; i++) t.equal(await counters.take([charge]), undefined)
  t.same(client.calls, [], 'nobody else asks')
  t.match(
    events.splice(0),
    Array.from({ length: 5 }, () => ({ kind: 'error', reason: 'unavailable' })),
  )
  for (const delayMs of [100, 200]) {
    clock.advance(delayMs - 1)
    t.same(client.calls, [])
    clock.advance(1)
    await settled()
    t.equal(client.calls.shift(), 'ping')
  }
  t.equal(client.calls.shift(), 'disconnect true', 'the third probe in vain costs the connection')
  client.emit('close')
  client.reply = [1, 1, 1000, 0, 7]
  clock.advance(400)
  await settled()
  t.same(events, [{ kind: 'state', up: true }])
  t.match(await counters.take([charge]), { admitted: true })
  t.equal(clock.waiting, 0)
})

t.test('a stall of a moment is over with the first probe', async (t) => {
  const { client, counters } = open()
  client.reply = timeout
  const asked = counters.take([charge])
  client.reply = 'PONG'
  t.equal(await asked, undefined)
  await settled()
  t.ok(counters.available)
})

t.test('many timeouts at once start one probe', async (t) => {
  const { client, events, counters } = open()
  client.reply = timeout
  await Promise.all(Array.from({ length: 10 }, () => counters.take([charge])))
  await settled()
  t.equal(client.calls.filter((call) => call === 'ping').length, 1)
  t.equal(events.filter((event) => event.kind === 'state').length, 1)
})

t.test('an error that comes back at once leaves the breaker closed', async (t) => {
  const { client, events, counters } = open()
  client.reply = Object.assign(new Error('WRONGTYPE Operation against a key'), { name: 'ReplyError' })
  t.equal(await counters.take([charge]), undefined)
  t.match(events, [{ kind: 'error', reason: 'reply' }])
  t.ok(counters.available)
  client.reply = 'nonsense'
  t.equal(await counters.take([charge]), undefined, 'a reply that is none is an error too')
})

t.test('a primary that became a replica is left, but not again and again', async (t) => {
  const { clock, client, counters } = open()
  const lefts = (): number => client.calls.filter((call) => call === 'disconnect true').length
  client.reply = Object.assign(new Error("READONLY You can't write against a read only replica."), {
    name: 'ReplyError',
  })
  await counters.take([charge])
  t.equal(lefts(), 1)
  t.notOk(counters.available, 'nothing is asked of a connection that is being left')
  client.emit('close')
  await counters.take([charge])
  t.equal(lefts(), 1)
  clock.advance(5000)
  await counters.take([charge])
  t.equal(lefts(), 2)
})

t.test('without a connection nothing is asked', async (t) => {
  const { client, counters, events } = open()
  client.status = 'connecting'
  t.equal(await counters.take([charge]), undefined)
  t.same(client.calls, [])
  client.emit('error', new Error('connect ECONNREFUSED 127.0.0.1:1'))
  client.emit('error', Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' }))
  t.match(events.slice(1), [
    { kind: 'error', reason: 'connection', message: 'connect ECONNREFUSED 127.0.0.1:1' },
    { kind: 'error', reason: 'connection', message: 'ECONNREFUSED' },
  ])
})

t.test('ready waits for the connection, but not for ever', async (t) => {
  const { clock, client, counters } = open()
  t.equal(await counters.ready(10), true)
  client.status = 'connecting'
  const late = counters.ready(10)
  clock.advance(10)
  t.equal(await late, false)
  const soon = counters.ready(10)
  client.status = 'ready'
  client.emit('ready')
  t.equal(await soon, true)
  t.equal(clock.waiting, 0)
  t.equal(client.listenerCount('ready'), 1)
})

t.test('after close nothing is probed and nothing is told', async (t) => {
  const { clock, client, events, counters } = open()
  client.reply = timeout
  await counters.take([charge])
  await settled()
  counters.close()
  events.length = 0
  clock.advance(10_000)
  await settled()
  client.emit('close')
  t.same(events, [])
  t.equal(clock.waiting, 0)
  t.equal(client.calls.at(-1), 'disconnect false')
})

t.test(
  'behind a black hole a flood sends what was under way, one probe after the other, and nothing else',
  async (t) => {
    const { clock, client, counters } = open()
    client.reply = timeout
    await Promise.all(Array.from({ length: 32 }, () => counters.take([charge])))
    await settled()
    t.equal(client.calls.length, 32 + 1, 'the first calls and a probe')
    for (let second = 0; second < 60; second++) {
      await Promise.all(Array.from({ length: 100 }, () => counters.take([charge])))
      counters.correct([{ namespace: 'n', key: 'k', window: charge.window, mark: 1, delta: -1 }])
      clock.advance(1000)
      await settled()
      // A connection that is given up is made anew, as ioredis would tell.
      client.emit('close')
    }
    const sent = client.calls.slice(33)
    t.same(new Set(sent), new Set(['ping', 'disconnect true']))
    t.ok(sent.filter((call) => call === 'ping').length <= 66, 'about one a second')
  },
)
