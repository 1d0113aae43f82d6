// Tools that a provider runs by itself can be asked for beside the list of tools: they are offers like those in it. And a
// request can ask other models than the one that it names.
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
  const parse = { id: 'file-parser' }
  const plugins = { ...chat, plugins: [{ id: 'web', max_results: 1 }, parse] }
  t.same(await forwarded('/openai/v1/chat/completions', plugins, 'test'), { ...chat, plugins: [parse] }, 'a plugin')
  t.same(await forwarded('/openai/v1/chat/completions', plugins), plugins, 'who may')
  t.equal(await forwarded('/openai/v1/chat/completions', { ...chat, plugins: { 0: parse } }, 'test'), 400)
  const respond = { model: 'm', input: 'x' }
  const searching = { ...respond, plugins: [{ id: 'web' }] }
  t.same(await forwarded('/openai/v1/responses', searching, 'test'), { ...respond, plugins: [] })
  t.same(await forwarded('/openai/v1/responses', searching), searching, 'who may')
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

t.test('a model beside the one that a request names is asked only where rules see it', async (t) => {
  const upstream = await scriptedUpstream()
  upstream.always(jsonAnswer(200, {}))
  const gateway = await startGateway(`
upstreams: { openai: { protocol: openai, url: '${upstream.url}' } }
routes: [{ id: openai, path: /openai, upstream: openai }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: deny
rules:
  - { id: approved, effect: allow, actions: [model.call], models: ['gpt-*'] }
  - { id: dear, effect: deny, actions: [model.call], models: ['*-dear'] }
  - { id: tools, effect: allow, actions: [tool.call, tool.offer] }
`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  const asked = async (path: string, body: object): Promise<unknown> => {
    const seen = upstream.requests.length
    const answered = await fetch(`${gateway.url}/openai/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const sent = upstream.requests[seen]
    return sent === undefined ? `${answered.status} ${await answered.text()}` : JSON.parse(sent.body.toString())
  }
  const model = 'gpt-5.1'
  const calls: [string, object][] = [
    ['/chat/completions', { model, messages: [{ role: 'user', content: 'x' }] }],
    ['/completions', { model, prompt: 'x' }],
    ['/responses', { model, input: 'x' }],
    ['/responses/compact', { model, input: 'x' }],
    ['/embeddings', { model, input: 'x' }],
    ['/moderations', { model, input: 'x' }],
    ['/images/generations', { model, prompt: 'x' }],
    ['/audio/speech', { model, input: 'x', voice: 'ash' }],
  ]
  for (const [path, body] of calls) {
    t.match(await asked(path, { ...body, models: [model, 'o-dear'] }), /^400 .*models lets another model answer/, path)
    t.match(await asked(path, { ...body, fallbacks: [{ model: 'o-dear' }] }), /^400 .*fallbacks lets another/, path)
    const same = { ...body, models: [model], fallbacks: [], context_window_fallbacks: null }
    t.same(await asked(path, same), same, `${path}: no other`)
  }
  const [chat, , responses] = calls.map(([, body]) => body)
  t.match(await asked('/chat/completions', { ...chat, Models: ['o-dear'] }), /^400 .*almost like models/)
  const drawn = { model: 'gpt-image-2', prompt: 'x', svg: { model: 'o-dear' } }
  t.match(await asked('/images/generations', drawn), /^400 .*svg\.model asks another model/)

  const own = { type: 'function', name: 'get_mail' }
  const draws = (more: object) => ({ ...responses, tools: [own, { type: 'image_generation', ...more }] })
  const without = { ...responses, tools: [own] }
  t.same(await asked('/responses', draws({ model: 'o-dear' })), without, 'by a deny rule')
  t.same(await asked('/responses', draws({ model: 'dall-e-3' })), without, 'by default')
  t.same(await asked('/responses', draws({ model: 'gpt-image-2', svg: { model: 'gpt-dear' } })), without, 'further in')
  for (const allowed of [draws({}), draws({ model: 'gpt-image-2', svg: { model: 'gpt-5.1' } })])
    t.same(await asked('/responses', allowed), allowed, 'who may')
})
