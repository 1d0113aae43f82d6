import t from 'tap'
import { geminiProtocol } from '../../../proxy/protocol/gemini.ts'
import { golden, linesOfReading, parsed, readStream, sample } from './golden.ts'

function operation(verb: string) {
  const found = geminiProtocol.resolve('POST', `/v1beta/models/gemini-2.5-flash:${verb}`)
  if (found === undefined) throw new Error('an operation is missing')
  return found
}

const samples: [string, string][] = [
  ['generateContent', 'generate'],
  ['streamGenerateContent', 'snake'],
  ['countTokens', 'count'],
  ['batchEmbedContents', 'embed'],
]

t.test('requests', async (t) => {
  for (const [verb, name] of samples) {
    const file = `gemini/${name}-request.json`
    golden(t, file, linesOfReading(operation(verb).readRequest(...parsed(file))))
  }
})

t.test('answers', async (t) => {
  for (const [verb, name] of samples) {
    if (name === 'snake') continue
    const file = `gemini/${name}-answer.json`
    golden(t, file, linesOfReading(operation(verb).readAnswer(...parsed(file))))
  }
})

t.test('streams', async (t) => {
  for (const name of ['generate', 'calls', 'blocked', 'error']) {
    const file = `gemini/${name}-stream.sse`
    golden(t, file, readStream(operation('streamGenerateContent'), sample(file)))
  }
})
