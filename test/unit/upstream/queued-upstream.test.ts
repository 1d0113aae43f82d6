// What waits before an upstream, over real sockets and a clock that moves only when told.
import t, { type Test } from 'tap'
import type { Priority } from '../../../proxy/lib/priority.ts'
import type { UpstreamAnswer } from '../../../proxy/upstream/answer.ts'
import type { ConcurrencyOptions } from '../../../proxy/upstream/options.ts'
import { answer, chunk, chunkedHead, lastChunk, type Scene } from '../../support/scripted-upstream.ts'
import { exchange, faultOf, get, never, post, stage, text, turns, type Stage } from './harness.ts'

type Begun = { readonly stage: Stage; readonly scene: Scene; readonly first: UpstreamAnswer }

/** With one answer under way. */
async function begun(t: Test, concurrency: ConcurrencyOptions): Promise<Begun> {
  let came: (scene: Scene) => void = () => {}
  const scene = new Promise<Scene>((resolve) => (came = resolve))
  const first = async (one: Scene): Promise<void> => {
    await one.write(chunkedHead(200, { 'content-type': 'text/plain' }) + chunk('a'))
    came(one)
  }
  const all = await stage(t, [first, answer(200, 'b'), answer(200, 'c')], { concurrency })
  return { stage: all, first: await all.upstream.send(post, never()), scene: await scene }
}

t.test('who comes on top waits until an answer is complete, in order', async (t) => {
  const { stage, scene, first } = await begun(t, { max: 1 })
  const order: string[] = []
  const second = stage.upstream.send(post, never()).then(async ({ body }) => order.push(await text(body)))
  const third = stage.upstream.send(post, never()).then(async ({ body }) => order.push(await text(body)))
  await turns()
  t.equal(stage.server.requests.length, 1)
  await scene.write(chunk('z') + lastChunk)
  t.equal(await text(first.body), 'az')
  await Promise.all([second, third])
  t.same(order, ['b', 'c'])
  t.equal(stage.clock.waiting, 1, 'no timer of the queue is left, only that of the deadlines')
})

t.test('a full queue refuses at once, and another upstream may be asked', async (t) => {
  const { stage } = await begun(t, { max: 1, queue: 1, queueTimeout: '3s' })
  t.equal(stage.upstream.refusedMs(''), 0)
  const waiting = stage.upstream.send(post, never())
  t.equal(stage.upstream.refusedMs(''), 3000)
  const fault = await faultOf(t, stage.upstream.send(post, never()), 'overloaded')
  t.match(fault.details, { retryAfterMs: 3000, elsewhere: true })
  stage.clock.advance(3000)
  await faultOf(t, waiting, 'overloaded')
  t.same(
    stage.events.flatMap((event) => (event.type === 'queue-refused' ? [event.why] : [])),
    ['full', 'late'],
  )
  t.equal(stage.server.requests.length, 1)
})

t.test('higher classes go first, and in order within one', async (t) => {
  let came: (scene: Scene) => void = () => {}
  const arrived = new Promise<Scene>((resolve) => (came = resolve))
  const held = async (scene: Scene): Promise<void> => {
    await scene.write(chunkedHead() + chunk('a'))
    came(scene)
  }
  const { upstream, server } = await stage(t, [held], { concurrency: { max: 1 } })
  server.always((scene) => scene.write(answer(200, scene.request.header('x-name'))))
  const first = await upstream.send(post, never())
  const scene = await arrived
  const order: string[] = []
  const asked = (['low', 'normal', undefined, 'critical', 'high', 'critical', 'low'] as const).map(
    async (priority, n) => {
      const headers = [...post.headers, 'x-name', `${priority ?? 'none'} ${n}`]
      order.push(await text((await upstream.send({ ...post, headers, priority }, never())).body))
    },
  )
  await scene.write(lastChunk)
  await text(first.body)
  await Promise.all(asked)
  t.same(order, ['critical 3', 'critical 5', 'high 4', 'normal 1', 'none 2', 'low 0', 'low 6'])
})

t.test('a full queue gives up the last of the lowest class for a higher one', async (t) => {
  const { stage } = await begun(t, { max: 1, queue: 2 })
  const send = (priority: Priority): Promise<UpstreamAnswer> => stage.upstream.send({ ...post, priority }, never())
  const kept = send('low')
  const displaced = send('low')
  const high = send('high')
  await faultOf(t, displaced, 'overloaded')
  const critical = send('critical')
  await faultOf(t, kept, 'overloaded')
  await faultOf(t, send('high'), 'overloaded')
  stage.clock.advance(1000)
  await faultOf(t, high, 'overloaded')
  await faultOf(t, critical, 'overloaded')
  t.equal(stage.clock.waiting, 1, 'no timer of the queue is left')
})

t.test('nobody waits for longer than the caller does', async (t) => {
  const { stage } = await begun(t, { max: 1 })
  const waiting = stage.upstream.send({ ...post, headAtMs: stage.clock.monotonic() + 200 }, never())
  stage.clock.advance(200)
  await faultOf(t, waiting, 'overloaded')
})

t.test('who leaves the queue leaves no trace', async (t) => {
  const { stage, scene, first } = await begun(t, { max: 1, queue: 1 })
  const leaving = new AbortController()
  const waiting = stage.upstream.send(post, leaving.signal)
  leaving.abort()
  await faultOf(t, waiting, 'client-aborted')
  await faultOf(t, stage.upstream.send(post, leaving.signal), 'client-aborted')
  const next = stage.upstream.send(post, never())
  await scene.write(lastChunk)
  await text(first.body)
  t.equal((await next).status, 200)
})

t.test('an answer that nobody reads on gives its place up when the exchange is over', async (t) => {
  const { stage, first } = await begun(t, { max: 1 })
  const next = stage.upstream.send(post, never())
  await turns()
  t.equal(stage.server.requests.length, 1)
  first.settle('neutral')
  t.equal((await next).status, 200)
})

t.test('a failed exchange gives its place up', async (t) => {
  const { upstream } = await stage(t, [(scene) => scene.reset(), answer(200, 'b')], {
    concurrency: { max: 1, queue: 0 },
    retry: { attempts: 1 },
  })
  await t.rejects(upstream.send(post, never()))
  t.equal((await upstream.send(post, never())).status, 200)
})

t.test('streams that stay open keep no place', async (t) => {
  const open = async (scene: Scene): Promise<void> =>
    scene.write(chunkedHead(200, { 'content-type': 'text/event-stream' }) + chunk('data: a\n\n'))
  const { upstream } = await stage(t, [open, open, answer(200, 'b')], { concurrency: { max: 1, queue: 0 } })
  const streams = [await upstream.send(get, never()), await upstream.send({ ...post, standing: true }, never())]
  t.equal((await upstream.send(post, never())).status, 200)
  for (const stream of streams) stream.settle('neutral')
})

t.test('an upstream whose breaker is open refuses without a wait', async (t) => {
  const { stage } = await begun(t, { max: 1, queue: 0 })
  stage.upstream.override('forced-open')
  await faultOf(t, stage.upstream.send(post, never()), 'breaker-open')
})

t.test('one whose credentials were all refused is given no more at a time, either', async (t) => {
  const all = await stage(t, [answer(401), answer(401)], {
    credentials: ['a', 'b'].map((id) => ({ id, bearer: { fromEnv: id } })),
    concurrency: { max: 1, queue: 1 },
  })
  t.match(await exchange(all), { status: 401, attempts: 2 })
  t.ok(all.upstream.refusedMs('') > 0, 'another upstream is asked first')
  const gone = new AbortController()
  const sent = [1, 2].map(() => all.upstream.send(post, gone.signal))
  await faultOf(t, all.upstream.send(post, never()), 'overloaded')
  await all.server.seen(3)
  await turns()
  t.equal(all.server.requests.length, 3, 'one under way')
  gone.abort()
  for (const one of sent) await faultOf(t, one, 'client-aborted')
})

t.test('an upstream that says it is overloaded is given less', async (t) => {
  const { upstream } = await stage(t, [answer(503, '')], {
    concurrency: { max: 100, adaptive: true },
    retry: { attempts: 1 },
  })
  t.equal(upstream.limit(), 20)
  await text((await upstream.send(post, never())).body)
  t.equal(upstream.limit(), 16)
})
