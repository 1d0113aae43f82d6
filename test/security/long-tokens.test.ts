// Long values of tokens for tools: of what a model says no tool has them, streamed or not; of what a tool says whole it does.
import t from 'tap'
import { startGateway } from '../support/gateway.ts'
import { Dice } from '../support/planted-values.ts'
import { answer, jsonAnswer, scriptedUpstream } from '../support/scripted-upstream.ts'

const dice = new Dice(1)
const values = { short: `x${dice.of('A-Za-z0-9', 254)}`, long: `x${dice.of('A-Za-z0-9', 255)}` }
const word = /GENERIC_SECRET_[a-z0-9]{10}/

t.test('a value of 256 characters', async (t) => {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(`
upstreams:
  openai: { protocol: openai, url: "${upstream.url}" }
  notes: { protocol: http, url: "${upstream.url}" }
  crm: { protocol: http, url: "${upstream.url}" }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: notes, path: /notes, upstream: notes }
  - { id: crm, path: /crm, upstream: crm }
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
redaction:
  - { id: back, direction: response, upstreams: [openai, notes], detect: [generic-secret], action: token, restoreTo: [crm] }`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  const post = async (path: string, body: unknown): Promise<string> => {
    const headers = { 'content-type': 'application/json' }
    const reply = await fetch(gateway.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    t.equal(reply.status, 200, await reply.clone().text())
    return reply.text()
  }
  /** The token that stands for the value, and whether a tool gets the value for it. */
  const told = async (path: string, body: unknown, value: string): Promise<{ token: string; comes: boolean }> => {
    const said = await post(path, body)
    t.notMatch(said, value.slice(0, 20))
    const [token = ''] = word.exec(said) ?? []
    t.not(token, '')
    upstream.next(jsonAnswer(200, {}))
    await post('/crm/1', { note: token })
    return { token, comes: String(upstream.requests.at(-1)?.body).includes(value) }
  }
  const request = (stream: boolean): unknown => ({ model: 'm', stream, messages: [{ role: 'user', content: 'hello' }] })
  const events = { 'content-type': 'text/event-stream' }

  for (const [length, value] of Object.entries(values)) {
    const text = `token: ${value}`
    const choice = (rest: object): object => ({ id: 'c', object: 'o', model: 'm', choices: [{ index: 0, ...rest }] })
    const args = [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: JSON.stringify({ text }) } }]

    const tokens: string[] = []
    for (const said of [{ content: text }, { tool_calls: args }]) {
      const message = { role: 'assistant', content: null, ...said }
      upstream.next(jsonAnswer(200, choice({ message, finish_reason: 'stop' })))
      const whole = await told('/openai/v1/chat/completions', request(false), value)
      const chunks = [choice({ delta: said, finish_reason: null }), choice({ delta: {}, finish_reason: 'stop' })]
      upstream.next(
        answer(200, `${chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')}data: [DONE]\n\n`, events),
      )
      const streamed = await told('/openai/v1/chat/completions', request(true), value)
      t.same(streamed, whole, `${length}, a model, as ${Object.keys(said).join()}`)
      t.equal(whole.comes, length === 'short', `${length}, a model`)
      tokens.push(whole.token)
    }
    t.equal(new Set(tokens).size, 1)

    for (const [form, reply] of Object.entries({
      JSON: jsonAnswer(200, { text }),
      text: answer(200, text, { 'content-type': 'text/plain' }),
      'events of JSON': answer(200, `data: ${JSON.stringify({ text })}\n\n`, events),
    })) {
      upstream.next(reply)
      t.ok((await told('/notes/1', {}, value)).comes, `${length}, a tool, ${form}`)
    }
    // It may go on in the next event.
    upstream.next(answer(200, `data: ${text}\n\n`, events))
    t.equal((await told('/notes/1', {}, value)).comes, length === 'short', `${length}, a tool, events of text`)
  }
})
