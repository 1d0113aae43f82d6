// Clients that read or send slowly: what becomes of their answers and bodies is no failure of the upstream, and a breaker
// that others share neither opens for it nor waits for it.
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { UpstreamOptions } from '../../proxy/upstream/options.ts'
import { answer, chunk, chunkedHead, type Scene } from '../support/scripted-upstream.ts'
import { exchange, faultOf, never, post, stage, type Stage } from '../unit/upstream/harness.ts'

t.setTimeout(10_000)

const once: Partial<UpstreamOptions> = { retry: { attempts: 1 }, breaker: { consecutive: 1 } }

/** A body that comes as it is given. */
function uploading(): { body: AsyncIterable<Uint8Array>; give: (text: string) => void; end: () => void } {
  const waiting: ((result: IteratorResult<Uint8Array, undefined>) => void)[] = []
  const given: IteratorResult<Uint8Array, undefined>[] = []
  const put = (result: IteratorResult<Uint8Array, undefined>): void => {
    const wake = waiting.shift()
    if (wake === undefined) given.push(result)
    else wake(result)
  }
  const next = (): Promise<IteratorResult<Uint8Array, undefined>> =>
    new Promise((resolve) => {
      const result = given.shift()
      if (result === undefined) waiting.push(resolve)
      else resolve(result)
    })
  return {
    body: { [Symbol.asyncIterator]: () => ({ next }) },
    give: (text) => put({ done: false, value: Buffer.from(text) }),
    end: () => put({ done: true, value: undefined }),
  }
}

const bytesRead = ({ server }: Stage): number => [...server.sockets].reduce((sum, socket) => sum + socket.bytesRead, 0)

/** More has come on the upstream's connections. */
async function untilBegun(set: Stage, beforeBytes = 0): Promise<void> {
  while (bytesRead(set) === beforeBytes) await turn()
}

t.test('an upload may take longer than the upstream may for its answer', async (t) => {
  const set = await stage(t, [answer(200, 'x')], { ...once, timeouts: { firstByte: '2s' } })
  const { body, give, end } = uploading()
  const exchanged = exchange(set, { ...post, body })
  for (let piece = 0; piece < 3; piece++) {
    give('x'.repeat(10))
    await untilBegun(set)
    await turn()
    set.clock.advance(1900)
    await turn()
    set.clock.advance(1900)
  }
  end()
  t.match(await exchanged, { status: 200 })
})

t.test('an upload that takes all the time there is, or that is cut off, opens no breaker', async (t) => {
  const set = await stage(t, [], { ...once, timeouts: { total: '60s' } })
  const slow = uploading()
  const late = faultOf(t, set.upstream.send({ ...post, body: slow.body }, never()), 'upstream-timeout')
  slow.give('x')
  await untilBegun(set)
  await turn()
  set.clock.advance(60_000)
  await late
  await set.server.quiet()
  t.equal(set.upstream.state(), 'closed')
  const large = uploading()
  const cut = faultOf(t, set.upstream.send({ ...post, body: large.body }, never()), 'upstream-unreachable')
  large.give('x')
  await untilBegun(set)
  set.server.resetAll()
  await cut
  await set.server.quiet()
  t.equal(set.upstream.state(), 'closed')
  const whole = uploading()
  set.server.always((scene) => scene.reset())
  whole.give('x')
  whole.end()
  await faultOf(t, set.upstream.send({ ...post, body: whole.body }, never()), 'upstream-unreachable')
  t.equal(set.upstream.state(), 'open', 'once all of it was sent, the upstream answers for itself')
})

t.test('an interim answer during an upload changes nothing of whose turn it is', async (t) => {
  const set = await stage(t, [], { ...once, timeouts: { firstByte: '2s' } })
  const begin = async (): Promise<{ end: () => void; sent: ReturnType<typeof set.upstream.send> }> => {
    const { body, give, end } = uploading()
    const before = bytesRead(set)
    const sent = set.upstream.send({ ...post, body }, never())
    give('x')
    await untilBegun(set, before)
    const [socket] = set.server.sockets
    await new Promise<void>((resolve) => {
      socket?.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n', () => resolve())
    })
    for (let turns = 0; turns < 5; turns++) await turn()
    return { end, sent }
  }
  const cut = await begin()
  const broken = cut.sent.catch((error: unknown) => error)
  set.server.resetAll()
  await broken
  await set.server.quiet()
  t.equal(set.upstream.state(), 'closed', 'it may have been too slow for the upstream')

  const slow = await begin()
  set.clock.advance(60_000)
  slow.end()
  await set.server.seen(1)
  for (let turns = 0; turns < 5; turns++) await turn()
  set.clock.advance(2000)
  await faultOf(t, slow.sent, 'upstream-timeout')
  t.equal(set.upstream.state(), 'open', 'now it was the upstream that took its time')
})

t.test('an upload as a probe keeps its place for one opening at most', async (t) => {
  const set = await stage(t, [answer(500, 'x')], once)
  await exchange(set)
  set.clock.advance(5000)
  const leaving = new AbortController()
  const slow = uploading()
  const before = bytesRead(set)
  const left = faultOf(t, set.upstream.send({ ...post, body: slow.body }, leaving.signal), 'client-aborted')
  slow.give('x')
  await untilBegun(set, before)
  t.ok(set.upstream.refusedMs('') > 0)
  set.clock.advance(5000)
  t.equal(set.upstream.refusedMs(''), 0)
  set.server.always(answer(200, 'x'))
  for (let request = 0; request < 2; request++) t.match(await exchange(set), { status: 200 })
  t.equal(set.upstream.state(), 'closed')
  leaving.abort()
  await left
})

t.test('an answer that is cut off while its reader rests is no failure', async (t) => {
  for (const [restMs, state] of [
    [30_000, 'closed'],
    [100, 'open'],
  ] as const) {
    let scene: Scene | undefined
    const flooding = async (playing: Scene): Promise<void> => {
      scene = playing
      await playing.write(chunkedHead() + chunk('x'.repeat(200_000)))
    }
    const set = await stage(t, [flooding], once)
    const received = await set.upstream.send(post, never())
    const reading = received.body[Symbol.asyncIterator]()
    await reading.next()
    for (let turns = 0; turns < 20; turns++) await turn()
    set.clock.advance(restMs)
    scene?.reset()
    const drained = async (): Promise<void> => {
      while ((await reading.next()).done !== true);
    }
    await t.rejects(drained(), { code: 'upstream-truncated' })
    received.settle('broken')
    t.equal(set.upstream.state(), state)
  }
})
