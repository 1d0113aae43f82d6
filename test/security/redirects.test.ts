// Nothing may lead a client past the proxy: SDKs follow a redirect by themselves and say everything again there, as it
// was before redaction.
import t, { type Test } from 'tap'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { startGateway } from '../support/gateway.ts'
import { answer, jsonAnswer, scriptedUpstream } from '../support/scripted-upstream.ts'

t.test('a redirect of a model is no way past the proxy', async (t) => {
  const { upstream, elsewhere, gateway } = await stage(t)
  const options = { apiKey: 'agent', maxRetries: 0 }
  const openai = new OpenAI({ ...options, baseURL: `${gateway.url}/openai/v1` })
  const anthropic = new Anthropic({ ...options, baseURL: `${gateway.url}/anthropic` })
  const messages = [{ role: 'user' as const, content: 'write to ada@example.org' }]
  for (const status of [301, 302, 303, 307, 308]) {
    upstream.always(answer(status, '', { location: `${elsewhere.url}/v1` }))
    const asked = [
      openai.chat.completions.create({ model: 'gpt-4o', messages }),
      anthropic.messages.create({ model: 'claude-x', max_tokens: 1, messages }),
      openai.models.list(),
    ]
    for (const { reason } of (await Promise.allSettled(asked)) as PromiseRejectedResult[]) t.match(reason, { status })
  }
  t.equal(elsewhere.requests.length, 0)
})

t.test('a redirect that repeats a body leads nowhere, others are the client’s to follow', async (t) => {
  const { upstream, gateway } = await stage(t)
  const location = 'http://elsewhere.test/'
  for (const [method, status, expected] of [
    ['POST', 307, null],
    ['PUT', 308, null],
    ['POST', 303, location],
    ['GET', 307, location],
    ['GET', 302, location],
    ['POST', 201, location],
  ] as const) {
    upstream.always(answer(status, '', { location }))
    const init = method === 'GET' ? { method } : { method, body: '{}', headers: { 'content-type': 'application/json' } }
    const answered = await fetch(`${gateway.url}/tool/x`, { ...init, redirect: 'manual' })
    t.equal(answered.status, status)
    t.equal(answered.headers.get('location'), expected, `${method} ${status}`)
  }
})

t.test('what an upstream says of its own origin is not said of this one', async (t) => {
  const { upstream, gateway } = await stage(t)
  const said = {
    'alt-svc': 'h3="elsewhere.test:443"',
    refresh: '0; url=http://elsewhere.test/',
    'strict-transport-security': 'max-age=31536000',
  }
  upstream.always(answer(200, '{}', { ...said, 'content-type': 'application/json', etag: '"a"' }))
  const answered = await fetch(`${gateway.url}/tool/x`)
  for (const name of Object.keys(said)) t.equal(answered.headers.get(name), null, name)
  t.equal(answered.headers.get('etag'), '"a"', 'the rest is relayed')
})

async function stage(t: Test) {
  const upstream = await scriptedUpstream()
  const elsewhere = await scriptedUpstream()
  elsewhere.always(jsonAnswer(200, {}))
  const gateway = await startGateway(`
upstreams:
  openai: { protocol: openai, url: '${upstream.url}' }
  anthropic: { protocol: anthropic, url: '${upstream.url}' }
  tool: { protocol: http, url: '${upstream.url}' }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: anthropic, path: /anthropic, upstream: anthropic }
  - { id: tool, path: /tool, upstream: tool }
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
redaction: [{ id: emails, direction: request, detect: [email], action: mask }]
`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
    await elsewhere.close()
  })
  return { upstream, elsewhere, gateway }
}
