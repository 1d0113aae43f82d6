import t from 'tap'
import { MessageReader } from '../../../bench/wire.ts'

const stream = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello' +
    'HTTP/1.1 204 No Content\r\n\r\n' +
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1a;ext=1\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n' +
    'HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-trailer: 1\r\n\r\n' +
    'HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n',
)
const expected = [
  'head 200',
  'end 200',
  'head 204',
  'end 204',
  'head 200',
  'end 200',
  'head 500',
  'end 500',
  'head 201',
  'end 201',
]

t.test('finds the same messages however they are cut', async (t) => {
  t.same(read([stream]), expected)
  t.same(read([...stream].map((byte) => Buffer.from([byte]))), expected, 'byte by byte')
  for (let at = 1; at < stream.length; at++) {
    const seen = read([stream.subarray(0, at), stream.subarray(at)])
    if (seen.join() !== expected.join()) t.same(seen, expected, `cut at ${at}`)
  }
})

t.test('a message is not over before its last byte', async (t) => {
  for (const end of ['\r\n0\r\n\r', '\r\n0\r\n', '\r\n']) {
    const seen = read([Buffer.from(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello${end}`)])
    t.same(seen, ['head 200'], JSON.stringify(end))
  }
})

function read(pieces: readonly Buffer[]): string[] {
  const seen: string[] = []
  const status = (head: string): string => head.slice(9, 12)
  const reader = new MessageReader(
    (head) => seen.push(`head ${status(head)}`),
    (head) => seen.push(`end ${status(head)}`),
  )
  for (const piece of pieces) reader.push(piece)
  return seen
}
