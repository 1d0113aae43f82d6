import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkPaths } from '../../../proxy/cli/check.ts'
import { loadYaml } from '../../../proxy/config/load-yaml.ts'
import { report } from '../../../proxy/config/report.ts'
import { configSchema } from '../../../proxy/config/schema.ts'
import { visibleText, visibleUnread } from '../../../proxy/config/visible-text.ts'

const policies = new URL('../../../policies/', import.meta.url).pathname

t.test('of what ships everything is shown but digests of keys', async (t) => {
  const files = readdirSync(policies, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((name) => /(?<!\.test)\.yaml$/.test(name))) {
    const text = readFileSync(join(policies, file), 'utf8')
    const read = loadYaml(file, text)
    const visible = read.ok ? visibleText(read.root, configSchema) : ''
    const digests = /(?<=sha256: )(?:'[^']*'|\S+)/g
    t.equal(visible.replaceAll(digests, ''), text.replaceAll(digests, ''), file)
  }
})

t.test('no format shows a secret that was written down', async (t) => {
  const folder = t.testdir({
    'c.yaml': `
apiVersion: gatewright/v1
upstreams:
  a: { protocol: openai, url: "https://user:hunter2@a.example", credential: { bearer: hunter2 }, secret: hunter2 }
  b: { protocol: openai, url: "\${PASSWORD}" }
`,
    'd.yaml': 'apiVersion: gatewright/v1\nstore: { password: hunter2 ]\n',
  })
  for (const file of ['c.yaml', 'd.yaml']) {
    const problems = checkPaths([join(folder, file)], { PASSWORD: 'hunter2' })
    t.not(problems.length, 0)
    for (const format of ['text', 'json', 'github'] as const) t.notMatch(report(problems, format), 'hunter2')
  }
})

t.test('of a text that is no YAML: keys, punctuation and names of variables', async (t) => {
  const shows = (text: string, visible: string): unknown => t.equal(visibleUnread(text), visible)
  shows('a: b\n"c": \'d e\'\n- f:\n', 'a: *\n"c": \'* *\'\n- f:\n')
  shows('{a: sk,b: 1}', '{a: **,b: *}')
  shows('a: http://u:p@h', 'a: ************')
  shows('listen: ${LISTEN} ${X:-y}', 'listen: ${LISTEN} ${X***}')
})
