// One model that fails does not take the others along; an upstream that cannot be reached is left alone by all at once.
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { ManualClock } from '../support/clock.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { metric } from '../support/proxy-process.ts'
import {
  chunk,
  chunkedHead,
  jsonAnswer,
  lastChunk,
  scriptedUpstream,
  type Scene,
  type Script,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts'

t.setTimeout(30_000)

type World = { readonly gateway: TestGateway; readonly upstream: ScriptedUpstream; readonly clock: ManualClock }

/** `how`: what becomes of requests for a model; all others are answered. */
async function world(t: Test, how: { readonly [model: string]: Script }): Promise<World> {
  const upstream = (await scriptedUpstream()).always((scene: Scene) => {
    const { model = '' } = scene.request.body.length === 0 ? {} : (JSON.parse(String(scene.request.body)) as Asked)
    const script = how[model]
    if (typeof script === 'function') return script(scene)
    return scene.write(script ?? jsonAnswer(200, { choices: [] }))
  })
  const clock = new ManualClock()
  const gateway = await startGateway(
    `
upstreams:
  ai:
    protocol: openai
    url: "${upstream.url}"
    retry: { attempts: 1 }
    timeouts: { firstByte: 1s, idle: 1s }
    models: { ours: listed }
routes: [{ id: ai, path: /ai, upstream: ai }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
audit: { durability: batch, onFailure: allow }`,
    { clock, random: () => 0.5 },
  )
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  return { gateway, upstream, clock }
}

type Asked = { readonly model?: string }

/** The status and the code of the error. */
async function ask({ gateway }: World, model: string): Promise<string> {
  const reply = await fetch(`${gateway.url}/ai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [], stream: model.startsWith('stream') }),
  })
  const text = await reply.text().catch(() => 'cut')
  return text.includes('breaker-open') ? `${reply.status} breaker-open` : String(reply.status)
}

type Listing = {
  readonly state: string
  readonly parts: readonly { readonly upstream: string; readonly model?: string; readonly state: string }[]
}

async function listing({ gateway }: World): Promise<Listing> {
  return (await (await fetch(`${gateway.adminUrl}/v1/breakers/ai`)).json()) as Listing
}

const failures: { readonly [model: string]: Script } = {
  'says-500': jsonAnswer(500, { error: { message: 'no' } }),
  'says-529': jsonAnswer(529, { error: { message: 'no' } }),
  'breaks-off': async (scene) => {
    await scene.write('HTTP/1.1 2')
    scene.end()
  },
  'stream-fails': (scene) => {
    const event = `data: ${JSON.stringify({ error: { type: 'server_error', message: 'no', code: null } })}\n\n`
    return scene.write(chunkedHead(200, { 'content-type': 'text/event-stream' }) + chunk(event) + lastChunk)
  },
}

t.test('whatever way one model fails, the others are asked on', async (t) => {
  const set = await world(t, failures)
  for (const model of Object.keys(failures)) {
    // At once: the connection stays for half a second after an error in a stream.
    const said = await Promise.all(Array.from({ length: 5 }, () => ask(set, model)))
    t.notOk(said.includes('503 breaker-open'), model)
    const asked = set.upstream.requests.length
    t.equal(await ask(set, model), '503 breaker-open', model)
    t.equal(set.upstream.requests.length, asked, 'it is left alone')
    t.equal(await ask(set, 'good'), '200')
    t.equal(await ask(set, `never-asked-${model}`), '200')
  }
  const { state, parts } = await listing(set)
  t.equal(state, 'open')
  t.match(parts[0], { upstream: 'ai', state: 'closed' }, 'it can be reached')
  t.same(
    parts.filter((part) => part.state === 'open').map(({ model }) => model),
    Object.keys(failures),
  )
  t.match(
    parts.filter(({ model }) => model === 'good' || model === 'listed'),
    [
      { upstream: 'ai', model: 'listed', state: 'closed' },
      { upstream: 'ai', model: 'good', state: 'closed' },
    ],
  )
  t.equal(await metric(set.gateway.adminUrl, 'gatewright_breaker_state{upstream="ai"}'), 2)
  const openings = 'gatewright_breaker_openings_total{upstream="ai",part="model"}'
  t.equal(await metric(set.gateway.adminUrl, openings), Object.keys(failures).length)
  const said = set.gateway.logged.filter(({ msg }) => msg === 'breaker changed state')
  t.match(
    said,
    Object.keys(failures).map((model) => ({ upstream: 'ai', model, state: 'open', level: 40 })),
  )
})

t.test('nor does one that does not answer in time, or stops in the middle', async (t) => {
  const silence: Script = () => {}
  const stalling: Script = (scene) =>
    scene.write(`${chunkedHead(200, { 'content-type': 'application/json' })}${chunk('{')}`)
  const set = await world(t, { silent: silence, stalling })
  for (const model of ['silent', 'stalling']) {
    for (let turn = 0; turn < 5; turn++) {
      const before = set.upstream.requests.length
      const asking = ask(set, model)
      await set.upstream.seen(before + 1)
      // Its deadline is set a turn or two after the upstream has seen it.
      t.not(await whileTimePasses(set, asking), '503 breaker-open')
    }
    t.equal(await ask(set, model), '503 breaker-open', model)
    t.equal(await ask(set, 'good'), '200')
  }
})

async function whileTimePasses({ clock }: World, asking: Promise<string>): Promise<string> {
  const turn = (): Promise<undefined> => new Promise((resolve) => setImmediate(() => resolve(undefined)))
  for (;;) {
    clock.advance(100)
    const said = await Promise.race([asking, turn()])
    if (said !== undefined) return said
  }
}

t.test('one name of two for one model is one breaker', async (t) => {
  const set = await world(t, { listed: jsonAnswer(500, {}) })
  for (const model of ['ours', 'listed', 'ours', 'listed', 'ours']) t.equal(await ask(set, model), '500')
  t.equal(await ask(set, 'ours'), '503 breaker-open')
  t.equal(await ask(set, 'listed'), '503 breaker-open')
})

t.test('one that cannot be reached is left alone by all after five, and asked once to see', async (t) => {
  const set = await world(t, {})
  const { port } = set.upstream
  t.equal(await ask(set, 'good'), '200')
  await set.upstream.close()
  for (const model of ['a', 'b', 'c', 'd', 'e']) t.equal(await ask(set, model), '502')
  for (const model of ['good', 'a', 'f']) t.equal(await ask(set, model), '503 breaker-open')
  const { state, parts } = await listing(set)
  t.equal(state, 'open')
  t.same(parts, [
    { upstream: 'ai', state: 'open' },
    { upstream: 'ai', model: '', state: 'closed' },
    { upstream: 'ai', model: 'listed', state: 'closed' },
    { upstream: 'ai', model: 'good', state: 'closed' },
  ])
  t.equal(await metric(set.gateway.adminUrl, 'gatewright_breaker_openings_total{upstream="ai",part="connection"}'), 1)
  await set.upstream.listen(port)
  set.clock.advance(5000)
  t.equal(await ask(set, 'a'), '200')
  t.equal(await ask(set, 'b'), '200')
  t.equal((await listing(set)).state, 'closed')
})

t.test('who is hung up on without a word has sent something that does it, and holds no other model', async (t) => {
  const hangUp: Script = (scene) => scene.reset()
  const good = jsonAnswer(200, { choices: [] }, { connection: 'close' })
  const set = await world(t, { a: hangUp, b: hangUp, c: hangUp, d: hangUp, e: hangUp, good })
  for (let turn = 0; turn < 4; turn++)
    for (const model of ['a', 'b', 'c', 'd', 'e']) t.equal(await ask(set, model), '502')
  t.equal(await ask(set, 'good'), '200')
  t.equal(await ask(set, 'a'), '502')
  t.equal(await ask(set, 'a'), '503 breaker-open')
  t.equal(await ask(set, 'b'), '502')
})

t.test('names that clients make up are not remembered where they are refused', async (t) => {
  const refusal: Script = jsonAnswer(404, { error: { message: 'no such model' } })
  const names = Array.from({ length: 20 }, (_, index) => `made-up-${index}`)
  const set = await world(t, Object.fromEntries(names.map((name) => [name, refusal])))
  for (const name of names) t.equal(await ask(set, name), '404')
  t.equal((await listing(set)).parts.length, 3)
  const long = 'x'.repeat(5000)
  t.equal(await ask(set, long), '200')
  t.equal((await listing(set)).parts.at(-1)?.model, long.slice(0, 128))
})

t.test('the gauge says how the upstreams are that there are, and forgets what nobody asks for', async (t) => {
  const set = await world(t, failures)
  const gauge = (id: string): Promise<number | undefined> =>
    metric(set.gateway.adminUrl, `gatewright_breaker_state{upstream="${id}"}`)
  for (let turn = 0; turn < 5; turn++) await ask(set, 'says-500')
  t.equal(await gauge('ai'), 2)
  set.clock.advance(119_000)
  t.equal(await gauge('ai'), 2, 'it has not been tried since')
  set.clock.advance(2000)
  t.equal(await gauge('ai'), 0, 'nor will it be')
  t.equal(await ask(set, 'says-500'), '500', 'if it is, it is a probe')
  t.equal(await gauge('ai'), 2)
  const yaml = readFileSync(set.gateway.configFile, 'utf8')
  set.gateway.rewrite(yaml.replace(/^ {2}ai:/m, '  other:').replaceAll('upstream: ai', 'upstream: other'))
  t.ok(set.gateway.gateway.reload().ok)
  t.equal(await gauge('ai'), undefined)
  t.equal(await gauge('other'), 0)
})

t.test("an operator's hand is on all of them", async (t) => {
  const set = await world(t, failures)
  const hold = async (mode: string): Promise<void> => {
    await fetch(`${set.gateway.adminUrl}/v1/breakers/ai`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ mode }),
    })
  }
  for (let turn = 0; turn < 5; turn++) await ask(set, 'says-500')
  await hold('disabled')
  t.equal(await ask(set, 'says-500'), '500')
  t.equal((await listing(set)).state, 'closed')
  await hold('forced-open')
  for (const model of ['good', 'says-500', 'new']) t.equal(await ask(set, model), '503 breaker-open')
  t.match(await listing(set), { state: 'open', mode: 'forced-open' })
  await hold('auto')
  t.equal(await ask(set, 'says-500'), '503 breaker-open')
  t.equal(await ask(set, 'good'), '200')
})
