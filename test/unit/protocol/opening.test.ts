import t from 'tap'
import { readOpening, type Opening } from '../../../proxy/protocol/opening.ts'

const sse = (text: string): Opening | undefined => readOpening(Buffer.from(text), 'sse')
const error = (value: unknown): string => `data: ${JSON.stringify({ error: value })}\n\n`

t.test('nothing is said before an event is whole, and comments and pings say nothing', async (t) => {
  for (const text of [
    '',
    'data: {"id"',
    'data: {}\n',
    ': hi\n\n',
    'event: ping\ndata: {"type": "ping"}\n\n',
    ':\n\ndata: {',
  ])
    t.equal(sse(text), undefined, JSON.stringify(text))
})

t.test('an event that begins or ends behind the first kilobyte is read all the same', async (t) => {
  const failure = error({ type: 'server_error', message: 'zu viel los, é'.repeat(100) })
  for (let length = 900; length < 1100; length++) {
    const comment = `: ${'ä'.repeat(length / 2)}${'x'.repeat(length % 2)}\n\n`
    t.equal(sse(comment), undefined)
    t.equal(sse(comment + failure), 'failed', `${length}`)
    t.equal(sse(`${comment}data: {"choices":[]}\n\n`), 'content', `${length}`)
  }
})

t.test('content is content, whatever it speaks of', async (t) => {
  const texts = [
    'data: {"choices":[]}\n\n',
    'data: [DONE]\n\n',
    'event: message_start\ndata: {"type":"message_start"}\n\n',
    'data: {"choices":[{"delta":{"content":"\\"error\\": overloaded"}}]}\n\n',
    'data: {"type":"response.created","response":{"error":null}}\n\n',
    'data: {"error":null,"choices":[]}\n\n',
    'data: "error" is no JSON\n\n',
    `data: {"choices":[]}\n\n${error({ type: 'server_error' })}`,
  ]
  for (const text of texts) t.equal(sse(text), 'content', text)
})

t.test('errors of each format, and whether asking again could help', async (t) => {
  const rows: [string, Opening][] = [
    ['event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n', 'failed'],
    ['event: error\ndata: {"type":"error","error":{"type":"api_error","message":"x"}}\n\n', 'failed'],
    ['event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"x"}}\n\n', 'limited'],
    ['event: error\ndata: {"type":"error","error":{"type":"invalid_request_error","message":"x"}}\n\n', 'wrong'],
    [error({ type: 'server_error', code: null }), 'failed'],
    [error({ type: 'insufficient_quota', code: 'insufficient_quota' }), 'exhausted'],
    [error({ type: 'rate_limit_error', code: 'enforced_spend_limit_reached' }), 'exhausted'],
    [error({ type: 'requests', code: 'rate_limit_exceeded' }), 'limited'],
    [error({ type: 'invalid_request_error', code: 'content_filter' }), 'wrong'],
    [error({ code: 503, status: 'UNAVAILABLE' }), 'failed'],
    [error({ code: 429, status: 'RESOURCE_EXHAUSTED' }), 'limited'],
    [error({ code: 400, status: 'INVALID_ARGUMENT' }), 'wrong'],
    [error({ message: 'no' }), 'refused'],
    [error({ type: 'invalid_request_error', code: 'server_error' }), 'failed'],
    ['event: error\ndata: {"type":"error","code":"server_error","message":"x"}\n\n', 'failed'],
    ['data: {"type":"response.failed","response":{"error":{"code":"server_error"}}}\n\n', 'failed'],
    [`: a comment\n\nevent: ping\ndata: {}\n\n${error({ type: 'server_error' })}`, 'failed'],
  ]
  for (const [text, expected] of rows) t.equal(sse(text), expected, text)
  t.equal(readOpening(Buffer.from('{"error":"model runner stopped"}\n'), 'ndjson'), 'failed')
  t.equal(readOpening(Buffer.from('{"message":{"content":"hi"}}\n'), 'ndjson'), 'content')
})
