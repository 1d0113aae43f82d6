// Upstreams that share a route or stand in for its own, when the environment switches some of them off.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { compileConfig } from '../../../proxy/config/compile.ts'
import { loadConfig } from '../../../proxy/config/load.ts'

const yaml = `
apiVersion: gatewright/v1
upstreams:
  a: { ifEnv: A, protocol: openai, url: http://127.0.0.1:1 }
  b: { ifEnv: B, protocol: openai, url: http://127.0.0.1:2 }
  c: { protocol: openai, url: http://127.0.0.1:3 }
routes:
  - { id: shared, path: /shared, upstreams: [{ upstream: a, weight: 3 }, { upstream: b }], fallback: [c] }
  - { id: single, path: /single, upstream: c, fallback: [a, b] }
principals: [{ id: agent }]
anonymous: agent
rules: [{ id: only-b, effect: allow, actions: [model.call], upstreams: [b], routes: [single] }]
`

function routesWith(t: Test, env: Record<string, string>): unknown {
  const file = join(t.testdir({}), 'config.yaml')
  writeFileSync(file, yaml)
  const loaded = loadConfig([file], env)
  if (!loaded.ok) return loaded.problems
  t.ok(compileConfig(loaded, 0).ok)
  return loaded.document.routes.map(({ id, upstream, upstreams, fallback }) => ({ id, upstream, upstreams, fallback }))
}

t.test('all are on', async (t) => {
  t.match(routesWith(t, { A: '1', B: '1' }), [
    {
      id: 'shared',
      upstream: 'a',
      upstreams: [
        { upstream: 'a', weight: 3 },
        { upstream: 'b', weight: 1 },
      ],
    },
    { id: 'single', upstream: 'c', fallback: ['a', 'b'] },
  ])
})

t.test('those that are on carry the route', async (t) => {
  t.match(routesWith(t, { B: '1' }), [
    { id: 'shared', upstream: 'b', upstreams: [{ upstream: 'b', weight: 1 }], fallback: ['c'] },
    { id: 'single', upstream: 'c', fallback: ['b'] },
  ])
})

t.test('one that only stands in does not', async (t) => {
  t.strictSame(routesWith(t, {}), [{ id: 'single', upstream: 'c', upstreams: undefined, fallback: undefined }])
})
