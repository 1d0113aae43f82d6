import t from 'tap'
import { isObject } from '../../../proxy/lib/json.ts'
import type { Json } from '../../../proxy/lib/json.ts'
import { SseDecoder } from '../../../proxy/lib/sse.ts'
import { geminiProtocol } from '../../../proxy/protocol/gemini.ts'
import { parsed, sample } from './golden.ts'
import { plant, planted } from './plant.ts'

function operation(verb: string) {
  const found = geminiProtocol.resolve('POST', `/v1beta/models/gemini-2.5-flash:${verb}`)
  if (found === undefined) throw new Error('an operation is missing')
  return found
}

t.test('a value in any string of a request is read or refused', async (t) => {
  const samples: [string, string][] = [
    ['generateContent', 'gemini/generate-request.json'],
    ['generateContent', 'gemini/snake-request.json'],
    ['countTokens', 'gemini/count-request.json'],
    ['batchEmbedContents', 'gemini/embed-request.json'],
  ]
  for (const [verb, name] of samples) {
    plant(parsed(name)[0], (text, at) => {
      const reading = operation(verb).readRequest(JSON.parse(text) as Json, text)
      t.ok(!reading.ok || reading.content.parts.some((part) => part.text === planted), `${name} ${at}`)
    })
  }
})

t.test('a value in any string of an answer is read or refused, but for logprobs', async (t) => {
  plant(parsed('gemini/generate-answer.json')[0], (text, at) => {
    const reading = operation('generateContent').readAnswer(JSON.parse(text) as Json, text)
    const read = !reading.ok || reading.content.parts.some((part) => part.text === planted)
    if (!at.includes('logprobsResult')) t.ok(read, at)
    else t.ok(reading.ok && reading.content.uninspected.includes('logprobs'), at)
  })
})

t.test('a value in any string of a stream is read or refused, but for logprobs', async (t) => {
  for (const name of ['generate', 'calls', 'blocked', 'error']) {
    const bytes = new TextEncoder().encode(sample(`gemini/${name}-stream.sse`))
    const { events } = new SseDecoder({ eventBytesMax: 100_000 }).push(bytes)
    for (const [index, { data }] of events.entries()) {
      const value = JSON.parse(data) as Json
      t.ok(isObject(value))
      plant(value, (text, at) => {
        const reader = operation('streamGenerateContent').openStream?.()
        for (const before of events.slice(0, index)) reader?.read(before)
        const step = reader?.read({ event: 'message', data: text })
        const read =
          step?.ok === false || [...(step?.deltas ?? []), ...(step?.parts ?? [])].some((part) => part.text === planted)
        if (!at.includes('logprobsResult')) t.ok(read, `${name} ${index} ${at}`)
        else t.match(step, { uninspected: ['image', 'logprobs'] }, at)
      })
    }
  }
})
