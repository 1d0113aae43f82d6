import t from 'tap'
import { loadConfig } from '../../../proxy/config/load.ts'
import type { Document } from '../../../proxy/config/schema.ts'

function load(paths: readonly string[]): Document {
  const result = loadConfig(paths, {})
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('; '))
  return result.document
}

t.test('a later --config overrides values, merges maps, and merges lists by id', async (t) => {
  const folder = t.testdir({
    'base.yaml': `
apiVersion: gatewright/v1
server: { listen: "127.0.0.1:1", timeouts: { drain: 1s } }
policyHeaders: [x-a, x-b]
rules:
  - { id: first, effect: allow, models: [a, b] }
  - { id: second, effect: allow }
`,
    'site.yaml': `
server: { timeouts: { body: 2s }, listen: "127.0.0.1:2" }
policyHeaders: [x-c]
rules:
  - { id: third, effect: deny }
  - { id: first, mode: shadow, models: [c] }
`,
  })
  const document = load([`${folder}/base.yaml`, `${folder}/site.yaml`])
  t.match(document.server, { listen: '127.0.0.1:2', timeouts: { drain: '1s', body: '2s', headers: '10s' } })
  t.same(document.rules, [
    { id: 'first', effect: 'allow', models: ['c'], mode: 'shadow' },
    { id: 'second', effect: 'allow' },
    { id: 'third', effect: 'deny' },
  ])
  t.match(load([`${folder}/site.yaml`, `${folder}/base.yaml`]).server.listen, '127.0.0.1:1')
})

t.test(
  'a section that is a list without ids is joined, repeats left out; a list inside an entry is replaced',
  async (t) => {
    const folder = t.testdir({
      'base.yaml': `
apiVersion: gatewright/v1
tools: [{ name: "delete_*", tags: [destructive] }, { name: x, tags: [t] }]
policyHeaders: [x-a, x-b]
rules: [{ id: a, effect: allow }]
principals: [{ id: p, roles: [one] }]
upstreams: { u: { protocol: http, url: "http://127.0.0.1:1", egress: [10.0.0.0/8] } }
`,
      'site.yaml': `
tools: [{ tags: [t], name: x }, { name: x, tags: [t] }, { name: y, tags: [t] }]
policyHeaders: [x-b, x-c]
rules: []
principals: [{ id: p, roles: [two] }]
upstreams: { u: { egress: [192.168.0.0/16] } }
`,
    })
    const document = load([`${folder}/base.yaml`, `${folder}/site.yaml`])
    t.same(
      document.tools?.map(({ name }) => name),
      ['delete_*', 'x', 'x', 'y'],
    )
    t.same(document.policyHeaders, ['x-a', 'x-b', 'x-c'])
    t.match(document.rules, [{ id: 'a' }], 'an empty list takes nothing away')
    t.same(document.principals?.[0]?.roles, ['two'])
    t.same(document.upstreams['u']?.egress, ['192.168.0.0/16'])
  },
)

t.test('the files of a directory are joined, and may say the same thing twice', async (t) => {
  const folder = t.testdir({
    'a.yaml':
      'apiVersion: gatewright/v1\nrules: [{ id: a, effect: allow }]\ntools: [{ name: x, tags: [t] }]\nmode: shadow\npolicyHeaders: [x-a]\n',
    'b.yml':
      'apiVersion: gatewright/v1\nrules: [{ id: b, effect: allow }]\ntools: [{ name: x, tags: [u] }]\nmode: shadow\npolicyHeaders: [x-b, x-a]\n',
    'c.test.yaml': 'policy: a.yaml\n',
    '.hidden.yaml': 'nonsense: true\n',
    sub: { 'd.yaml': 'nonsense: true\n' },
  })
  const document = load([folder])
  t.same(
    document.rules?.map(({ id }) => id),
    ['a', 'b'],
  )
  t.same(document.tools, [
    { name: 'x', tags: ['t'] },
    { name: 'x', tags: ['u'] },
  ])
  t.same(document.policyHeaders, ['x-a', 'x-b'])
})

t.test('a problem is placed in the file that wrote the value', async (t) => {
  const folder = t.testdir({
    'a.yaml': 'apiVersion: gatewright/v1\nrules: [{ id: a, effect: allow }]\n',
    'b.yaml': '\n\nrules: [{ id: b, effect: alow }]\n',
  })
  const result = loadConfig([folder], {})
  t.match(result, { ok: false, problems: [{ file: `${folder}/b.yaml`, line: 3, column: 26, path: 'rules[1].effect' }] })
})
