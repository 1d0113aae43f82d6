// Written cases as `test` and `explain` read them: where a request goes, who asks, and what is said of a case that cannot
// be run, while the others run.
import { mkdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { runHere, workIn, type RanHere } from '../../support/run-here.ts'

workIn(t)
const run = (...args: readonly string[]): Promise<RanHere> => runHere(args)

writeFileSync(
  'policy.yaml',
  `apiVersion: gatewright/v1
upstreams:
  openai: { protocol: openai, url: 'http://127.0.0.1:1' }
  crm: { protocol: http, url: 'http://127.0.0.1:2' }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: crm, path: /tools/crm, upstream: crm }
principals:
  - { id: research-agent, org: acme, team: growth, roles: [researcher], from: [127.0.0.0/8] }
anonymous: research-agent
rules:
  - { id: any, effect: allow, actions: [model.call, tool.call] }
  - { id: no-pay, effect: deny, actions: [tool.call], paths: ['/pay/**'] }
  - { id: research, effect: deny, actions: [model.call], models: [secret], when: '!("researcher" in principal.roles)' }
  - { id: growth, effect: deny, actions: [model.call], models: [gpt-old], principals: { orgs: [acme], teams: [growth] } }
`,
)

/** What `test` makes of cases, each a line of YAML without its braces. */
async function test(...cases: readonly string[]): Promise<RanHere> {
  writeFileSync('a.test.yaml', `policy: policy.yaml\ncases:\n${cases.map((one) => `  - { ${one} }\n`).join('')}`)
  return run('test', 'a.test.yaml')
}

const passed = (count: number) => ({ code: 0, out: new RegExp(`\\n${count} passed, 0 failed\\n$`), err: '' })
const chat = 'body: { model: gpt-5, messages: [{ role: user, content: hi }] }'

t.test('a path is read as the listener reads it', async (t) => {
  const crm = (name: string, path: string, expect: string): string =>
    `name: ${name}, request: { route: crm, path: '${path}' }, expect: { ${expect} }`
  t.match(
    await test(
      crm('escapes', '/p%61y/x', 'effect: deny, rule: no-pay'),
      crm('dots', '/x/../pay/x', 'effect: deny, code: target-invalid'),
      crm('twice', '/x?a=1?b=2', 'effect: allow'),
      crm('query', '/x?a=%', 'code: target-invalid'),
    ),
    passed(4),
  )
  writeFileSync('request.yaml', "request: { route: crm, path: '/p%61y/x' }\n")
  const { out } = await run('explain', '-c', 'policy.yaml', '-r', 'request.yaml', '-o', 'json')
  t.match(JSON.parse(out), [{ action: { path: '/pay/x' }, decision: { effect: 'deny', rule: 'no-pay' } }])
  writeFileSync('request.yaml', "request: { route: crm, path: '/x/../pay/x' }\n")
  t.match(await run('explain', '-c', 'policy.yaml', '-r', 'request.yaml'), {
    code: 1,
    out: '',
    err: /refused before any rule is asked: target-invalid: The path has dot segments/,
  })
})

t.test('a path stands below the route that is named, and finds its route where none is', async (t) => {
  t.match(
    await test(
      'name: below, request: { route: crm, path: /tools/crm/pay/x }, expect: { rule: any }',
      'name: whole, request: { path: /tools/crm/pay/x }, expect: { rule: no-pay }',
      `name: model, request: { path: /openai/v1/chat/completions, ${chat} }, expect: { rule: any }`,
      'name: nowhere, request: { path: /pay/x }, expect: { effect: deny, code: route-not-found }',
      'name: no slash, request: { path: openai/v1 }, expect: { code: target-invalid }',
      'name: the route itself, request: { route: crm, path: "?a=1" }, expect: { rule: any }',
    ),
    passed(6),
  )
})

t.test('who asks is who the configuration knows by the id, but for what the case says', async (t) => {
  const asks = (name: string, model: string, principal: string, rule: string): string =>
    `name: ${name}, principal: ${principal}, action: { type: model.call, model: ${model} }, expect: { rule: ${rule} }`
  t.match(
    await test(
      asks('roles', 'secret', '{ id: research-agent }', 'any'),
      asks('text', 'secret', 'research-agent', 'any'),
      asks('other roles', 'secret', '{ id: research-agent, roles: [] }', 'research'),
      asks('stranger', 'secret', 'somebody', 'research'),
      asks('org and team', 'gpt-old', 'research-agent', 'growth'),
      asks('other team', 'gpt-old', '{ id: research-agent, team: sales }', 'any'),
      `name: request, principal: research-agent, request: { route: openai, ${chat.replace('gpt-5', 'secret')} }, expect: { rule: any }`,
    ),
    passed(7),
  )
  t.match(
    (await test('name: a, principal: [x], action: { type: model.call }, expect: { effect: deny }')).out,
    /map or an id/,
  )
})

t.test('a case that cannot be run is named with its place, and the others run', async (t) => {
  const good = 'name: good, request: { route: crm }, expect: { effect: allow }'
  const ran = await test(
    `name: which, request: { ${chat} }, expect: { effect: allow }`,
    'name: gone, request: { route: cmr }, expect: { effect: deny }',
    'name: bare, request: { route: crm, path: pay/x }, expect: { effect: deny }',
    'name: misspelt, requets: { route: crm }, expect: { effect: deny }',
    'name: kinds, request: { route: crm }, findings: { emial: 1 }, expect: { effect: allow }',
    'action: { type: model.call }, expect: { effect: allow }',
    good,
  )
  t.equal(ran.code, 1)
  t.equal(ran.err, '')
  const said = [
    'which (a.test.yaml:3:5)\n       say which route or upstream: crm, openai\n',
    'gone (a.test.yaml:4:5)\n       no route is "cmr"; there are crm to crm, openai to openai\n',
    'bare (a.test.yaml:5:5)\n       the path below a route begins with "/": pay/x\n',
    'misspelt (a.test.yaml:6:5)\n       a.test.yaml:6:5: error: a case has either "action" or "request"\n       a.test.yaml:6:23: error: unknown key "requets" (did you mean "request"?)\n',
    'kinds (a.test.yaml:7:5)\n       a.test.yaml:7:57: error: unknown entity "emial" (did you mean "email"?)\n',
    'cases[5] (a.test.yaml:8:5)\n       a.test.yaml:8:5: error: missing key "name"\n',
  ]
  for (const one of said) t.match(ran.out, `  FAILED ${one}`)
  t.match(ran.out, /\n {2}ok good\n/)
  t.match(ran.out, /\n1 passed, 6 failed\n$/)
  const json = await run('test', 'a.test.yaml', '-o', 'json')
  t.match(JSON.parse(json.out), [{ results: [{ name: 'which', passed: false, line: 3, column: 5 }] }])
})

t.test('a suite that cannot be run is named with its place, and the others run', async (t) => {
  mkdirSync('suites')
  writeFileSync('suites/broken.test.yaml', 'policy: [')
  writeFileSync(
    'suites/gone.test.yaml',
    'policy: nope.yaml\ncases:\n  - { name: a, action: { type: model.call }, expect: { effect: deny } }\n',
  )
  writeFileSync(
    'suites/good.test.yaml',
    'policy: ../policy.yaml\ncases:\n  - { name: a, action: { type: model.call, model: m }, expect: { effect: allow } }\n',
  )
  const { code, out, err } = await run('test', 'suites')
  t.equal(code, 1)
  t.match(out, /good\.test\.yaml\n {2}ok a\n[^]*1 passed, 0 failed, 2 suites refused\n$/)
  t.match(err, /suites\/broken\.test\.yaml:1:\d+: error: /)
  t.match(err, /suites\/gone\.test\.yaml:1:9: error: the policy suites\/nope\.yaml does not exist\n/)
})
