// When every upstream of a route is held open by its breaker: by default a quick 503 that says when it is worth asking again;
// with `panic: true` one of them is asked all the same, and each time it shows.
import t, { type Test } from 'tap'
import { auditLines, untilOutcomes } from '../support/audit-lines.ts'
import { ManualClock } from '../support/clock.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { metric } from '../support/proxy-process.ts'
import { jsonAnswer, scriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts'

t.setTimeout(30_000)

type World = {
  readonly gateway: TestGateway
  readonly first: ScriptedUpstream
  readonly second: ScriptedUpstream
  readonly clock: ManualClock
}

const failure = jsonAnswer(500, { error: { message: 'no' } })

/** Two upstreams that fail; the first opens for 20 s, the second, two seconds later, for 10 s. */
async function world(t: Test, route: string, more = '', random = 0.5): Promise<World> {
  const [first, second] = [await scriptedUpstream(), await scriptedUpstream()]
  const clock = new ManualClock()
  const upstream = (url: string, open: string): string =>
    `{ protocol: openai, url: "${url}", retry: { attempts: 1 }, breaker: { consecutive: 1, open: ${open} }${more} }`
  const gateway = await startGateway(
    `
upstreams:
  first: ${upstream(first.url, '20s')}
  second: ${upstream(second.url, '10s')}
routes: [{ id: ai, path: /ai, upstream: first, fallback: [second]${route} }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
audit: { durability: batch, onFailure: allow }`,
    { clock, random: () => random },
  )
  t.teardown(async () => {
    await gateway.close()
    await Promise.all([first.close(), second.close()])
  })
  first.next(failure).always(jsonAnswer(200, { from: 'first', choices: [] }))
  second.next(failure).always(jsonAnswer(200, { from: 'second', choices: [] }))
  const set = { gateway, first, second, clock }
  t.equal((await ask(set)).status, 500, 'both are asked, and both fail')
  return set
}

async function ask({ gateway }: World, model = 'm') {
  const reply = await fetch(`${gateway.url}/ai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [] }),
  })
  const { headers, status } = reply
  return {
    status,
    from: ((await reply.json()) as { from?: string }).from,
    retryAfter: Number(headers.get('retry-after') ?? Number.NaN),
    retryAfterMs: Number(headers.get('retry-after-ms') ?? Number.NaN),
    shouldRetry: headers.get('x-should-retry'),
    open: headers.get('x-gatewright-open'),
  }
}

const asked = ({ first, second }: World): number[] => [first.requests.length, second.requests.length]

t.test('nobody is asked, and the client hears when the first of them is tried again', async (t) => {
  for (const [random, retryAfterMs] of [
    // Of the second: 10 s less or more a quarter by the jitter of openings, 2 s are over, and up to 1 s apart.
    [0, 5500],
    [0.5, 8500],
  ] as const) {
    const set = await world(t, '', '', random)
    set.clock.advance(2000)
    t.match(await ask(set), { status: 503, retryAfterMs, retryAfter: Math.ceil(retryAfterMs / 1000), open: null })
    t.same(asked(set), [1, 1])
    t.equal((await ask(set, 'other')).from, 'first', 'another model is held by none')
  }
})

t.test('where the route says so, the one that is tried again soonest is asked, and each time it shows', async (t) => {
  const set = await world(t, ', panic: true')
  for (let turn = 0; turn < 2; turn++) t.match(await ask(set), { status: 200, from: 'second', open: 'breaker:second' })
  set.second.next(failure)
  t.match(await ask(set), { status: 500, open: 'breaker:second' }, 'once, and what it says is relayed')
  t.same(asked(set), [1, 4])
  // A write that is under way when the clock jumps has taken ten seconds, and the log is not trusted.
  await untilOutcomes(set.gateway.auditDir, 4)
  t.equal(await metric(set.gateway.adminUrl, 'gatewright_fail_open_total{what="breaker:second"}'), 3)
  t.equal(
    await metric(set.gateway.adminUrl, 'gatewright_breaker_state{upstream="second"}'),
    2,
    'it hears nothing of it',
  )
  t.match(
    set.gateway.logged.filter(({ msg }) => String(msg).startsWith('all breakers are open')),
    Array.from({ length: 3 }, () => ({ route: 'ai', upstream: 'second', level: 40 })),
  )
  set.clock.advance(10_000)
  t.match(await ask(set), { status: 200, from: 'second', open: null }, 'a probe like any other')
  t.match(await ask(set), { status: 200, from: 'second', open: null })
  t.equal(await metric(set.gateway.adminUrl, 'gatewright_breaker_state{upstream="second"}'), 0)
  await set.gateway.gateway.close()
  const outcomes = auditLines(set.gateway.auditDir).filter(({ kind }) => kind === 'outcome')
  t.same(
    outcomes.map((line) => line['open']),
    [undefined, ['breaker:second'], ['breaker:second'], ['breaker:second'], undefined, undefined],
  )
})

t.test('it goes through no hand of an operator, no rest that was asked for and no full queue', async (t) => {
  const set = await world(t, ', panic: true')
  const hold = (upstream: string, mode: string) =>
    fetch(`${set.gateway.adminUrl}/v1/breakers/${upstream}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ mode }),
    })
  await hold('second', 'forced-open')
  t.match(await ask(set), { status: 200, from: 'first', open: 'breaker:first' })
  await hold('first', 'forced-open')
  t.match(await ask(set), { status: 503, open: null })
  await hold('first', 'auto')
  set.first.next(jsonAnswer(429, {}, { 'retry-after': '30' }))
  t.match(await ask(set), { status: 429, open: 'breaker:first' })
  t.match(await ask(set), { status: 429, open: null }, 'the one that rests is left alone')
  t.same(asked(set), [3, 1])

  const narrow = await world(t, ', panic: true', ', concurrency: { max: 1, queue: 0 }')
  let release = (): void => {}
  const slow = new Promise<void>((resolve) => {
    narrow.second.next(async (scene) => {
      resolve()
      await new Promise<void>((go) => (release = go))
      await scene.write(jsonAnswer(200, { from: 'second', choices: [] }))
    })
  })
  const one = ask(narrow)
  await slow
  t.match(await ask(narrow), { from: 'first', open: 'breaker:first' }, 'a place is needed all the same')
  release()
  t.match(await one, { from: 'second' })
})
