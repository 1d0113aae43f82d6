// Limits that ask for names, and names that no pattern can be asked about.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compileConfig } from '../../../proxy/config/compile.ts'
import { loadConfig } from '../../../proxy/config/load.ts'

const yaml = `
apiVersion: gatewright/v1
upstreams: { a: { protocol: openai, url: http://127.0.0.1:1 } }
routes: [{ id: a, path: /a, upstream: a }]
principals: [{ id: agent }]
anonymous: agent
limits: [{ id: deletions, by: [principal], tools: ['delete_*'], models: [gpt-*], toolCalls: 1/m }]
`

t.test('a name that is too long or in another form counts for all of them', async (t) => {
  const file = join(t.testdir({}), 'config.yaml')
  writeFileSync(file, yaml)
  const loaded = loadConfig([file], {})
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const compiled = compileConfig(loaded, 0)
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems))
  const filters = compiled.config.limits[0]?.filters
  for (const name of ['delete_all', 'x'.repeat(16_385), 'löschen'.normalize('NFD')])
    t.equal(filters?.tools?.(name), true, name.slice(0, 20))
  t.equal(filters?.tools?.('list'), false)
  t.equal(filters?.models?.('gpt-4o'), true)
  t.equal(filters?.models?.('o1'), false)
  t.equal(filters?.models?.('x'.repeat(16_385)), true)
})
