import t from 'tap'
import { opaqueOperation } from '../../../proxy/protocol/opaque.ts'

t.test('nothing is known of it but how it was asked for', async (t) => {
  const operation = opaqueOperation('POST', '/v1/telepathy')
  t.match(operation, { name: 'opaque', path: '/v1/telepathy', action: 'model.call', body: 'any', emits: false })
  t.notOk('openStream' in operation || 'refuseCalls' in operation || 'withdrawTools' in operation)
})

t.test('only looking is repeated', async (t) => {
  const repeated = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter(
    (method) => opaqueOperation(method, '/').idempotent,
  )
  t.same(repeated, ['GET', 'HEAD'])
})

t.test('texts of its JSON are read, and nothing is taken for a model, a tool or a call', async (t) => {
  const body = { model: 'm', tools: [{ name: 'f' }], tool_calls: [{ name: 'g' }] }
  const operation = opaqueOperation('POST', '/')
  for (const reading of [
    operation.readRequest(body, JSON.stringify(body)),
    operation.readAnswer(body, JSON.stringify(body)),
  ]) {
    t.match(reading, { ok: true, content: { model: undefined, tools: [], toolCalls: [] } })
    t.same(reading.ok && reading.content.parts.map(({ text }) => text), ['m', 'f', 'g'])
  }
})
