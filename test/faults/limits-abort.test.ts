// Who leaves in the middle of an answer is counted for what may have been made: what was seen, or, where the model may have
// thought out of sight, all that was reserved.
import { once } from 'node:events'
import { request } from 'node:http'
import t from 'tap'
import { untilOutcomes } from '../support/audit-lines.ts'
import { startGateway } from '../support/gateway.ts'
import { answer, chunk, chunkedHead, lastChunk, scriptedUpstream } from '../support/scripted-upstream.ts'

t.setTimeout(30_000)

const event = (more: object): string =>
  chunk(`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', ...more })}\n\n`)
const beginning =
  chunkedHead(200, { 'content-type': 'text/event-stream' }) +
  event({ choices: [{ index: 0, delta: { role: 'assistant', content: 'yes, yes' }, finish_reason: null }] })
const usage = { prompt_tokens: 10, completion_tokens: 20 }

t.test('an aborted stream', async (t) => {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(`
upstreams: { openai: { protocol: openai, url: "${upstream.url}", models: { thinker: o3 } } }
routes: [{ id: openai, path: /openai, upstream: openai }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
limits:
  - { id: tokens, by: [model], tokens: 10k/d }
  - { id: output, by: [model], outputTokens: 10k/d }`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  let count = 0
  const ask = async (body: object, leave: boolean): Promise<[number, number]> => {
    const asking = request(`${gateway.url}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    asking.on('error', () => {})
    asking.end(JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], ...body }))
    const [reply] = await once(asking, 'response')
    reply.on('error', () => {})
    if (leave) {
      await once(reply, 'data')
      asking.destroy()
    } else {
      reply.resume()
      await once(reply, 'end')
    }
    await untilOutcomes(gateway.auditDir, (count += 1))
    const [tokens, output] = ['tokens', 'output'].map((id) =>
      Number(new RegExp(`"${id}:\\w+";r=(\\d+)`).exec(String(reply.headers['ratelimit']))?.[1]),
    )
    return [tokens ?? 0, output ?? 0]
  }
  /** What the call has taken in the end: of the next one it is known what it reserves. */
  const takenBy = async (body: object, ending: string | undefined): Promise<[number, number]> => {
    upstream.next(
      ending === undefined ? beginning : beginning + ending,
      answer(200, '{}', { 'content-type': 'application/json' }),
    )
    await ask({ max_tokens: 1000, stream: true, ...body }, ending === undefined)
    const [tokens, output] = await ask({ ...body, max_tokens: 1, max_completion_tokens: undefined }, false)
    return [10_000 - tokens - 1 - 5, 10_000 - output - 1]
  }
  t.same(await takenBy({ model: 'gpt-4o' }, undefined), [5 + 3, 3], 'what was seen')
  t.same(await takenBy({ model: 'o3' }, undefined), [5 + 1000, 1000], 'what was reserved')
  t.same(await takenBy({ model: 'thinker' }, undefined), [5 + 1000, 1000], 'by what the upstream calls it')
  t.equal((await takenBy({ model: 'ours', reasoning_effort: 'low' }, undefined))[1], 1000)
  t.same(await takenBy({ model: 'theirs', max_tokens: undefined, max_completion_tokens: 700 }, undefined), [
    5 + 700,
    700,
  ])
  const end = event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
  const done = chunk('data: [DONE]\n\n') + lastChunk
  t.same(await takenBy({ model: 'o4-mini' }, end + event({ choices: [], usage }) + done), [30, 20], 'what was told')
  t.same(await takenBy({ model: 'gpt-5' }, end + done), [5 + 1000, 1000], 'nothing was told')
})
