import t from 'tap'
import { openaiProtocol } from '../../../proxy/protocol/openai.ts'
import type { SocketReader } from '../../../proxy/protocol/socket.ts'
import { golden, linesOfReading, linesOfStep, sample } from './golden.ts'

function open(query = 'model=gpt-realtime-2'): SocketReader {
  const found = openaiProtocol.resolveSocket?.('/v1/realtime', query)
  if (found?.ok !== true) throw new Error('no conversation')
  return found.operation.openSocket()
}

function messages(name: string): string[] {
  return sample(name)
    .split('\n')
    .filter((line) => line !== '')
}

t.test('what clients say', async (t) => {
  const name = 'openai/realtime-client.ndjson'
  const reader = open()
  const lines = messages(name).flatMap((message) => {
    const reading = reader.readClient(message)
    if (!reading.ok) return [`event ${reading.eventId ?? '-'}`, `  refused: ${reading.message}`]
    const { type, eventId, asks, alsoModels } = reading
    const head = `event ${eventId ?? '-'} ${type} asks=${asks} also=${alsoModels.join(', ')}`
    return [head, ...linesOfReading(reading).map((line) => `  ${line}`)]
  })
  golden(t, name, lines)
})

t.test('what servers say', async (t) => {
  for (const kind of ['server', 'tools', 'beta', 'translations']) {
    const name = `openai/realtime-${kind}.ndjson`
    const reader = open()
    const read = (data: string): string[] => {
      const { type } = JSON.parse(data) as { type: string }
      return [`event ${type}`, ...linesOfStep(reader.read({ event: 'message', data }))]
    }
    golden(t, name, messages(name).flatMap(read))
  }
})
