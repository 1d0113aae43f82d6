// A token in the arguments of a model's call becomes its value on the way to the client, so it must not carry past a rule
// what the rule denies.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { untilOutcomes } from '../support/audit-lines.ts'
import { startGateway } from '../support/gateway.ts'

t.test('a call is judged with the values that the client is given', async (t) => {
  // It calls the tool with the last word that it was told.
  const upstream = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => (body += text))
    request.on('end', () => {
      const to = /(\S+)"\}\]/.exec(body)?.[1] ?? ''
      const call = { id: 't1', type: 'function', function: { name: 'send', arguments: JSON.stringify({ to: [to] }) } }
      const message = { role: 'assistant', content: null, tool_calls: [call] }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ id: 'c1', choices: [{ index: 0, finish_reason: 'tool_calls', message }] }))
    })
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  t.teardown(() => upstream.close())
  const gateway = await startGateway(`
upstreams: { model: { protocol: openai, url: 'http://127.0.0.1:${(upstream.address() as AddressInfo).port}' } }
routes: [{ id: model, path: /model, upstream: model }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
rules:
  - { id: colleagues, effect: deny, actions: [tool.call], when: "!args.to[0].endsWith('@acme.test')" }
redaction:
  - { id: mail, direction: request, detect: [email], action: token }
`)
  t.teardown(() => gateway.close())
  const asked = async (content: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${gateway.gateway.data.port}/model/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] }),
    })
    return answer.text()
  }
  t.match(await asked('write to bob@acme.test'), '{\\"to\\":[\\"bob@acme.test\\"]}')
  const denied = await asked('write to ada@example.org')
  t.match(denied, 'denied the tool call send by rule colleagues')
  t.notMatch(denied, '@example.org')
  const [first, second] = await untilOutcomes(gateway.auditDir, 2)
  t.match(first, { decision: 'allow', restored: [{ count: 1, direction: 'answer', entity: 'email' }] })
  t.match(second, { decision: 'deny' })
  t.equal(second?.['restored'], undefined, 'what was only judged was not put back')
})
