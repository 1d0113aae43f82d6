// Streams whose first event is an error, the caller's own deadline, several credentials and second attempts beside slow
// ones: over real sockets, with a clock that stands still.
import t from 'tap'
import type { ResolveSecret } from '../../proxy/lib/secret.ts'
import { readOpening } from '../../proxy/protocol/opening.ts'
import type { UpstreamRequest } from '../../proxy/upstream/answer.ts'
import type { UpstreamOptions } from '../../proxy/upstream/options.ts'
import { answer, chunk, chunkedHead, type Scene, type Script } from '../support/scripted-upstream.ts'
import { exchange, faultOf, get, never, post, stage, text, turns, type Stage } from '../unit/upstream/harness.ts'

const events: UpstreamRequest = { ...post, readOpening: (bytes) => readOpening(bytes, 'sse') }
const streamHead = chunkedHead(200, { 'content-type': 'text/event-stream' })
const overloaded = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
const good = 'event: message_start\ndata: {"type":"message_start"}\n\n'

const streamed =
  (...pieces: string[]): Script =>
  async (scene) => {
    await scene.write(streamHead + pieces.map(chunk).join('') + chunk(''))
  }

function settled(set: Stage): string[] {
  return set.events.flatMap((event) => (event.type === 'attempt' ? [event.attempt.outcome] : []))
}

t.test('200, then overloaded: asked again before anything was shown', async (t) => {
  const set = await stage(t, [streamed(overloaded), streamed(good)])
  t.strictSame(await exchange(set, events), { status: 200, body: good, attempts: 2 })
  t.strictSame(settled(set), ['error-event', 'answered'])
})

t.test('a stream that ends or breaks off before it has begun, too', async (t) => {
  const broken: Script = async (scene) => {
    await scene.write(streamHead)
    scene.reset()
  }
  for (const [script, outcome] of [
    [streamed(), 'error-event'],
    [broken, 'upstream-truncated'],
  ] as const) {
    const set = await stage(t, [script, streamed(good)])
    t.strictSame(await exchange(set, events), { status: 200, body: good, attempts: 2 })
    t.strictSame(settled(set), [outcome, 'answered'])
  }
})

t.test(
  'who leaves before a stream has begun is not told of as an error of it, nor one that was not as quick',
  async (t) => {
    const heads: Promise<void>[] = []
    const begun: Script = (scene) => void heads.push(scene.write(streamHead))
    const begins = async ({ server }: Stage): Promise<void> => {
      await server.seen(1)
      await heads.pop()
      await turns()
    }
    const left = await stage(t, [begun])
    const gone = new AbortController()
    const sent = left.upstream.send(events, gone.signal)
    await begins(left)
    gone.abort()
    await faultOf(t, sent, 'client-aborted')
    t.strictSame(settled(left), ['client-aborted'])

    const hedged = await stage(t, [begun, streamed(good)], { hedge: { after: '200ms' } })
    const asked = hedged.upstream.send({ ...events, hedgeable: true }, never())
    await begins(hedged)
    hedged.clock.advance(200)
    const received = await asked
    t.equal(await text(received.body), good)
    received.settle('complete')
    await turns()
    t.strictSame(settled(hedged).sort(), ['answered', 'superseded'])
  },
)

t.test('one that breaks off before it has begun is no answer, when it is not asked again', async (t) => {
  const set = await stage(
    t,
    [
      async (scene) => {
        await scene.write(streamHead)
        scene.reset()
      },
    ],
    { retry: { attempts: 1 } },
  )
  await faultOf(t, set.upstream.send(events, never()), 'upstream-truncated')
})

t.test('a model that its stream limits rests as after a status that says so, a minute at most', async (t) => {
  const said = 'data: {"error":{"type":"rate_limit_error","message":"slow down"}}\n\n'
  const limited: Script = async (scene) => {
    await scene.write(chunkedHead(200, { 'content-type': 'text/event-stream', 'retry-after': '86400' }))
    await scene.write(chunk(said) + chunk(''))
  }
  const alone = await stage(t, [limited])
  t.strictSame(await exchange(alone, events), { status: 200, body: said, attempts: 1 })
  t.equal(alone.upstream.refusedMs(''), 60_000)

  const credentials = ['a', 'b'].map((id) => ({ id, bearer: { fromEnv: id } }))
  const several = await stage(t, [limited, streamed(good)], { credentials })
  t.strictSame(await exchange(several, events), { status: 200, body: good, attempts: 2 })
  t.match(
    several.events.filter(({ type }) => type === 'rest'),
    [{ credential: 'a', status: 429 }],
    'and somebody is told which credential it was',
  )
})

t.test('an error that would come again, and one after content, are relayed', async (t) => {
  const invalid = 'data: {"error":{"type":"invalid_request_error","message":"no"}}\n\n'
  for (const pieces of [[invalid], [good, overloaded]]) {
    const set = await stage(t, [streamed(...pieces), streamed(good)])
    t.strictSame(await exchange(set, events), { status: 200, body: pieces.join(''), attempts: 1 })
  }
})

t.test('the head waits for the first event no longer than a second', async (t) => {
  let scene: Scene | undefined
  const set = await stage(t, [
    async (opened) => {
      scene = opened
      await opened.write(streamHead + chunk(': thinking\n\n'))
    },
  ])
  const sent = set.upstream.send(events, never())
  await set.server.seen(1)
  await turns()
  set.clock.advance(999)
  let came = false
  void sent.then(() => (came = true))
  await turns()
  t.notOk(came)
  set.clock.advance(1)
  const received = await sent
  await scene?.write(chunk(good) + chunk(''))
  t.equal(await text(received.body), `: thinking\n\n${good}`, 'nothing is lost')
  received.settle('complete')
})

t.test('a probe whose stream says nothing for a second has not proved itself by that', async (t) => {
  let scene: Scene | undefined
  const set = await stage(t, [answer(500)], { retry: { attempts: 1 }, breaker: { consecutive: 1, open: '5s' } })
  await exchange(set)
  set.clock.advance(5000)
  set.server.next(async (opened) => {
    scene = opened
    await opened.write(streamHead + chunk(': ping\n\n'))
  })
  const sent = set.upstream.send(events, never())
  await set.server.seen(2)
  await turns()
  set.clock.advance(1000)
  const received = await sent
  t.ok(set.upstream.refusedMs('') > 0, 'the slot is still taken')
  const reading = received.body[Symbol.asyncIterator]()
  await reading.next()
  t.ok(set.upstream.refusedMs('') > 0)
  await scene?.write(chunk(good))
  await reading.next()
  t.equal(set.upstream.refusedMs(''), 0, 'the first content proves it')
  t.equal(set.upstream.state(), 'half-open')
  received.settle('neutral')
})

t.test(
  'streams that begin with overload open the breaker, and a probe is judged by how its stream begins',
  async (t) => {
    const set = await stage(t, [], { retry: { attempts: 1 }, breaker: { open: '5s' } })
    set.server.always(streamed(overloaded))
    for (let index = 0; index < 5; index++) t.equal((await exchange(set, events)).body, overloaded)
    t.equal(set.upstream.state(), 'open', 'within five failures')
    set.clock.advance(10_000)
    await exchange(set, events)
    t.equal(set.upstream.state(), 'open', 'the probe failed although its status was 200')
    set.server.always(streamed(good))
    set.clock.advance(60_000)
    t.equal((await exchange(set, events)).status, 200, 'the probe')
    t.equal((await exchange(set, events)).status, 200, 'and whoever comes next is served')
    t.equal(set.upstream.state(), 'closed')
  },
)

t.test("the caller's deadline ends the attempt and trips no breaker", async (t) => {
  const set = await stage(t, [], { breaker: { consecutive: 1 } })
  set.server.always(() => {})
  const sent = set.upstream.send({ ...get, headAtMs: set.clock.monotonic() + 2000 }, never())
  while (set.server.requests.length === 0) await turns()
  set.clock.advance(2000)
  await faultOf(t, sent, 'upstream-timeout')
  t.equal(set.server.requests.length, 1, 'nobody would read a second answer')
  t.equal(set.upstream.state(), 'closed')
})

t.test('a wait beyond the deadline of the caller is not begun; a stream that has begun goes on', async (t) => {
  const late = await stage(t, [answer(529, 'busy', { 'retry-after': '5' }), answer(200)])
  const bounded = { ...post, headAtMs: late.clock.monotonic() + 4000 }
  t.match(await exchange(late, bounded), { status: 529, attempts: 1 })
  let scene: Scene | undefined
  const long = await stage(t, [
    async (opened) => {
      scene = opened
      await opened.write(streamHead + chunk(good))
    },
  ])
  const received = await long.upstream.send({ ...events, headAtMs: long.clock.monotonic() + 1000 }, never())
  long.clock.advance(5000)
  await scene?.write(chunk(good) + chunk(''))
  t.equal(await text(received.body), good + good)
})

const two: Partial<UpstreamOptions> = {
  credentials: [{ bearer: { fromEnv: 'ONE' } }, { id: 'spare', bearer: { fromEnv: 'TWO' } }],
}
const resolve: ResolveSecret = (ref) => ('fromEnv' in ref ? `sk-secret-of-${ref.fromEnv}-0123456789` : '')

t.test('a credential that is limited rests for that model, and the next one is used', async (t) => {
  for (const [status, headers] of [
    [429, { 'retry-after': '7' }],
    [429, {}],
    [401, {}],
  ] as const) {
    const set = await stage(t, [answer(status, 'no', headers)], two, { resolve })
    set.server.always(answer(200, 'ok'))
    const sent = { ...post, group: 'gpt-4o' }
    t.strictSame(await exchange(set, sent), { status: 200, body: 'ok', attempts: 2 }, String(status))
    const used = (): string[] =>
      set.server.requests.map((request) => (request.header('authorization')?.includes('ONE') === true ? '1' : '2'))
    t.strictSame(used(), ['1', '2'])
    await exchange(set, sent)
    t.strictSame(used(), ['1', '2', '2'], 'it stays with the second')
    t.match(
      set.events.filter(({ type }) => type === 'rest'),
      [{ credential: '1', status }],
    )
    t.notMatch(JSON.stringify(set.events), /sk-secret/)
    const outcomes = set.events.flatMap((event) => (event.type === 'attempt' ? [event.attempt.credential] : []))
    t.strictSame(outcomes, ['1', 'spare', 'spare'])
  }
})

t.test('when all rest, the one that is ready soonest says how long', async (t) => {
  const set = await stage(
    t,
    [answer(429, 'no', { 'retry-after': '30' }), answer(429, 'no', { 'retry-after': '9' })],
    { ...two, retry: { attempts: 1 } },
    { resolve },
  )
  const sent = { ...post, group: 'gpt-4o' }
  t.match(await exchange(set, sent), { status: 429, attempts: 2 })
  const fault = await faultOf(t, set.upstream.send(sent, never()), 'rate-limited')
  t.match(fault.details, { retryAfterMs: 9000, elsewhere: true })
  t.equal(set.upstream.refusedMs('gpt-4o'), 9000)
  t.equal(set.upstream.refusedMs('gpt-4o-mini'), 0, 'another model is served')
})

t.test('a quota that is used up is not waited for, and somebody is told', async (t) => {
  const quota = '{"error":{"code":"insufficient_quota"}}'
  const set = await stage(t, [answer(429, quota, { 'retry-after': '0' }), answer(200, 'ok')])
  t.strictSame(await exchange(set), { status: 429, body: quota, attempts: 1 })
  t.match(
    set.events.filter(({ type }) => type === 'quota' || type === 'attempt'),
    [{ attempt: { status: 429, quota: true } }, { type: 'quota', upstream: 'main' }],
  )
  const said = 'data: {"error":{"type":"insufficient_quota","code":"insufficient_quota"}}\n\n'
  const stream = await stage(t, [streamed(said), streamed(good)])
  t.strictSame(await exchange(stream, events), { status: 200, body: said, attempts: 1 }, 'nor where a stream says so')
  t.match(
    stream.events.filter(({ type }) => type === 'quota' || type === 'attempt'),
    [{ attempt: { outcome: 'error-event', quota: true } }, { type: 'quota' }],
  )
  t.equal(stream.upstream.state(), 'closed')
  const limited = await stage(t, [answer(429, '{}', { 'retry-after': '0' }), answer(200, 'ok')])
  t.match(await exchange(limited), { status: 200, attempts: 2 })
})

t.test('a second attempt beside a slow one: the quicker is the answer, the other is cancelled', async (t) => {
  const slow: Scene[] = []
  const set = await stage(t, [(scene) => void slow.push(scene), answer(200, 'second')], { hedge: { after: '200ms' } })
  const sent = set.upstream.send({ ...get, hedgeable: true }, never())
  while (slow.length === 0) await turns()
  set.clock.advance(199)
  await turns()
  t.equal(set.server.requests.length, 1)
  set.clock.advance(1)
  const received = await sent
  t.equal(await text(received.body), 'second')
  received.settle('complete')
  await slow[0]?.closed
  t.strictSame(settled(set).sort(), ['answered', 'superseded'])
  t.equal(set.upstream.state(), 'closed')
})

t.test('only what may be asked twice is, and no more of it than the budget allows', async (t) => {
  const rows: [UpstreamRequest, Partial<UpstreamOptions>][] = [
    [post, { hedge: { after: '200ms' } }],
    [
      { ...get, hedgeable: true },
      { hedge: { after: '200ms' }, retry: { budget: 0 } },
    ],
    [{ ...get, hedgeable: true }, {}],
  ]
  for (const [request, options] of rows) {
    const set = await stage(t, [], options)
    set.server.always(() => {})
    const leaving = new AbortController()
    const sent = set.upstream.send(request, leaving.signal)
    await set.server.seen(1)
    set.clock.advance(1000)
    await turns()
    t.equal(set.server.requests.length, 1)
    leaving.abort()
    await faultOf(t, sent, 'client-aborted')
  }
})

t.test('half of all answers are failures: no more than a fifth is asked again', async (t) => {
  const set = await stage(t, [], { breaker: { mode: 'disabled' } })
  let count = 0
  set.server.always((scene) => scene.write(answer(count++ % 2 === 0 ? 200 : 503, 'x')))
  const requests = 400
  for (let index = 0; index < requests; index++) await exchange(set)
  const retries = set.server.requests.length - requests
  t.ok(retries > 0 && retries <= requests * 0.2, String(retries))
})
