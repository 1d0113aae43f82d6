// After a 429 one model rests with one credential: not the other credentials, not the other models, and no breaker.
import t from 'tap'
import { ManualClock } from '../support/clock.ts'
import { startGateway } from '../support/gateway.ts'
import { jsonAnswer, scriptedUpstream, type Scene } from '../support/scripted-upstream.ts'

t.setTimeout(60_000)

t.test('a credential that is refused again and again is an alarm, once, and opens no breaker', async (t) => {
  let status = 401
  const upstream = await scriptedUpstream()
  upstream.always((scene: Scene) => scene.write(jsonAnswer(status, { choices: [] })))
  const gateway = await startGateway(
    `
upstreams:
  ours: { protocol: http, url: "${upstream.url}", credential: { bearer: { fromEnv: ONE } } }
  theirs: { protocol: http, url: "${upstream.url}" }
routes: [{ id: ours, path: /ours, upstream: ours }, { id: theirs, path: /theirs, upstream: theirs }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow`,
    { env: { ONE: 'key-1' } },
  )
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  const ask = async (path: string, times: number): Promise<void> => {
    for (let turn = 0; turn < times; turn++) await (await fetch(gateway.url + path)).text()
  }
  const alarms = (): unknown[] => gateway.logged.filter(({ msg }) => msg === 'the upstream refuses our credential')
  await ask('/theirs', 6)
  await ask('/ours', 4)
  t.same(alarms(), [], 'what one caller asks for is none')
  await ask('/ours', 4)
  t.match(alarms(), [{ upstream: 'ours', status: 401, level: 50 }])
  status = 200
  await ask('/ours', 1)
  status = 403
  await ask('/ours', 5)
  t.equal(alarms().length, 2)
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  t.match(metrics, /gatewright_upstream_credential_refused_total\{upstream="ours"\} 13\n/)
  t.notMatch(metrics, /credential_refused_total\{upstream="theirs"\}/)
  t.match(metrics, /gatewright_breaker_state\{upstream="ours"\} 0\n/)
})

t.test('a model rests with the credential that was limited', async (t) => {
  const limited = new Set<string>()
  const upstream = (await scriptedUpstream()).always((scene: Scene) => {
    const { request } = scene
    const { model } = JSON.parse(String(request.body)) as { model: string }
    const asked = `${request.header('authorization')} ${model}`
    return scene.write(
      limited.has(asked)
        ? jsonAnswer(429, { error: { message: 'slow down' } }, { 'retry-after': '20' })
        : jsonAnswer(200, { choices: [] }),
    )
  })
  const clock = new ManualClock()
  const gateway = await startGateway(
    `
upstreams:
  openai:
    protocol: openai
    url: "${upstream.url}"
    credentials: [{ id: one, bearer: { fromEnv: ONE } }, { id: two, bearer: { fromEnv: TWO } }]
    models: { quick: m, fast: m }
    retry: { attempts: 1 }
routes: [{ id: openai, path: /openai, upstream: openai }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow`,
    { clock, env: { ONE: 'key-1', TWO: 'key-2' }, random: () => 0 },
  )
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  /** The status, and whom it was asked with, in turn. */
  const ask = async (model: string): Promise<string> => {
    const before = upstream.requests.length
    const reply = await fetch(`${gateway.url}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [] }),
    })
    await reply.text()
    const keys = upstream.requests.slice(before).map((request) => request.header('authorization')?.slice(-1))
    return [reply.status, ...keys].join(' ')
  }
  t.equal(await ask('m'), '200 1')
  limited.add('Bearer key-1 m')
  t.equal(await ask('m'), '200 1 2', 'the other credential is tried')
  t.equal(await ask('m'), '200 2')
  limited.add('Bearer key-2 n')
  t.equal(await ask('n'), '200 2 1', 'another model is not limited with the first')
  t.equal(await ask('m'), '200 2')
  limited.add('Bearer key-2 m')
  t.equal(await ask('quick'), '429 2', 'nobody else is left')
  t.equal(await ask('fast'), '429', 'one model under two names')
  t.equal(await ask('m'), '429')
  t.equal(await ask('other'), '200 2')
  const breaker = (await (await fetch(`${gateway.adminUrl}/v1/breakers/openai`)).json()) as { state: string }
  t.equal(breaker.state, 'closed')
  limited.clear()
  clock.advance(20_000)
  t.match(await ask('fast'), /^200 [12]$/)
})
