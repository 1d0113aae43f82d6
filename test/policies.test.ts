// What ships under policies/ is good, without any environment and with all of it, and every rule in it has a case.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { checkPaths } from '../proxy/cli/check.ts'
import { compileOrFail, judgeRequest } from '../proxy/cli/judging.ts'
import { gatewright, root } from './support/command.ts'

const folder = join(root, 'policies')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'))
const suites = files.filter((name) => name.endsWith('.test.yaml'))
const policies = files.filter((name) => !name.endsWith('.test.yaml'))
const packs = policies.filter((name) => name.startsWith('packs/'))
const whole = policies.filter((name) => !name.startsWith('packs/'))

const everyProvider = Object.fromEntries(
  ['OPENAI', 'ANTHROPIC', 'GROQ', 'OPENROUTER', 'AZURE_OPENAI', 'VLLM']
    .map((name) => [`${name}_API_KEY`, 'x'])
    .concat([['AWS_BEARER_TOKEN_BEDROCK', 'x']]),
)

type Content = {
  readonly policy?: string
  readonly cases?: readonly { readonly name: string }[]
  readonly rules?: readonly { readonly id: string }[]
}

function read(name: string): Content {
  return parse(readFileSync(join(folder, name), 'utf8')) as Content
}

t.test('there is something to check', async (t) => {
  t.ok(suites.length >= 7 && packs.length >= 3 && whole.length >= 6)
})

t.test('every file checks, warnings included', async (t) => {
  for (const env of [{}, everyProvider]) {
    const { code, stdout } = await gatewright(['check', '--strict', 'policies'], env)
    t.same({ code, stdout }, { code: 0, stdout: `${policies.length} configurations are good\n` })
  }
})

t.test('every case passes and every rule is reached', async (t) => {
  const cases = suites.flatMap((name) => read(name).cases ?? [])
  for (const env of [{}, everyProvider]) {
    const { code, stdout } = await gatewright(['test', '--require-coverage', 'policies'], env)
    const wrong = stdout.split('\n').filter((line) => /FAILED|^ {7}|no case reaches/.test(line))
    t.same({ code, wrong }, { code: 0, wrong: [] })
    t.equal(stdout.trimEnd().split('\n').at(-1), `${cases.length} passed, 0 failed`)
  }
})

t.test('no file with rules goes without a suite, and no name of a case stands twice', async (t) => {
  const tested = new Set(suites.map((name) => join(name, '..', read(name).policy ?? '')))
  for (const name of policies) if ((read(name).rules ?? []).length > 0) t.ok(tested.has(name), `${name} has a suite`)
  for (const name of suites) {
    const names = (read(name).cases ?? []).map((one) => one.name)
    t.equal(new Set(names).size, names.length, name)
  }
})

t.test('every policy is listed in the README beside it', async (t) => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8')
  for (const name of policies) t.ok(readme.includes(`(${name})`), name)
})

t.test('a suite that fails, and a rule without a case, are seen', async (t) => {
  const dir = t.testdir({
    'a.yaml':
      'apiVersion: gatewright/v1\nrules:\n  - { id: one, effect: allow, actions: [tool.call], tools: [a] }\n  - { id: two, effect: allow, actions: [tool.call], tools: [b] }\n',
    'a.test.yaml':
      'policy: a.yaml\ncases:\n  - { name: a, action: { type: tool.call, tool: a }, expect: { rule: one } }\n',
    'bad.test.yaml':
      'policy: a.yaml\ncases:\n  - { name: b, action: { type: tool.call, tool: b }, expect: { rule: one } }\n',
  })
  const passing = await gatewright(['test', join(dir, 'a.test.yaml')])
  t.equal(passing.code, 0)
  t.match(passing.stdout, /rules that no case reaches: two\n1 passed, 0 failed\n$/)
  t.equal((await gatewright(['test', '--require-coverage', join(dir, 'a.test.yaml')])).code, 1)
  const failing = await gatewright(['test', join(dir, 'bad.test.yaml')])
  t.equal(failing.code, 1)
  t.match(failing.stdout, /FAILED b \(.*bad\.test\.yaml:3:5\)\n +rule: expected one, got two\n/)
  t.equal((await gatewright(['test', join(dir, 'none')])).code, 2, 'a path that is not there')
})

t.test('a pack merges with every configuration', async (t) => {
  for (const name of whole) {
    const problems = checkPaths(
      [name, ...packs].map((path) => join(folder, path)),
      {},
    )
    t.same(
      problems.filter(({ severity }) => severity === 'error'),
      [],
      name,
    )
  }
})

t.test('a pack tightens what it is merged with', async (t) => {
  const pack = (name: string): string => join(folder, 'packs', name)
  const base = join(folder, 'examples/shadow-rollout.yaml')
  const message = (content: string) => ({ body: { model: 'gpt-5', messages: [{ role: 'user', content }] } })
  const at = { principal: { id: 'a', roles: [] }, client: { ip: '127.0.0.1' }, headers: {}, timeMs: 0 }

  const before = await judgeRequest(compileOrFail([base]), message('I am ada@example.org'), at)
  t.match(before, { redactions: {} }, 'only in shadow')
  t.notMatch(before, { redactions: { email: Number } })
  const after = compileOrFail([base, pack('pii-baseline.yaml')])
  t.match(await judgeRequest(after, message('I am ada@example.org'), at), { redactions: { email: 1 } })

  const call = { type: 'tool.call', tool: 'delete_row', via: 'model', args: {} } as const
  const query = { ...at, action: call, route: 'openai', upstream: 'openai' }
  t.equal(compileOrFail([base]).policy.evaluate(query).effect, 'allow')
  const denied = compileOrFail([base, pack('no-destructive-tools.yaml')]).policy.evaluate(query)
  t.match(denied, { effect: 'deny', rule: 'pack-destructive-tools' })

  t.same(
    compileOrFail([base, pack('fair-use.yaml')]).limits.map(({ id }) => id),
    ['fair-agent', 'fair-agent-model', 'fair-address'],
  )
})

t.test('the first line names the schema, by the way that leads to it', async (t) => {
  for (const name of policies) {
    const [line] = readFileSync(join(folder, name), 'utf8').split('\n')
    const way = relative(join(folder, name, '..'), join(folder, 'gatewright.schema.json'))
    t.equal(line, `# yaml-language-server: $schema=${way.startsWith('.') ? way : `./${way}`}`, name)
  }
})
