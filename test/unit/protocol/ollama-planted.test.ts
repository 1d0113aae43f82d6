import t from 'tap'
import type { Json } from '../../../proxy/lib/json.ts'
import { ollamaProtocol } from '../../../proxy/protocol/ollama.ts'
import { parsed, sample } from './golden.ts'
import { plant, planted } from './plant.ts'

function operation(name: string, method = 'POST') {
  const found = ollamaProtocol.resolve(method, `/api/${name}`)
  if (found === undefined) throw new Error('an operation is missing')
  return found
}

t.test('a value in any string of a request is read or refused', async (t) => {
  for (const name of ['chat', 'generate', 'embed']) {
    plant(parsed(`ollama/${name}-request.json`)[0], (text, at) => {
      const reading = operation(name).readRequest(JSON.parse(text) as Json, text)
      t.ok(!reading.ok || reading.content.parts.some((part) => part.text === planted), `${name} ${at}`)
    })
  }
})

t.test('a value in any string of an answer is read or refused, but for logprobs', async (t) => {
  for (const [name, served] of [
    ['chat', operation('chat')],
    ['generate', operation('generate')],
    ['embed', operation('embed')],
    ['show', operation('show')],
    ['tags', operation('tags', 'GET')],
  ] as const) {
    plant(parsed(`ollama/${name}-answer.json`)[0], (text, at) => {
      const reading = served.readAnswer(JSON.parse(text) as Json, text)
      const read = !reading.ok || reading.content.parts.some((part) => part.text === planted)
      if (!at.includes('logprobs')) t.ok(read, `${name} ${at}`)
      else t.ok(reading.ok && reading.content.uninspected.includes('logprobs'), at)
    })
  }
})

t.test('a value in any string of a stream is read or refused, but for logprobs', async (t) => {
  for (const name of ['chat', 'generate', 'error']) {
    const lines = sample(`ollama/${name}-stream.ndjson`).trim().split('\n')
    for (const [index, line] of lines.entries()) {
      plant(JSON.parse(line) as Json, (text, at) => {
        const reader = operation('chat').openStream?.()
        for (const data of lines.slice(0, index)) reader?.read({ event: 'message', data })
        const step = reader?.read({ event: 'message', data: text })
        if (step === undefined) throw new Error('no stream')
        const read = !step.ok || [...step.deltas, ...step.parts].some((part) => part.text === planted)
        if (!at.includes('logprobs')) t.ok(read, `${name} ${index} ${at}`)
        else t.match(step, { uninspected: ['logprobs'] }, at)
      })
    }
  }
})
