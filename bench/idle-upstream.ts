// Owns the upstream of the bench of idle streams: every request is answered with the beginning of a stream, and then
// nothing more is said.
import { createServer } from 'node:net'
import { announce } from './announce.ts'
import { MessageReader } from './wire.ts'

const event =
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
const beginning =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n' +
  `x-request-id: req_0000000000\r\ntransfer-encoding: chunked\r\n\r\n${event.length.toString(16)}\r\n${event}\r\n`

const server = createServer({ noDelay: true }, (socket) => {
  const reader = new MessageReader(
    () => undefined,
    () => void socket.write(beginning),
  )
  socket.on('data', (bytes: Buffer) => reader.push(bytes))
  socket.on('error', () => socket.destroy())
})

announce(server)
