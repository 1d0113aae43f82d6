// Requests that name no maximum, to an upstream that writes as much as it may: with `onNoMaximum: bound` nothing goes past the
// limit, however many come at once; without it, what does is counted.
import t, { type Test } from 'tap'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { metric } from '../support/proxy-process.ts'
import { jsonAnswer, scriptedUpstream, type Scene, type ScriptedUpstream } from '../support/scripted-upstream.ts'

t.setTimeout(30_000)

type World = { readonly gateway: TestGateway; readonly upstream: ScriptedUpstream }

const writtenMax = 5000

async function world(t: Test, limit: string): Promise<World> {
  const upstream = (await scriptedUpstream()).always((scene: Scene) => {
    const asked = JSON.parse(String(scene.request.body)) as { max_completion_tokens?: number }
    const completion_tokens = Math.min(asked.max_completion_tokens ?? writtenMax, writtenMax)
    return scene.write(
      jsonAnswer(200, {
        choices: [],
        usage: { prompt_tokens: 2, completion_tokens, total_tokens: completion_tokens + 2 },
      }),
    )
  })
  const gateway = await startGateway(`
upstreams: { ai: { protocol: openai, url: "${upstream.url}" } }
routes: [{ id: ai, path: /ai, upstream: ai }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
limits: [{ id: out, by: [principal], outputTokens: 10000/h, assumedTokens: 1000${limit} }]`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  return { gateway, upstream }
}

async function ask({ gateway }: World, more: object = {}): Promise<number> {
  const reply = await fetch(`${gateway.url}/ai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [], ...more }),
  })
  await reply.text()
  return reply.status
}

const sent = ({ upstream }: World): (number | undefined)[] =>
  upstream.requests.map(
    ({ body }) => (JSON.parse(String(body)) as { max_completion_tokens?: number }).max_completion_tokens,
  )

const overruns = ({ gateway }: World): Promise<number | undefined> =>
  metric(gateway.adminUrl, 'gatewright_limit_overruns_total{limit="out"}')

t.test('bound: as many are let through as there is room for, and none writes more', async (t) => {
  const set = await world(t, ', onNoMaximum: bound')
  const statuses = await Promise.all(Array.from({ length: 40 }, () => ask(set)))
  t.equal(statuses.filter((status) => status === 200).length, 10)
  t.same(sent(set), Array(10).fill(1000))
  t.equal(await overruns(set), undefined)
})

t.test('bound: what a request says itself stands, within maxTokens', async (t) => {
  const set = await world(t, ', onNoMaximum: bound, maxTokens: 2000')
  for (const maximum of [50, 1500, 4000]) t.equal(await ask(set, { max_completion_tokens: maximum }), 200)
  t.equal(await ask(set), 200)
  t.same(sent(set), [50, 1500, 2000, 1000])
  // Many servers take it for none.
  t.equal(await ask(set, { max_completion_tokens: 0 }), 200)
  t.equal(sent(set).at(-1), 1000)
})

t.test('estimate, and a limit that only watches: nothing is sent on, and what goes past is counted', async (t) => {
  for (const limit of ['', ', onNoMaximum: bound, mode: shadow']) {
    const set = await world(t, limit)
    t.equal(await ask(set), 200)
    t.equal(await ask(set, { max_completion_tokens: 20 }), 200)
    t.same(sent(set), [undefined, 20])
    t.equal(await overruns(set), 1)
    t.equal(await ask(set), 200)
    if (limit === '') t.equal(await ask(set), 429, 'it counts all the same')
  }
})
