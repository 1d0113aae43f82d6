// Token limits and reports of usage through a whole proxy: what clients see, what the admin listener and the command say,
// and that it is still there after a restart.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { UsageLog, usageKeys } from '../../proxy/pipeline/usage-log.ts'
import { usageTable } from '../../proxy/pipeline/usage-format.ts'
import { openPrices } from '../../proxy/limits/prices.ts'
import { auditLines } from '../support/audit-lines.ts'
import { gatewright } from '../support/command.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { answer, scriptedUpstream } from '../support/scripted-upstream.ts'

t.setTimeout(60_000)

const completion = JSON.stringify({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'yes' } }],
  usage: { prompt_tokens: 100, completion_tokens: 20, prompt_tokens_details: { cached_tokens: 40 } },
})

type Got = { readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown> }

async function chat({ url }: TestGateway, more: Record<string, unknown> = {}): Promise<Got> {
  const body = { model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }], ...more }
  const reply = await fetch(`${url}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: reply.status, headers: reply.headers, body: (await reply.json()) as Record<string, unknown> }
}

t.test('tokens are reserved, settled, told and reported', async (t) => {
  const upstream = await scriptedUpstream()
  upstream.always(
    answer(200, completion, {
      'content-type': 'application/json',
      'x-ratelimit-remaining-requests': '3',
      'x-ratelimit-limit-requests': '7',
    }),
  )
  t.teardown(() => upstream.close())
  const gateway = await startGateway(`
upstreams: { openai: { protocol: openai, url: "${upstream.url}" } }
routes: [{ id: openai, path: /openai, upstream: openai }]
principals: [{ id: agent, org: acme, team: growth, roles: [writer] }]
anonymous: agent
defaultEffect: allow
limits:
  - { id: requests, by: [principal], requests: 1000/m }
  - { id: tokens, by: [org, model], tokens: 1000/d, maxTokens: 500, assumedTokens: 200 }
  - { id: spend, by: [team], cost: 50/month, models: ['gpt-*', 'mystery'] }
  - { id: watched, by: [role], requests: 1/h, mode: shadow }`)
  t.teardown(() => gateway.close())

  const first = await chat(gateway)
  t.equal(first.status, 200)
  t.match(first.headers.get('ratelimit-policy'), /"tokens:tokens";q=1000;qu="tokens";w=86400/)
  t.equal(first.headers.get('x-ratelimit-remaining-requests'), '3', 'the upstream has fewer')
  t.match(first.headers.get('x-ratelimit-remaining-tokens'), /^79[0-9]$/, 'what may be used is reserved')
  t.match(first.headers.get('x-ratelimit-reset-tokens'), /^([0-9]+h)?([0-9]+m)?[0-9]+m?s$/)
  t.match(
    JSON.parse(String(upstream.requests[0]?.body)) as unknown,
    { max_completion_tokens: 500 },
    'no answer is longer',
  )

  const second = await chat(gateway, { max_tokens: 2000 })
  t.match(second.headers.get('x-ratelimit-remaining-tokens'), /^37[0-9]$/, '120 were used, 500 may be now')
  t.match(JSON.parse(String(upstream.requests[1]?.body)) as unknown, { max_tokens: 500 })
  const third = await chat(gateway, { max_tokens: 400, n: 2 })
  t.match(third, { status: 429, body: { error: { code: 'insufficient_quota' } } }, 'two answers of 400')
  t.equal(third.headers.get('retry-after'), null)
  t.equal(third.headers.get('x-should-retry'), 'false')
  t.match(await chat(gateway, { model: 'mystery' }), {
    status: 403,
    body: { error: { message: /price of the model/ } },
  })
  t.equal(upstream.requests.length, 2)

  const day = new Date().toISOString().slice(0, 10)
  const sums = { requests: 2, input: 200, output: 40, cacheRead: 80, cacheWrite: 0, costUsd: 0.0008, unpriced: 0 }
  const row = { day, org: 'acme', team: 'growth', principal: 'agent', model: 'gpt-4o', ...sums }
  const report = await fetch(`${gateway.adminUrl}/v1/usage`)
  t.same(await report.json(), { usage: [row] })
  const csv = await fetch(`${gateway.adminUrl}/v1/usage?by=org&format=csv&from=${day}`)
  t.equal(csv.headers.get('content-type'), 'text/csv; charset=utf-8')
  t.equal(
    await csv.text(),
    'org,requests,input,output,cacheRead,cacheWrite,costUsd,unpriced\nacme,2,200,40,80,0,0.000800,0\n',
  )
  t.same(await (await fetch(`${gateway.adminUrl}/v1/usage?to=2020-01-01`)).json(), { usage: [] })
  t.equal((await fetch(`${gateway.adminUrl}/v1/usage?by=user`)).status, 400)
  t.equal((await fetch(`${gateway.adminUrl}/v1/usage?from=2026-02-30`)).status, 400)
  t.equal((await fetch(`${gateway.adminUrl}/v1/usage?from=2026-02-02&to=2026-02-01`)).status, 400)
  t.equal((await fetch(`${gateway.adminUrl}/v1/usage?group=org`)).status, 400, 'a misspelt question is no question')
  const doubled = await fetch(`${gateway.adminUrl}/v1/usage?by=org&by=model`)
  t.equal(doubled.status, 400, 'nor is one of which only a part would be answered')
  t.match(await doubled.json(), { error: '"by" is there twice; "by" takes several names with commas' })
  t.equal((await fetch(`${gateway.adminUrl}/v1/usage`, { method: 'POST' })).status, 405)
  t.match(await (await fetch(`${gateway.adminUrl}/metrics`)).text(), /gatewright_cost_total 0\.0008/)

  await gateway.gateway.close()
  const command = await gatewright(['usage', gateway.auditDir, '-o', 'json'])
  t.equal(command.code, 0, command.stderr)
  t.same(JSON.parse(command.stdout), { usage: [row] }, 'after the process, from the log')
  const records = readFileSync(join(gateway.auditDir, writerOf(gateway), '00000000000000000000.jsonl'), 'utf8')
  t.match(records, /"limitsExceeded":\["watched"\]/, 'a limit in shadow mode refuses nothing and is on the record')
})

function writerOf({ auditDir }: TestGateway): string {
  return readFileSync(join(auditDir, 'writer'), 'utf8').trim()
}

t.test(
  'where the whole configuration only watches, no limit refuses, and the record says which would have',
  async (t) => {
    const upstream = await scriptedUpstream()
    upstream.always(answer(200, completion, { 'content-type': 'application/json' }))
    t.teardown(() => upstream.close())
    const gateway = await startGateway(`
upstreams: { openai: { protocol: openai, url: "${upstream.url}" } }
routes: [{ id: openai, path: /openai, upstream: openai }]
principals: [{ id: agent }]
anonymous: agent
mode: shadow
limits: [{ id: few, by: [principal], requests: 1/d }, { id: spend, by: [principal], cost: 50/d }]`)
    t.teardown(() => gateway.close())
    t.equal((await chat(gateway)).status, 200)
    t.equal((await chat(gateway, { model: 'mystery' })).status, 200)
    await gateway.gateway.close()
    const outcomes = auditLines(gateway.auditDir).filter(({ kind }) => kind === 'outcome')
    t.same(
      outcomes.map(({ limitsExceeded }) => limitsExceeded),
      [undefined, ['few', 'spend']],
    )
  },
)

t.test('whoever has prices is told what each model cost, though nothing else looks into requests', async (t) => {
  const upstream = (await scriptedUpstream()).always(answer(200, completion, { 'content-type': 'application/json' }))
  t.teardown(() => upstream.close())
  const gateway = await startGateway(`
upstreams: { openai: { protocol: openai, url: "${upstream.url}" } }
routes: [{ id: openai, path: /openai, upstream: openai }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
prices: [{ model: ours, input: 10, output: 100 }]`)
  t.teardown(() => gateway.close())
  await chat(gateway, { model: 'ours' })
  await gateway.gateway.close()
  const rows = await new UsageLog(gateway.auditDir, openPrices([])).rows({ by: ['model'] })
  t.match(rows, [{ model: 'ours', requests: 1, costNanos: 3_000_000, unpriced: 0 }])
})

t.test('a report is bounded, and reads what is new', async (t) => {
  const upstream = (await scriptedUpstream()).always(answer(200, completion, { 'content-type': 'application/json' }))
  t.teardown(() => upstream.close())
  const gateway = await startGateway(`
upstreams: { openai: { protocol: openai, url: "${upstream.url}" } }
routes: [{ id: openai, path: /openai, upstream: openai }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
limits: [{ id: model, by: [model], requests: 100/m }]`)
  t.teardown(() => gateway.close())
  const usage = new UsageLog(gateway.auditDir, openPrices([]), 2)
  const byModel = async () =>
    (await usage.rows({ by: ['model'] })).map(({ model, requests, unpriced }) => [model, requests, unpriced])
  for (const model of ['gpt-4o', '-cmd', 'c', 'd']) await chat(gateway, { model })
  await gateway.gateway.close()
  t.same(await byModel(), [
    ['-cmd', 1, 1],
    ['gpt-4o', 1, 0],
    ['other', 2, 2],
  ])
  t.same(
    await byModel(),
    [
      ['-cmd', 1, 1],
      ['gpt-4o', 1, 0],
      ['other', 2, 2],
    ],
    'nothing is read twice',
  )
  const csv = await gatewright(['usage', gateway.auditDir, '-o', 'csv', '--by', 'model'])
  t.match(csv.stdout, /^'-cmd,1/m, 'no spreadsheet takes a name for a formula')
  const [row] = await usage.rows({ by: usageKeys, to: '9999' })
  t.match(usageTable(row === undefined ? [] : [row], usageKeys), /-cmd +1 +100 +20 +40 +0 +0\.000000 +1\n$/)
  const hostile = row === undefined ? [] : [{ ...row, model: 'a\u001b[2J\u009bm\u202e' }]
  t.match(usageTable(hostile, ['model']), /^a\?\[2J\?m\? +1 /m, 'no terminal obeys a name')
})

t.test('a stream that reports no usage is counted by its text', async (t) => {
  const chunk = (more: object): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o', ...more })}\n\n`
  const body = [
    chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: 'abcdef' }, finish_reason: null }] }),
    chunk({ choices: [{ index: 0, delta: { content: 'ä文g' }, finish_reason: null }] }),
    chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
    'data: [DONE]\n\n',
  ].join('')
  const upstream = (await scriptedUpstream()).always(answer(200, body, { 'content-type': 'text/event-stream' }))
  t.teardown(() => upstream.close())
  const gateway = await startGateway(`
upstreams: { openai: { protocol: openai, url: "${upstream.url}" } }
routes: [{ id: openai, path: /openai, upstream: openai }]
principals: [{ id: agent, org: acme }]
anonymous: agent
defaultEffect: allow
limits: [{ id: tokens, by: [org], tokens: 1000/h, assumedTokens: 500 }]`)
  t.teardown(() => gateway.close())
  const ask = async (): Promise<string | null> => {
    const reply = await fetch(`${gateway.url}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'hi' }] }),
    })
    await reply.text()
    return reply.headers.get('x-ratelimit-remaining-tokens')
  }
  // Two bytes of the prompt are a token, and its frame four; six letters, and three of six bytes, are four.
  t.equal(await ask(), String(1000 - 5 - 500))
  t.equal(await ask(), String(1000 - 5 - 4 - 5 - 500))
  await gateway.gateway.close()
  const usage = await new UsageLog(gateway.auditDir, openPrices([])).rows({ by: ['org'] })
  t.match(usage, [{ org: 'acme', requests: 2, input: 10, output: 8, unpriced: 0 }])
  const log = readFileSync(join(gateway.auditDir, writerOf(gateway), '00000000000000000000.jsonl'), 'utf8')
  t.match(log, /"usage":\{"estimated":true,"input":5,"output":4\}/)
})

t.test('a report that cannot be true is counted as none, and seen', async (t) => {
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  const gateway = await startGateway(`
upstreams: { openai: { protocol: openai, url: "${upstream.url}" } }
routes: [{ id: openai, path: /openai, upstream: openai }]
principals: [{ id: agent, org: acme }]
anonymous: agent
defaultEffect: allow
limits: [{ id: spend, by: [org], cost: 1/d }]
prices: [{ model: 'gpt*', input: 1, output: 2 }]`)
  t.teardown(() => gateway.close())
  const report = (number: string): string => `{"prompt_tokens":5,"completion_tokens":${number}}`
  const numbers = ['1e308', '1e15', '14.4', '-1', '"5"']
  for (const number of numbers) {
    const whole = completion.replace(/"usage":.*/, `"usage":${report(number)}}`)
    upstream.next(answer(200, whole, { 'content-type': 'application/json' }))
    t.equal((await chat(gateway)).status, 200, number)
    const chunk = '{"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":'
    const stream = [
      `${chunk}[{"index":0,"delta":{"content":"yes"},"finish_reason":"stop"}]}`,
      `${chunk}[],"usage":${report(number)}}`,
      '[DONE]',
    ]
    const events = stream.map((data) => `data: ${data}\n\n`).join('')
    upstream.next(answer(200, events, { 'content-type': 'text/event-stream' }))
    const reply = await fetch(`${gateway.url}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'hi' }] }),
    })
    t.equal(reply.status, 200, number)
    await reply.text()
  }
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  t.match(metrics, `upstream_implausible_usage_total{upstream="openai"} ${numbers.length * 2}\n`)
  t.match(metrics, /gatewright_cost_total 0\.000[01]\d*\n/)
  t.notMatch(metrics, 'gatewright_tokens_total{')
  await gateway.gateway.close()
  const records = auditLines(gateway.auditDir).filter(({ kind }) => kind === 'outcome')
  t.equal(records.length, numbers.length * 2)
  for (const { usage, usageReported, costNanos } of records) {
    t.match({ usage, usageReported }, { usage: { input: 5, estimated: true }, usageReported: 'implausible' })
    const { output } = usage as { readonly output: number }
    // Three letters, and in a whole answer what stands beside them.
    t.ok(Number.isInteger(output) && output > 0 && output < 10, String(output))
    t.equal(costNanos, 5 * 1000 + output * 2000)
  }
  const sum = records.reduce((nanos, { costNanos }) => nanos + Number(costNanos), 0)
  const [row] = await new UsageLog(gateway.auditDir, openPrices([])).rows({ by: ['org'] })
  t.match(row, { requests: numbers.length * 2, input: 5 * numbers.length * 2, costNanos: sum })
})

t.test('a record of an earlier version with such a number adds nothing to the sums', async (t) => {
  const dir = t.testdir({ w: { '00000000000000000000.jsonl': ['1e+308', '0.5', '7'].map(old).join('') } })
  const [row] = await new UsageLog(dir, openPrices([])).rows({ by: ['model'] })
  t.match(row, { requests: 3, input: 7, output: 0, costNanos: 7 * 2500 })
})

function old(number: string): string {
  const cost = number === '7' ? '' : '"costNanos":"Infinity",'
  return `{${cost}"i":1,"kind":"outcome","model":"gpt-4o","t":"2026-11-01T00:00:00Z","usage":{"input":${number}}}\n`
}
