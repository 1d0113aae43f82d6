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
  t.same(document.policyHeaders, ['x-c'], 'a list without ids has one author')
  t.same(document.rules, [
    { id: 'first', effect: 'allow', models: ['c'], mode: 'shadow' },
    { id: 'second', effect: 'allow' },
    { id: 'third', effect: 'deny' },
  ])
  t.match(load([`${folder}/site.yaml`, `${folder}/base.yaml`]).server.listen, '127.0.0.1:1')
})

t.test('the files of a directory are joined, and may say the same thing twice', async (t) => {
  const folder = t.testdir({
    'a.yaml':
      'apiVersion: gatewright/v1\nrules: [{ id: a, effect: allow }]\ntools: [{ name: x, tags: [t] }]\nmode: shadow\n',
    'b.yml':
      'apiVersion: gatewright/v1\nrules: [{ id: b, effect: allow }]\ntools: [{ name: x, tags: [u] }]\nmode: shadow\n',
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
})

t.test('a problem is placed in the file that wrote the value', async (t) => {
  const folder = t.testdir({
    'a.yaml': 'apiVersion: gatewright/v1\nrules: [{ id: a, effect: allow }]\n',
    'b.yaml': '\n\nrules: [{ id: b, effect: alow }]\n',
  })
  const result = loadConfig([folder], {})
  t.match(result, { ok: false, problems: [{ file: `${folder}/b.yaml`, line: 3, column: 26, path: 'rules[1].effect' }] })
})
