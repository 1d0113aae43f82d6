// Requests that are repeated with their Idempotency-Key, through the whole proxy: what is done once, and for whom.
import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { auditLines } from '../support/audit-lines.ts'
import { ManualClock } from '../support/clock.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { answer, scriptedUpstream, type Scene, type ScriptedUpstream } from '../support/scripted-upstream.ts'

t.setTimeout(30_000)

type World = { readonly upstream: ScriptedUpstream; readonly gateway: TestGateway; readonly clock: ManualClock }

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

async function world(t: Test, more = ''): Promise<World> {
  const upstream = await scriptedUpstream()
  const clock = new ManualClock()
  const gateway = await startGateway(
    `
upstreams:
  tool: { protocol: http, url: "${upstream.url}", retry: { attempts: 1 } }
  model: { protocol: openai, url: "${upstream.url}" }
  spare: { protocol: http, url: "${upstream.url}/spare", retry: { attempts: 1 } }
routes:
  - { id: tool, path: /tool, upstream: tool, idempotency: 10m }
  - { id: pair, path: /pair, upstream: tool, fallback: [spare], idempotency: 10m }
  - { id: model, path: /model, upstream: model, idempotency: 10m }
  - { id: plain, path: /plain, upstream: tool }
principals:
  - { id: one, keys: [{ sha256: ${sha256('key-one')} }] }
  - { id: two, keys: [{ sha256: ${sha256('key-two')} }] }
defaultEffect: allow
audit: { durability: batch, onFailure: allow }
${more}`,
    { clock },
  )
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  return { upstream, gateway, clock }
}

type Sent = { readonly path?: string; readonly key?: string; readonly body?: string; readonly as?: string }
type Got = { readonly status: number; readonly text: string; readonly replayed: string | null }

async function send({ gateway }: World, { path = '/tool/pay', key = 'k1', body = '{"sum":5}', as = 'one' }: Sent = {}) {
  const reply = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer key-${as}`, 'content-type': 'application/json', 'idempotency-key': key },
    body,
  })
  const got: Got = {
    status: reply.status,
    text: await reply.text(),
    replayed: reply.headers.get('idempotency-replayed'),
  }
  return got
}

t.test('a key may have any length', async (t) => {
  const set = await world(t)
  set.upstream.next(answer(201, 'paid 1')).next(answer(201, 'paid 2')).always(answer(201, 'paid again'))
  const long = 'k'.repeat(4000)
  t.match(await send(set, { key: long }), { text: 'paid 1', replayed: null })
  t.match(await send(set, { key: `${long}2` }), { text: 'paid 2', replayed: null })
  t.match(await send(set, { key: long }), { text: 'paid 1', replayed: 'true' })
})

t.test('the same again gets the same answer, and the tool hears of it once', async (t) => {
  const set = await world(t)
  set.upstream.next(answer(201, 'paid 1', { 'x-receipt': '7' })).always(answer(201, 'paid again'))
  t.strictSame(await send(set), { status: 201, text: 'paid 1', replayed: null })
  t.strictSame(await send(set), { status: 201, text: 'paid 1', replayed: 'true' })
  t.equal(set.upstream.requests.length, 1)
  set.clock.advance(600_000)
  t.match(await send(set), { text: 'paid again' }, 'after its time it is forgotten')
  await set.gateway.gateway.close()
  const outcomes = auditLines(set.gateway.auditDir).filter(({ kind }) => kind === 'outcome')
  t.match(outcomes, [{ status: 201 }, { attempts: [{ outcome: 'replayed', status: 201 }] }, { status: 201 }])
  const forwarded = outcomes.map(({ digestForwarded }) => typeof digestForwarded)
  t.strictSame(forwarded, ['string', 'undefined', 'string'], 'what is answered again was not forwarded')
})

t.test('what is answered again is billed once, and its bytes are counted', async (t) => {
  const set = await world(
    t,
    `limits:
  - { id: spend, by: [principal], cost: 50/d, tokens: 1M/d, onUnknownPrice: estimate }
  - { id: bytes, by: [principal], bytes: 1M/d }`,
  )
  const usage = { prompt_tokens: 100, completion_tokens: 20 }
  const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'yes' } }]
  const completion = JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'gpt-4o', choices, usage })
  set.upstream.always(answer(200, completion, { 'content-type': 'application/json' }))
  const left: Record<string, number>[] = []
  for (let turn = 0; turn < 4; turn++) {
    const reply = await fetch(`${set.gateway.url}/model/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer key-one', 'content-type': 'application/json', 'idempotency-key': 'k' },
      body: JSON.stringify({ model: 'gpt-4o', max_tokens: 20, messages: [{ role: 'user', content: 'hi' }] }),
    })
    t.match(await reply.json(), { usage })
    const told = (reply.headers.get('ratelimit') ?? '').matchAll(/"([^"]+)";r=(\d+)/g)
    left.push(Object.fromEntries([...told].map(([, limit, remaining]) => [limit, Number(remaining)])))
  }
  const [, second, third, fourth] = left
  t.equal(fourth?.['spend:tokens'], second?.['spend:tokens'])
  t.equal(fourth?.['spend:cost'], second?.['spend:cost'])
  t.ok((fourth?.['bytes:bytes'] ?? 0) + completion.length < (third?.['bytes:bytes'] ?? 0))
  const metrics = await (await fetch(`${set.gateway.adminUrl}/metrics`)).text()
  t.match(metrics, /gatewright_tokens_total\{type="input"\} 100\n/)
  t.match(metrics, /gatewright_cost_total 0\.00045\n/)
  await set.gateway.gateway.close()
  const outcomes = auditLines(set.gateway.auditDir).filter(({ kind }) => kind === 'outcome')
  t.same(
    outcomes.map((outcome) => outcome['usage']),
    [{ input: 100, output: 20 }, undefined, undefined, undefined],
  )
})

t.test('another caller, key or route is another request; another body under the same key is refused', async (t) => {
  const set = await world(t)
  set.upstream.always(answer(200, 'done'))
  await send(set)
  for (const other of [{ as: 'two' }, { key: 'k2' }, { path: '/plain/pay' }, { path: '/plain/pay' }])
    t.match(await send(set, other), { status: 200, replayed: null }, JSON.stringify(other))
  t.equal(set.upstream.requests.length, 5)
  for (const other of [{ body: '{"sum":6}' }, { path: '/tool/refund' }]) {
    const refused = await send(set, other)
    t.equal(refused.status, 422, JSON.stringify(other))
    t.match(JSON.parse(refused.text), { code: 'key-reused' })
  }
  t.equal(set.upstream.requests.length, 5)
})

t.test('who comes while the first is under way waits for it', async (t) => {
  const set = await world(t)
  const scenes: Scene[] = []
  set.upstream.always((scene) => void scenes.push(scene))
  const first = send(set)
  await set.upstream.seen(1)
  const others = [send(set), send(set), send(set)]
  await scenes[0]?.write(answer(200, 'once'))
  for (const got of await Promise.all([first, ...others])) t.match(got, { status: 200, text: 'once' })
  t.equal(set.upstream.requests.length, 1)
})

t.test('what failed is not kept: the next one may try', async (t) => {
  const set = await world(t)
  set.upstream.next(answer(503, 'no'), (scene) => scene.reset(), answer(200, 'x'.repeat(2_000_000)), answer(200, 'ok'))
  t.strictSame(
    [(await send(set)).status, (await send(set)).status, (await send(set)).text.length],
    [503, 502, 2_000_000],
  )
  t.match(await send(set), { text: 'ok', replayed: null }, 'nor is what is too long')
  t.match(await send(set), { text: 'ok', replayed: 'true' })
})

t.test('policy is asked for each', async (t) => {
  const set = await world(t, 'rules: [{ id: not-two, effect: deny, actions: [tool.call], principals: { ids: [two] } }]')
  set.upstream.always(answer(200, 'done'))
  await send(set)
  t.equal((await send(set, { as: 'two' })).status, 403)
})

t.test('one that stands in answers for the key', async (t) => {
  const set = await world(t)
  set.upstream.next(answer(503, 'no'), answer(200, 'from the spare'))
  t.match(await send(set, { path: '/pair/pay' }), { status: 200, text: 'from the spare' })
  t.match(await send(set, { path: '/pair/pay' }), { text: 'from the spare', replayed: 'true' })
  t.equal(set.upstream.requests.length, 2)
})
