import t from 'tap'
import { openaiProtocol } from '../../../proxy/protocol/openai.ts'
import { golden, linesOfReading, parsed, readStream, sample } from './golden.ts'

const responses = openaiProtocol.resolve('POST', '/v1/responses')
const items = openaiProtocol.resolve('GET', '/v1/responses/resp_1/input_items')
if (responses === undefined || items === undefined) throw new Error('an operation is missing')

t.test('requests and answers', async (t) => {
  const request = 'openai/responses-request.json'
  golden(t, request, linesOfReading(responses.readRequest(...parsed(request))))
  const answer = 'openai/responses-answer.json'
  golden(t, answer, linesOfReading(responses.readAnswer(...parsed(answer))))
  const list = 'openai/responses-items.json'
  golden(t, list, linesOfReading(items.readAnswer(...parsed(list))))
})

t.test('streams', async (t) => {
  for (const name of ['responses-stream', 'responses-tools-stream', 'responses-error-stream'])
    golden(t, `openai/${name}.sse`, readStream(responses, sample(`openai/${name}.sse`)))
})
