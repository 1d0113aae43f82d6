// Tokens that no client sees (a model that thinks) count under limits: OpenAI's streams are asked for their usage, what is
// said of it stays here where the client did not ask, and an upstream that does not know the question still answers.
import t, { type Test } from 'tap'
import { auditLines } from '../support/audit-lines.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { answer, jsonAnswer, scriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts'

t.setTimeout(60_000)

const event = (more: object): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'o4', ...more })}\n\n`
const said = [
  event({ choices: [], prompt_filter_results: [{ prompt_index: 0 }] }),
  event({ choices: [{ index: 0, delta: { role: 'assistant', content: 'Yes' }, finish_reason: null }], usage: null }),
  event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: null }),
]
/** Next to nothing is said, and much was thought. */
const usage = { prompt_tokens: 10, completion_tokens: 300, completion_tokens_details: { reasoning_tokens: 299 } }
const lastWords = 'data: [DONE]\n\n'
const asked = [...said, event({ choices: [], usage }), lastWords].join('')
const unasked = [...said, lastWords].join('')
const streamed = (body: string): string => answer(200, body, { 'content-type': 'text/event-stream' })

type World = { readonly gateway: TestGateway; readonly upstream: ScriptedUpstream }

const tokens = '{ id: tokens, by: [principal], tokens: 10000/d, assumedTokens: 500 }'

async function world(t: Test, limit: string, more = ''): Promise<World> {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(`
upstreams: { openai: { protocol: openai, url: "${upstream.url}"${more} } }
routes: [{ id: openai, path: /openai, upstream: openai }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
limits: [${limit}]`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  return { gateway, upstream }
}

const chat = { model: 'o4', stream: true, messages: [{ role: 'user', content: 'hi' }] }

async function ask(
  { gateway }: World,
  more: object = {},
  path = '/openai/v1/chat/completions',
): Promise<{ status: number; text: string }> {
  const reply = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...chat, ...more }),
  })
  return { status: reply.status, text: await reply.text() }
}

/** What the upstream was sent, without what was asked anyway. */
function optionsSent({ upstream }: World): unknown[] {
  return upstream.requests.map(
    ({ body }) => (JSON.parse(String(body)) as { stream_options?: unknown }).stream_options ?? 'none',
  )
}

async function outcomes({ gateway }: World): Promise<Record<string, unknown>[]> {
  await gateway.gateway.close()
  return auditLines(gateway.auditDir).filter(({ kind }) => kind === 'outcome')
}

const including = { include_usage: true }

t.test('what was thought is counted, and nobody sees that it was asked for', async (t) => {
  const at = await world(t, tokens)
  at.upstream.always(streamed(asked))
  t.same(await ask(at), { status: 200, text: unasked })
  t.same(await ask(at, { stream_options: { include_usage: false, include_obfuscation: false } }), {
    status: 200,
    text: unasked,
  })
  t.same(optionsSent(at), [including, { include_usage: true, include_obfuscation: false }])
  const [first] = await outcomes(at)
  t.match(first, { usageAsked: 'asked', usage: { input: 10, output: 300 } })
  t.notMatch(first, { usage: { estimated: true } })
  t.not(first?.['digestForwarded'], first?.['digestRequest'])
})

t.test('the next call has what the one before has left', async (t) => {
  const at = await world(t, '{ id: out, by: [principal], outputTokens: 900/d, assumedTokens: 400 }')
  at.upstream.always(streamed(asked))
  const statuses: number[] = []
  for (let n = 0; n < 3; n += 1) statuses.push((await ask(at)).status)
  t.same(statuses, [200, 200, 429], '600 of 900 are used, and 400 may be')
})

t.test('who asks gets what it asked for', async (t) => {
  const at = await world(t, tokens)
  at.upstream.always(streamed(asked))
  t.same(await ask(at, { stream_options: including }), { status: 200, text: asked })
  const [first] = await outcomes(at)
  t.equal(first?.['usageAsked'], undefined)
  t.equal(first?.['digestForwarded'], first?.['digestRequest'], 'not a byte was changed')
})

t.test('Azure and completions are asked, too, and limits in shadow mode count the same', async (t) => {
  const at = await world(t, '{ id: cost, by: [principal], cost: 50/d, mode: shadow, onUnknownPrice: estimate }')
  const text = (more: object): string => event({ object: 'text_completion', ...more })
  const written = text({ choices: [{ index: 0, text: 'Yes', logprobs: null, finish_reason: 'stop' }] })
  at.upstream.next(streamed(asked), streamed(`${written}${text({ choices: [], usage })}${lastWords}`))
  t.equal((await ask(at, {}, '/openai/deployments/o4/chat/completions?api-version=2025-01-01')).text, unasked)
  const completion = { messages: undefined, prompt: 'hi' }
  t.equal((await ask(at, completion, '/openai/v1/completions')).text, `${written}${lastWords}`)
  t.same(optionsSent(at), [including, including])
})

t.test('nothing is asked where no limit counts tokens, or the upstream is not to be asked', async (t) => {
  const unlimited = await world(t, '{ id: model, by: [model], requests: 100/m }')
  unlimited.upstream.always(streamed(unasked))
  t.equal((await ask(unlimited)).text, unasked)
  const excepted = await world(t, tokens, ', streamUsage: false')
  excepted.upstream.always(streamed(unasked))
  t.equal((await ask(excepted)).text, unasked)
  t.same([optionsSent(unlimited), optionsSent(excepted)], [['none'], ['none']])
  t.match(await outcomes(excepted), [{ usage: { estimated: true } }], 'what came is counted')
})

t.test('an upstream that does not know the question is asked without it', async (t) => {
  const at = await world(t, tokens, ', retry: { idempotencyKey: true }')
  const refusal = { detail: [{ type: 'extra_forbidden', loc: ['body', 'stream_options', 'include_usage'] }] }
  at.upstream.next(jsonAnswer(422, refusal), streamed(asked))
  t.same(await ask(at), { status: 200, text: asked }, 'what it says unasked is its own')
  t.same(optionsSent(at), [including, 'none'])
  const keys = at.upstream.requests.map((request) => request.header('idempotency-key'))
  t.not(keys[0], keys[1], 'another request has another key')
  t.match(await outcomes(at), [{ usageAsked: 'refused', attempts: [{ status: 422 }, { status: 200 }] }])
})

t.test('any other refusal is relayed as it came', async (t) => {
  const at = await world(t, tokens)
  const other = JSON.stringify({ error: { message: 'no such model' } })
  const long = JSON.stringify({ error: { message: `stream_options ${'x'.repeat(200_000)}` } })
  for (const body of [other, long]) {
    at.upstream.next(answer(400, body, { 'content-type': 'application/json' }))
    t.same(await ask(at), { status: 400, text: body })
  }
  t.equal(at.upstream.requests.length, 2)
})
