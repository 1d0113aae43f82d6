// What each outcome of an attempt means for the breaker of its model, row by row, and what a probe may do to it.
import t, { type Test } from 'tap'
import { auditLines } from '../support/audit-lines.ts'
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

type World = {
  readonly gateway: TestGateway
  readonly upstream: ScriptedUpstream
  readonly clock: ManualClock
  /** What becomes of the next requests for a model. */
  readonly scripts: Map<string, Script[]>
}

async function world(t: Test): Promise<World> {
  const upstream = await scriptedUpstream()
  const scripts = new Map<string, Script[]>()
  upstream.always((scene) => {
    const { model } = JSON.parse(String(scene.request.body)) as { model: string }
    const script = scripts.get(model)?.shift() ?? jsonAnswer(200, { choices: [] })
    return typeof script === 'function' ? script(scene) : scene.write(script)
  })
  const clock = new ManualClock()
  const gateway = await startGateway(
    `
upstreams:
  ai: { protocol: openai, url: "${upstream.url}", retry: { attempts: 1 }, breaker: { consecutive: 2, open: 60s } }
routes: [{ id: ai, path: /ai, upstream: ai }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
# So that bodies are read: what nobody looks into has no model.
rules: [{ id: all, effect: allow, actions: [model.call], models: ['*'] }]
redaction: [{ id: r, direction: response, detect: [email], action: block }]
audit: { durability: batch, onFailure: allow }`,
    { clock, random: () => 0.5 },
  )
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  return { gateway, upstream, clock, scripts }
}

const ask = ({ gateway }: World, model: string, more: object = {}, signal?: AbortSignal): Promise<Response> =>
  fetch(`${gateway.url}/ai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [], ...more }),
    ...(signal === undefined ? {} : { signal }),
  })

async function status(set: World, model: string, script: Script, more?: object): Promise<number> {
  set.scripts.set(model, [script])
  const reply = await ask(set, model, more)
  await reply.text().catch(() => 'cut')
  return reply.status
}

async function stateOf({ gateway }: World, model: string): Promise<string> {
  const listing = (await (await fetch(`${gateway.adminUrl}/v1/breakers/ai`)).json()) as {
    parts: { model?: string; state: string }[]
  }
  return listing.parts.find((part) => part.model === model)?.state ?? 'closed'
}

const failure = jsonAnswer(500, { error: { message: 'no' } })

/** Two in a row open it, so what stands between two failures, or after one, is told by what becomes of it. */
async function verdictOn(t: Test, set: World, name: string, script: Script, more?: object): Promise<string> {
  await status(set, `${name} after one`, failure)
  await status(set, `${name} after one`, script, more)
  if ((await stateOf(set, `${name} after one`)) === 'open') return 'failure'
  await status(set, `${name} between`, failure)
  await status(set, `${name} between`, script, more)
  t.equal(await status(set, `${name} between`, failure), 500)
  return (await stateOf(set, `${name} between`)) === 'open' ? 'neutral' : 'success'
}

const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`
const delta = (content: string): string =>
  event({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content }, finish_reason: null }] })
const stream = (said: string, end = lastChunk): string =>
  chunkedHead(200, { 'content-type': 'text/event-stream' }) + chunk(said) + end
const cut = (said: string): Script => {
  return async (scene: Scene) => {
    await scene.write(stream(said, ''))
    scene.end()
  }
}

t.test('answers', async (t) => {
  const set = await world(t)
  const soon = { 'retry-after': '0' }
  const quota = { error: { type: 'insufficient_quota', code: 'insufficient_quota' } }
  const rows: [string, Script, string][] = [
    ...[400, 401, 403, 404, 413, 422].map((code): [string, Script, string] => [
      String(code),
      jsonAnswer(code, {}),
      'success',
    ]),
    ...[408, 409, 425].map((code): [string, Script, string] => [String(code), jsonAnswer(code, {}), 'neutral']),
    ['429 that says when', jsonAnswer(429, {}, soon), 'neutral'],
    ['429 that does not', jsonAnswer(429, {}), 'neutral'],
    ['429 for a quota', jsonAnswer(429, quota, soon), 'neutral'],
    ...[500, 502, 503, 504, 520, 521, 522, 523, 524, 529].map((code): [string, Script, string] => [
      String(code),
      jsonAnswer(code, {}),
      'failure',
    ]),
    ['503 that says when', jsonAnswer(503, {}, soon), 'failure'],
  ]
  for (const [name, script, verdict] of rows) {
    t.equal(await verdictOn(t, set, name, script), verdict, name)
  }
})

t.test('streams', async (t) => {
  const set = await world(t)
  const rows: [string, Script, string][] = [
    ['whole', stream(delta('hi') + 'data: [DONE]\n\n'), 'success'],
    ['an error first', stream(event({ error: { type: 'server_error', message: 'no' } })), 'failure'],
    ['an error later', stream(delta('hi') + event({ error: { type: 'server_error', message: 'no' } })), 'failure'],
    ['an error about the request', stream(event({ error: { type: 'invalid_request_error' } })), 'success'],
    ['a limit', stream(event({ error: { type: 'rate_limit_exceeded' } })), 'neutral'],
    ['a quota', stream(event({ error: { type: 'insufficient_quota' } })), 'neutral'],
    ['without its last event', stream(delta('hi')), 'failure'],
    ['broken off', cut(delta('hi')), 'failure'],
    ['a bad chunk', stream(delta('hi'), 'zz\r\n'), 'failure'],
    ['refused by us', stream(delta('write to ada@example.org now') + 'data: [DONE]\n\n'), 'neutral'],
  ]
  // At once: the connection stays for half a second after an error in a stream.
  const verdicts = await Promise.all(rows.map(([name, script]) => verdictOn(t, set, name, script, { stream: true })))
  for (const [index, [name, , verdict]] of rows.entries()) t.equal(verdicts[index], verdict, name)
})

t.test('a quota that is used up is in the record, in the metrics and in the log', async (t) => {
  const set = await world(t)
  const quota = jsonAnswer(429, { error: { code: 'enforced_spend_limit_reached' } }, { 'retry-after': '1' })
  t.equal(await status(set, 'm', quota), 429)
  t.equal(await status(set, 'n', jsonAnswer(429, {})), 429)
  t.equal(await metric(set.gateway.adminUrl, 'gatewright_upstream_quota_exhausted_total{upstream="ai"}'), 2)
  t.match(
    set.gateway.logged.filter(({ msg }) => msg === 'the quota at the upstream is used up'),
    [{ upstream: 'ai', level: 40 }, { upstream: 'ai' }],
  )
  await set.gateway.gateway.close()
  const outcomes = auditLines(set.gateway.auditDir).filter(({ kind }) => kind === 'outcome')
  t.match(
    outcomes.map((line) => line['attempts']),
    [[{ status: 429, quota: true }], [{ status: 429, quota: true }]],
  )
})

t.test('a client that leaves says nothing, and gives the slot of a probe back', async (t) => {
  const set = await world(t)
  const leave = async (model: string): Promise<void> => {
    const seen = set.upstream.requests.length + 1
    const gone = new Promise<void>((resolve) => set.scripts.set(model, [(scene) => void scene.closed.then(resolve)]))
    const client = new AbortController()
    const asking = ask(set, model, {}, client.signal).catch(() => undefined)
    await set.upstream.seen(seen)
    if (model === 'probed') t.equal((await ask(set, model)).status, 503, 'its slot is taken')
    client.abort()
    await Promise.all([gone, asking])
  }
  for (let turn = 0; turn < 3; turn++) await leave('left')
  t.equal(await stateOf(set, 'left'), 'closed')
  for (let turn = 0; turn < 2; turn++) await status(set, 'probed', failure)
  set.clock.advance(60_000)
  await leave('probed')
  t.equal(await stateOf(set, 'probed'), 'half-open')
  const whole = jsonAnswer(200, { choices: [] })
  t.equal(await status(set, 'probed', whole), 200)
  t.equal(await stateOf(set, 'probed'), 'half-open')
  t.equal(await status(set, 'probed', whole), 200)
  t.equal(await stateOf(set, 'probed'), 'closed')
})

t.test('a probe that streams is judged at its first content, and what breaks later counts as ever', async (t) => {
  const set = await world(t)
  for (let turn = 0; turn < 2; turn++) await status(set, 'm', failure)
  set.clock.advance(60_000)
  const begun = new Promise<Scene>((resolve) =>
    set.scripts.set('m', [
      async (scene) => {
        await scene.write(stream(delta('hello, this is a beginning'), ''))
        resolve(scene)
      },
    ]),
  )
  const long = await ask(set, 'm', { stream: true })
  const scene = await begun
  t.equal(await status(set, 'm', jsonAnswer(200, { choices: [] })), 200)
  t.equal(await stateOf(set, 'm'), 'closed', 'although the first goes on')
  await status(set, 'm', failure)
  scene.end()
  await long.text().catch(() => 'cut')
  t.equal(await stateOf(set, 'm'), 'open')
})
