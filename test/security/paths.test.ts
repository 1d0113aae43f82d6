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
