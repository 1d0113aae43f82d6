import t from 'tap'
import { anthropicProtocol } from '../../../proxy/protocol/anthropic.ts'
import { httpProtocol } from '../../../proxy/protocol/http.ts'
import { openaiProtocol } from '../../../proxy/protocol/openai.ts'
import { golden, linesOfReading, parsed, readStream, sample } from './golden.ts'

const chat = openaiProtocol.resolve('POST', '/v1/chat/completions')
const messages = anthropicProtocol.resolve('POST', '/v1/messages')
const plain = httpProtocol.resolve('POST', '/contacts')
if (chat === undefined || messages === undefined || plain === undefined) throw new Error('an operation is missing')

t.test('OpenAI samples', async (t) => {
  golden(t, 'openai/chat-request.json', linesOfReading(chat.readRequest(...parsed('openai/chat-request.json'))))
  golden(t, 'openai/chat-answer.json', linesOfReading(chat.readAnswer(...parsed('openai/chat-answer.json'))))
  for (const name of ['openai/chat-stream.sse', 'openai/tools-stream.sse', 'openai/error-stream.sse']) {
    golden(t, name, readStream(chat, sample(name)))
  }
})

t.test('Anthropic samples', async (t) => {
  const name = 'anthropic/messages-request.json'
  golden(t, name, linesOfReading(messages.readRequest(...parsed(name))))
  golden(
    t,
    'anthropic/messages-answer.json',
    linesOfReading(messages.readAnswer(...parsed('anthropic/messages-answer.json'))),
  )
  for (const name of ['anthropic/messages-stream.sse', 'anthropic/error-stream.sse']) {
    golden(t, name, readStream(messages, sample(name)))
  }
})

t.test('plain HTTP samples', async (t) => {
  golden(t, 'http/request.json', linesOfReading(plain.readRequest(...parsed('http/request.json'))))
  golden(t, 'http/events.sse', readStream(plain, sample('http/events.sse')))
})
