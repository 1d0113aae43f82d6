// Streams that end with an error about what was asked: nobody may open a breaker that others share by asking for it.
import t, { type Test } from 'tap'
import { startGateway } from '../support/gateway.ts'
import { answer, scriptedUpstream } from '../support/scripted-upstream.ts'

t.setTimeout(30_000)

const event = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`

/** As OpenAI's responses fail after they have begun. */
function failed(code: string): string {
  const response = { id: 'resp_1', object: 'response', status: 'in_progress', model: 'gpt-4o', output: [], error: null }
  return (
    event('response.created', { sequence_number: 0, response }) +
    event('response.failed', {
      sequence_number: 1,
      response: { ...response, status: 'failed', error: { code, message: 'no' } },
    })
  )
}

async function stateAfter(t: Test, path: string, said: string, body: object, more = ''): Promise<unknown> {
  const upstream = await scriptedUpstream()
  const type = said.startsWith('{') ? 'application/json' : 'text/event-stream'
  upstream.always(answer(200, said, { 'content-type': type }))
  const gateway = await startGateway(`
upstreams: { openai: { protocol: openai, url: "${upstream.url}", retry: { attempts: 1 } } }
routes: [{ id: openai, path: /openai, upstream: openai }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
audit: { durability: batch, onFailure: allow }
${more}`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  // At once: the connection stays for half a second after an error in a stream.
  const ask = async (): Promise<void> => {
    const reply = await fetch(`${gateway.url}/openai/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', stream: true, ...body }),
    })
    await reply.text().catch(() => undefined)
  }
  await Promise.all(Array.from({ length: 8 }, ask))
  const breakers = (await (await fetch(`${gateway.adminUrl}/v1/breakers`)).json()) as { openai: { state: string } }
  return breakers.openai.state
}

t.test('an error about the request opens nothing, before and after the stream has begun', async (t) => {
  const responses = { input: 'hi' }
  t.equal(await stateAfter(t, 'responses', failed('invalid_prompt'), responses), 'closed')
  t.equal(await stateAfter(t, 'responses', failed('rate_limit_exceeded'), responses), 'closed')
  t.equal(await stateAfter(t, 'responses', failed('server_error'), responses), 'open')
  t.equal(await stateAfter(t, 'responses', failed('something_else'), responses), 'open', 'what is not known counts')
  const huge = event('response.created', { sequence_number: 0, response: { instructions: 'x'.repeat(1_100_000) } })
  t.equal(await stateAfter(t, 'responses', huge, responses), 'closed', 'a cap of ours is no failure of the upstream')
  const chat = { messages: [{ role: 'user', content: 'hi' }] }
  const first = (type: string): string => `data: ${JSON.stringify({ error: { type, message: 'no' } })}\n\n`
  t.equal(await stateAfter(t, 'chat/completions', first('invalid_request_error'), chat), 'closed')
  t.equal(await stateAfter(t, 'chat/completions', first('server_error'), chat), 'open')
})

t.test('what is refused of an answer, whole or in its middle, is our own doing', async (t) => {
  const content = 'write to ada@example.org, she knows'
  const asked = { messages: [{ role: 'user', content: 'hi' }] }
  const blocks = 'redaction: [{ id: r, direction: response, detect: [email], action: block }]'
  const whole = JSON.stringify({
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
  })
  t.equal(await stateAfter(t, 'chat/completions', whole, { ...asked, stream: false }, blocks), 'closed')
  const delta = (said: object, finish_reason: string | null): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: said, finish_reason }] })}\n\n`
  const streamed = `${delta({ content }, null)}${delta({ content }, null)}${delta({}, 'stop')}data: [DONE]\n\n`
  t.equal(await stateAfter(t, 'chat/completions', streamed, asked, blocks), 'closed')
  const large = JSON.stringify({ choices: [], filler: 'x'.repeat(70_000) })
  const small = 'server: { limits: { body: 64KiB } }'
  t.equal(await stateAfter(t, 'chat/completions', large, { ...asked, stream: false }, `${blocks}\n${small}`), 'closed')
})
