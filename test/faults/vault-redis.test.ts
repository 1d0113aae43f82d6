// Two gateways that share what tokens stand for through a real Redis, and what becomes of tokens without it.
import { createHash } from 'node:crypto'
import t from 'tap'
import { startAgentModel } from '../support/agent-model.ts'
import { auditLines } from '../support/audit-lines.ts'
import { findProgram, missing } from '../support/debian.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { startRedis } from '../support/redis.ts'

const binary = findProgram('redis-server')
const skip = binary === undefined && missing('redis-server')
const sha256 = createHash('sha256').update('gw_test').digest('hex')

void t.test('gateways that share a key share tokens, and stop without Redis', { skip }, async (t) => {
  if (binary === undefined) return
  const redis = await startRedis(binary)
  const model = await startAgentModel()
  t.teardown(async () => {
    await redis.close()
    await model.close()
  })
  const start = async (): Promise<TestGateway> => {
    const gateway = await startGateway(
      `
upstreams: { openai: { protocol: openai, url: ${model.url} }, crm: { protocol: http, url: ${model.url} } }
routes: [{ id: openai, path: /openai, upstream: openai }, { id: crm, path: /crm, upstream: crm }]
principals: [{ id: agent, keys: [{ sha256: ${sha256} }] }]
defaultEffect: allow
redaction: [{ id: out, direction: request, upstreams: [openai], detect: [email], action: token, restoreTo: [crm] }]
store: { redis: { url: '${redis.url}', timeout: 400ms } }
vault: { store: redis, key: { fromEnv: VAULT_KEY } }
`,
      { env: { VAULT_KEY: 'a secret that both have' } },
    )
    t.teardown(() => gateway.close())
    return gateway
  }
  const [one, two] = [await start(), await start()]
  const ask = async (at: TestGateway, path: string, content: string): Promise<string> => {
    const answer = await fetch(`${at.url}${path}`, {
      method: 'POST',
      headers: { authorization: 'Bearer gw_test', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] }),
    })
    t.equal(answer.status, 200)
    return answer.text()
  }
  const issue = async (value: string): Promise<string> => {
    await ask(one, '/openai/v1/chat/completions', `{"result":"${value}"}`)
    return /EMAIL_[0-9a-z]{10}/.exec(model.bodies.at(-1) ?? '')?.[0] ?? ''
  }

  const token = await issue('ada@example.org')
  const said = await ask(two, '/openai/v1/chat/completions', `{"result":"${token}"}`)
  t.match(said, 'The tool says: ada@example.org')
  await ask(two, '/crm/x', token)
  t.match(model.bodies.at(-1), 'ada@example.org')

  const second = await issue('bob@example.org')
  redis.stall()
  await ask(two, '/crm/x', second)
  t.match(model.bodies.at(-1), second, 'it stays a token')
  await ask(two, '/crm/x', token)
  t.match(model.bodies.at(-1), 'ada@example.org', 'what this process knows it still knows')
  await ask(one, '/crm/x', second)
  t.match(model.bodies.at(-1), 'bob@example.org')
  redis.resume()

  await two.gateway.close()
  const outcomes = auditLines(two.auditDir).filter(({ kind }) => kind === 'outcome')
  t.same(
    outcomes.map((line) => line['vault']),
    [undefined, undefined, 'unavailable', undefined],
  )
})
