import t from 'tap'
import { httpProtocol } from '../../../proxy/protocol/http.ts'

t.test('data that begins like JSON is read as JSON or refused', async (t) => {
  const read = (data: string) => {
    const reader = httpProtocol.resolve('GET', '/')?.openStream?.()
    return reader?.read({ event: 'message', data })
  }
  const refused = ['{"a":"\\u0041","a":1}', '[AKIAQWERTYUIOPASDFGH]', '[1', ' {"a":', '[DONE] ']
  for (const data of refused) t.match(read(data), { ok: false, message: String }, data)
  t.match(read(' {"a":"\\u0041"}'), { ok: true, deltas: [], parts: [{ text: 'A' }] })
  t.match(read('[DONE]'), { ok: true, deltas: [], parts: [], ends: ['text:0'] })
})
