// What realtime conversations take of limits: each answer is reserved for before it is asked for, put right by what it used,
// and stopped where the server began it by itself and there is no room.
import t from 'tap'
import { created, done, opener } from '../../support/realtime-talk.ts'

const tokens = '{ id: tokens, by: [principal], tokens: 1000/d, assumedTokens: 400 }'

t.test('answers are reserved for and put right one by one', async (t) => {
  const open = await opener(t, tokens)
  const talk = await open()
  t.equal(talk.left, 1000)
  const { say, answer, atClient, atServer } = talk
  for (let n = 0; n < 2; n += 1) {
    say({ type: 'response.create' })
    t.same(await atServer(), { type: 'response.create' }, 'no limit says how long')
  }
  say({ type: 'response.create', event_id: 'third' })
  t.match(await atClient(), { type: 'error', error: { event_id: 'third', message: /limit tokens/ } })
  answer(created('a'))
  answer(created('b'))
  answer(done('b', 30, 20))
  t.match([await atClient(), await atClient(), await atClient()], [{}, {}, { type: 'response.done' }])
  // 50 were used, 400 are reserved, and 450 are: what was said so far is what the next one reads.
  say({ type: 'response.create' })
  t.same(await atServer(), { type: 'response.create' })
  answer(done('a', 10, 10))
  answer(created('c'))
  answer(done('c', 60, 40))
  answer({
    type: 'conversation.item.input_audio_transcription.completed',
    item_id: 'i',
    content_index: 0,
    transcript: 'x',
    usage: { type: 'tokens', total_tokens: 7, input_tokens: 5, output_tokens: 2 },
  })
  for (let n = 0; n < 4; n += 1) await atClient()
  await talk.leave()
  t.equal((await open()).left, 1000 - 50 - 20 - 100 - 7, 'all that the provider said, and no more')
})

t.test('an answer that is cut off keeps what was reserved for it, one that was refused does not', async (t) => {
  const open = await opener(t, tokens)
  const talk = await open()
  const { say, answer, atClient, atServer } = talk
  for (const event_id of ['one', 'two', undefined]) {
    say({ type: 'response.create', event_id, response: { max_output_tokens: 100 } })
    await atServer()
  }
  answer({ type: 'error', error: { type: 'invalid_request_error', message: 'no', event_id: 'one' } })
  answer({ type: 'error', error: { type: 'invalid_request_error', message: 'no', event_id: null } })
  answer(created('a'))
  for (let n = 0; n < 3; n += 1) await atClient()
  await talk.leave()
  t.equal((await open()).left, 900)
})

t.test(
  'an answer whose report cannot be true keeps what was reserved for it, the others are as they say',
  async (t) => {
    const open = await opener(t, tokens)
    const talk = await open()
    const { say, answer, atClient, atServer } = talk
    for (const [id, output] of [
      ['a', 1e15],
      ['b', 20],
    ] as const) {
      say({ type: 'response.create', response: { max_output_tokens: 100 } })
      await atServer()
      answer(created(id))
      answer(done(id, 0, output))
      for (let n = 0; n < 2; n += 1) await atClient()
    }
    t.match(await talk.leave(), { usage: { input: 0, output: 20 }, usageReported: 'implausible' })
    t.equal((await open()).left, 1000 - 100 - 20)
  },
)

t.test('what the server begins by itself is stopped where there is no room', async (t) => {
  const open = await opener(t, `${tokens}, { id: answers, by: [principal], requests: 4/h }`)
  const talk = await open()
  const { answer, atClient, atServer } = talk
  answer(created('a', { max_output_tokens: 600 }))
  t.match(await atClient(), { type: 'response.created' })
  answer(created('b', { max_output_tokens: 'inf' }))
  t.match(await atClient(), { type: 'response.created' })
  answer(created('c'))
  t.match([await atClient(), await atClient()], [{ type: 'response.created' }, { type: 'error' }])
  t.same(await atServer(), { type: 'response.cancel', response_id: 'c' })
  answer({ ...done('c', 3, 4) })
  answer(done('a', 10, 10))
  answer(done('b', 10, 10))
  for (let n = 0; n < 3; n += 1) await atClient()
  answer(created('d'))
  t.match(await atClient(), { type: 'response.created' })
  // One for the conversation, and one for each answer but the one that was refused.
  answer(created('e'))
  t.match([await atClient(), await atClient()], [{}, { error: { message: /limit answers/ } }])
  t.same(await atServer(), { type: 'response.cancel', response_id: 'e' })
})

t.test('an answer is no longer than a limit says', async (t) => {
  const open = await opener(t, '{ id: tokens, by: [principal], tokens: 9000/d, maxTokens: 300 }')
  const { say, answer, atClient, atServer } = await open()
  const sent = async (response?: object): Promise<unknown> => {
    say({ type: 'response.create', ...(response === undefined ? {} : { response }) })
    return (await atServer())['response']
  }
  t.same(await sent(), { max_output_tokens: 300 })
  t.same(await sent({ max_output_tokens: 'inf' }), { max_output_tokens: 300 })
  t.same(await sent({ max_output_tokens: 200 }), { max_output_tokens: 200 })
  answer({ type: 'session.updated', session: { type: 'realtime', max_output_tokens: 100 } })
  await atClient()
  t.same(await sent({ instructions: 'Be brief.' }), { instructions: 'Be brief.', max_output_tokens: 100 })
  t.same(await sent({ max_output_tokens: 5000 }), { max_output_tokens: 300 })
})

t.test('the record says once what each answer met', async (t) => {
  const open = await opener(t, '{ id: watched, by: [principal], requests: 1/h, mode: shadow }')
  const { say, atServer, leave } = await open()
  for (let n = 0; n < 3; n += 1) {
    say({ type: 'response.create' })
    await atServer()
  }
  t.same((await leave())?.['limitsExceeded'], ['watched'])
})
