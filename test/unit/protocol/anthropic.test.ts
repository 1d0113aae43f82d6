import t from 'tap'
import { anthropicProtocol } from '../../../proxy/protocol/anthropic.ts'

t.test('what is refused on purpose says why', async (t) => {
  const rows: [string, string, RegExp | undefined][] = [
    ['POST', '/v1/messages/batches', /one by one/],
    ['GET', '/v1/messages/batches', /past this proxy/],
    ['GET', '/v1/messages/batches/msgbatch_1/results', /past this proxy/],
    ['POST', '/v1/messages/batches/msgbatch_1/cancel', /past this proxy/],
    ['DELETE', '/v1/messages/batches/msgbatch_1', /past this proxy/],
    ['POST', '/v1/files', /content in messages/],
    ['GET', '/v1/files/file_1/content', /files/],
    ['POST', '/v1/complete', /use messages/],
    ['POST', '/v1/skills', /kept and run/],
    ['POST', '/v1/sessions/s/events', /kept and run/],
    ['POST', '/v1/messages/else', undefined],
    ['POST', '/v1/else', undefined],
  ]
  for (const [method, path, why] of rows) {
    t.equal(anthropicProtocol.resolve(method, path), undefined, `${method} ${path}`)
    const said = anthropicProtocol.whyUnserved?.(method, path)
    if (why === undefined) t.equal(said, undefined, path)
    else t.match(said, why, path)
  }
})
