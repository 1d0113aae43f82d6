import t from 'tap'
import { headerValue, stripHopByHop, withoutHeaders } from '../../../proxy/lib/headers.ts'

t.test('what belongs to one hop is stripped, and what Connection names', async (t) => {
  const list = [
    'Host',
    'a',
    'Connection',
    'close, X-Tenant ,authorization',
    'connection',
    'X-Second',
    'Keep-Alive',
    '5',
    'Proxy-Authorization',
    'x',
    'proxy-connection',
    'x',
    'Proxy-Anything',
    'x',
    'TE',
    'trailers',
    'Trailer',
    'X',
    'Transfer-Encoding',
    'chunked',
    'Upgrade',
    'h2c',
    'HTTP2-Settings',
    'AA',
    'Expect',
    '100-continue',
    'X-Tenant',
    '1',
    'Authorization',
    'Bearer',
    'x-second',
    '2',
    'Set-Cookie',
    'a=1',
    'Set-Cookie',
    'b=2',
  ]
  t.same(stripHopByHop(list), ['Host', 'a', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'])
  t.same(stripHopByHop([]), [])
})

t.test('a repeated header is seen to be repeated', async (t) => {
  const list = ['Content-Type', 'text/plain', 'X', '1', 'content-type', 'application/json']
  t.equal(headerValue(list, 'content-type'), 'text/plain, application/json')
  t.equal(headerValue(list, 'x'), '1')
  t.equal(headerValue(list, 'y'), undefined)
  t.equal(headerValue(['A', ''], 'a'), '')
})

t.test('headers are left out by name', async (t) => {
  t.same(withoutHeaders(['A', '1', 'b', '2', 'a', '3'], new Set(['a'])), ['b', '2'])
})
