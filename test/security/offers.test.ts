// Tools that a provider runs by itself can be asked for beside the list of tools: they are offers like those in it.
import t from 'tap'
import { startGateway } from '../support/gateway.ts'
import { jsonAnswer, scriptedUpstream } from '../support/scripted-upstream.ts'

t.test('tools beside the list leave with those in it', async (t) => {
  const upstream = await scriptedUpstream()
  upstream.always(jsonAnswer(200, {}))
  const gateway = await startGateway(`
upstreams:
  openai: { protocol: openai, url: '${upstream.url}' }
  anthropic: { protocol: anthropic, url: '${upstream.url}' }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: anthropic, path: /anthropic, upstream: anthropic }
principals: [{ id: agent, keys: [{ sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 }] }, { id: web }]
anonymous: web
defaultEffect: deny
rules:
  - { id: models, effect: allow, actions: [model.call] }
  - { id: own, effect: allow, actions: [tool.call], tools: ['get_*'] }
  - { id: web, effect: allow, actions: [tool.call], tools: [web_search, mcp_toolset], principals: { ids: [web] } }
`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  const forwarded = async (path: string, body: object, key?: string): Promise<unknown> => {
    const seen = upstream.requests.length
    const authorization = key === undefined ? undefined : { authorization: `Bearer ${key}` }
    const answered = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorization },
      body: JSON.stringify(body),
    })
    const sent = upstream.requests[seen]
    return sent === undefined ? answered.status : JSON.parse(sent.body.toString())
  }
  const chat = { model: 'm', messages: [{ role: 'user', content: 'x' }] }
  const own = { type: 'function', function: { name: 'get_mail' } }
  const search = { ...chat, tools: [own], web_search_options: {} }
  t.same(await forwarded('/openai/v1/chat/completions', search, 'test'), { ...chat, tools: [own] })
  t.same(await forwarded('/openai/v1/chat/completions', search), search, 'who may')
  const twoKinds = { ...chat, tools: [{ ...own, type: 'custom', custom: { name: 'wipe' } }] }
  t.equal(await forwarded('/openai/v1/chat/completions', twoKinds, 'test'), 400, 'two kinds')

  const server = { type: 'url', url: 'https://mcp.test/', name: 'a' }
  const message = { ...chat, max_tokens: 1 }
  const served = { ...message, mcp_servers: [server, { ...server, name: 'b' }] }
  t.same(await forwarded('/anthropic/v1/messages', served, 'test'), message)
  t.same(await forwarded('/anthropic/v1/messages', served), served, 'who may')
  const odd = { ...message, mcp_servers: { 0: server } }
  t.equal(await forwarded('/anthropic/v1/messages', odd, 'test'), 400, 'a list that is none')
})
