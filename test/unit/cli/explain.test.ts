// `explain` of whole requests: it says what the proxy does, for listings, for content that redaction blocks, and for the
// tools that a request offers.
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { runHere, workIn } from '../../support/run-here.ts'

workIn(t)

writeFileSync(
  'policy.yaml',
  `apiVersion: gatewright/v1
upstreams:
  openai: { protocol: openai, url: 'http://127.0.0.1:1' }
  github: { protocol: mcp, url: 'http://127.0.0.1:2/mcp' }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: github, path: /mcp, upstream: github }
rules:
  - { id: any, effect: allow, actions: [model.call] }
  - { id: get, effect: allow, actions: [tool.call], tools: ['get_*', 'github/get_*'] }
  - { id: no-mini, effect: deny, actions: [model.call], models: [gpt-4o-mini] }
  - { id: no-offer, effect: deny, actions: [tool.offer], tools: ['get_hid_*'] }
  - { id: later, effect: deny, actions: [model.call, tool.call], mode: shadow }
redaction:
  - { id: blk, direction: request, detect: [us-ssn], action: block }
`,
)

type Explained = { readonly action: { readonly type: string; readonly tool?: string }; readonly [key: string]: unknown }

async function explained(request: string): Promise<{ text: string; json: readonly Explained[] }> {
  writeFileSync('request.yaml', `request: ${request}\n`)
  const [command, ...args] = ['explain', '-c', 'policy.yaml', '-r', 'request.yaml']
  const text = await runHere([command ?? '', ...args])
  const json = await runHere([command ?? '', ...args, '-o', 'json'])
  t.same([text.code, text.err, json.code, json.err], [0, '', 0, ''])
  return { text: text.out, json: JSON.parse(json.out) as readonly Explained[] }
}

t.test('of a listing it is asked whether some call may ever be allowed', async (t) => {
  for (const path of ['/v1/models', '/v1/files']) {
    const { text, json } = await explained(`{ upstream: openai, method: GET, path: ${path} }`)
    t.match(text, /^model\.call: allow: Some model call may be allowed here/)
    t.match(text, /\nno-mini \(deny\): unknown; another call may not match it, so it rules out none\n/)
    t.match(text, /\nlater \(deny, shadow\): matched; in shadow mode it rules out nothing\n/)
    t.match(json, [{ decision: { effect: 'allow', code: 'may-be-called' }, mayEver: true }])
    t.equal(json.length, 1)
  }
  const body = '{ jsonrpc: "2.0", id: 1, method: tools/list }'
  const { text, json } = await explained(`{ upstream: github, path: '', body: ${body} }`)
  t.match(text, /^tool\.call: allow: Something may be used here[^]*\n {2}some tool\.call may be allowed\n/)
  t.match(text, /\nget \(allow\): unknown; some call may match it, so it may be allowed\n/)
  t.match(text, /\nresource\.read: allow: [^]*\n {2}no resource\.read can be allowed\n/)
  const listing = { effect: 'allow', code: 'may-be-called' }
  t.match(json, [
    { action: { type: 'tool.call' }, decision: listing, mayEver: true },
    { action: { type: 'resource.read' }, decision: listing, mayEver: false },
    { action: { type: 'prompt.get' }, decision: listing, mayEver: false },
  ])
})

t.test('what redaction blocks is denied by its rule, whatever the others allow', async (t) => {
  const asked = (content: string): string =>
    `{ upstream: openai, body: { model: gpt-5, messages: [{ role: user, content: '${content}' }] } }`
  const { text, json } = await explained(asked('ssn 219-09-9999'))
  t.match(text, /^model\.call: deny by rule blk: Redaction rule blk blocks content with data of kind us-ssn\.\n/)
  t.match(text, /\n {2}the rules alone: allow by rule any: Allowed by rule any\.\n/)
  t.match(json, [
    {
      decision: { effect: 'deny', rule: 'blk', code: 'content-blocked', matched: [{ rule: 'any' }, { rule: 'later' }] },
      byRules: { effect: 'allow', rule: 'any', code: 'rule-matched' },
      rules: [{ rule: 'any', result: 'matched' }],
    },
  ])
  const clean = await explained(asked('hello'))
  t.match(clean.text, /^model\.call: allow by rule any: /)
  t.notOk('byRules' in (clean.json[0] ?? {}))
})

t.test('each tool that is offered is judged, too', async (t) => {
  const tools = ['get_hid_x', 'get_y', 'rm'].map((name) => `{ type: function, function: { name: ${name} } }`)
  const { text, json } = await explained(
    `{ upstream: openai, body: { model: gpt-5, messages: [{ role: user, content: hi }], tools: [${tools.join(', ')}] } }`,
  )
  t.match(json, [
    { action: { type: 'model.call' }, decision: { effect: 'allow' } },
    { action: { type: 'tool.offer', tool: 'get_hid_x', via: 'model' }, decision: { effect: 'deny', rule: 'no-offer' } },
    { action: { type: 'tool.offer', tool: 'get_y' }, decision: { effect: 'allow', code: 'may-be-called' } },
    { action: { type: 'tool.offer', tool: 'rm' }, decision: { effect: 'deny', code: 'never-callable' } },
  ])
  t.notOk('calls' in (json[1] ?? {}), 'a rule of its own decides')
  t.match(json[2], { calls: [{ rule: 'any' }, { rule: 'get', result: 'matched' }] })
  t.match(json[3], { calls: [{ rule: 'any' }, { rule: 'get', result: 'not-matched' }] })
  t.match(text, /\n\ntool\.offer get_hid_x: deny by rule no-offer: /)
  t.match(text, /\ntool\.offer rm: deny: No call of this tool could be allowed\.\n/)
  t.match(text, /\n {2}no rule decides about the offer, so calls of the tool do:\n[^]*\nget \(allow\): not-matched\n/)
})
