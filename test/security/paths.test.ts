// A rule about a path cannot be evaded by another way of writing the path.
import t from 'tap'
import { answer } from '../support/scripted-upstream.ts'
import { openFortress, talk } from './fortress.ts'

t.test('a denied path, written otherwise', async (t) => {
  const fortress = await openFortress()
  t.teardown(() => fortress.close())
  fortress.upstream.always(answer(200, 'ok', { 'content-type': 'text/plain' }))
  const status = async (target: string): Promise<number | undefined> =>
    (await talk(fortress.port, `GET ${target} HTTP/1.1\r\nhost: gateway.test\r\nconnection: close\r\n\r\n`)).replies[0]
      ?.status
  for (const target of [
    '/open/admin',
    '/open/admin/x',
    '/open/admin?x',
    '/open/%61dmin/x',
    '/open/%61%64%6D%69%6e',
    '/open/admin/%78',
    '/open/a:delete',
    '/open/a%3Adelete',
    '/%6fpen/admin',
  ]) {
    t.equal(await status(target), 403, target)
  }
  for (const target of [
    '/open//admin',
    '/open/./admin',
    '/open/x/../admin',
    '/open/x%2f..%2fadmin',
    '/open/;/admin',
    '/open/%2561dmin',
    '/open\\admin',
  ])
    t.equal(await status(target), 400, target)
  t.equal(fortress.upstream.requests.length, 0)
  t.equal(await status('/open/other/%61%20b'), 200)
  t.equal(fortress.upstream.requests[0]?.target, '/other/a%20b', 'what was judged is what is sent')
})

t.test('P01 to P05: paths that two readers resolve differently are refused, not repaired', async (t) => {
  const fortress = await openFortress()
  t.teardown(() => fortress.close())
  const rows: Readonly<Record<string, readonly string[]>> = {
    'P01 dot segments': [
      '/open/x/../../admin',
      '/open/%2e%2e/admin',
      '/open/.%2e/admin',
      '/open/%2E%2e/a',
      '/open/./a',
    ],
    'P02 slashes that are none': ['/open/a%2fb', '/open/a%2Fb', '/open/a%5cb', '/open/a\\b'],
    'P03 a host in the path': ['//evil.test/open/x', '/\\evil.test/open/x', '///open/x', '/open//x'],
    'P04 path parameters': ['/open/a;x=1', '/open/..;/admin', '/open;/x'],
    'P05 controls and broken UTF-8': [
      '/open/%00',
      '/open/%0d%0aX:1',
      '/open/%09',
      '/open/%7f',
      '/open/%c0%ae',
      '/open/%ff',
      '/open/%252e',
      '/open/%',
      '/open/%zz',
    ],
  }
  for (const [name, targets] of Object.entries(rows)) {
    for (const target of targets) {
      const bytes = `GET ${target} HTTP/1.1\r\nhost: gateway.test\r\nconnection: close\r\n\r\n`
      t.equal((await talk(fortress.port, bytes)).replies[0]?.status, 400, `${name}: ${target}`)
    }
  }
  t.equal(fortress.upstream.connections, 0)
})

t.test(
  'P06, P07: another spelling of a served path is another path, and there is no way round the rules',
  async (t) => {
    const fortress = await openFortress()
    t.teardown(() => fortress.close())
    fortress.upstream.always(answer(200, '{}', { 'content-type': 'application/json' }))
    const status = async (target: string, method = 'GET'): Promise<number | undefined> =>
      (await talk(fortress.port, `${method} ${target} HTTP/1.1\r\nhost: gateway.test\r\nconnection: close\r\n\r\n`))
        .replies[0]?.status
    for (const target of [
      '/OPEN/x',
      '/Tools/crm/x',
      '/open.',
      '/openx',
      '/tools',
      '/tools/crmx',
      '/v1/proxy/chat/completions',
      '/metrics',
      '/livez',
      '/proxy/open/x',
    ])
      t.equal(await status(target), 404, target)
    const denied = ['/tools/crm/x', '/tools/crm/', '/tools/crm', '/open/admin', '/open/admin/', '/openai/v1/models']
    for (const target of denied) t.equal(await status(target), 403, target)
    for (const target of ['/openai/v1/CHAT/completions', '/openai/chat/completions/', '/openai/v1/chat/completions.'])
      t.equal(await status(target, 'POST'), 403, target)
    t.equal(fortress.upstream.connections, 0)
  },
)

t.test('P08: of a parameter that is there twice, rules see every value', async (t) => {
  const fortress = await openFortress()
  t.teardown(() => fortress.close())
  fortress.upstream.always(answer(200, 'ok', { 'content-type': 'text/plain' }))
  fortress.gateway.rewrite(`
server: { timeouts: { body: 400ms, keepAlive: 50ms, headers: 2s } }
upstreams: { open: { protocol: http, url: '${fortress.upstream.url}' } }
routes: [{ id: open, path: /open, upstream: open }]
principals: [{ id: anybody, from: [127.0.0.0/8] }]
anonymous: anybody
defaultEffect: deny
rules:
  - { id: only-mine, effect: allow, actions: [tool.call], when: 'args.owner == "me"' }
  - { id: not-theirs, effect: deny, actions: [tool.call], when: 'has(args.team) && args.team == "theirs"' }
`)
  t.equal(fortress.gateway.gateway.reload().ok, true)
  const status = async (query: string): Promise<number | undefined> =>
    (await talk(fortress.port, `GET /open/x?${query} HTTP/1.1\r\nhost: gateway.test\r\nconnection: close\r\n\r\n`))
      .replies[0]?.status
  t.equal(await status('owner=me'), 200)
  t.equal(await status('%6fwner=%6De'), 200)
  for (const query of [
    'owner=me&owner=you',
    'owner=you&owner=me',
    'owner=me;owner=you',
    'owner=me&team=ours;team=theirs',
    'owner[]=me',
    'owner=me%26owner=you',
    'OWNER=me',
    'x=1',
  ])
    t.equal(await status(query), 403, query)
  t.equal(fortress.upstream.requests.length, 2)
})
