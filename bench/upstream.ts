// Owns the upstream process: it answers from ready buffers and does as little else as it can, so that what is measured
// is the proxy. The request says by `"stream":true` which scenario it wants.
import { createServer, type Socket } from 'node:net'
import { announce } from './announce.ts'
import { chat1k } from './scenarios/chat-1k.ts'
import { stream200 } from './scenarios/stream-200.ts'
import { MessageReader } from './wire.ts'

const streamMark = Buffer.from('"stream":true')

const server = createServer({ noDelay: true }, (socket) => {
  let streams = false
  const reader = new MessageReader(
    () => undefined,
    () => {
      answer(socket, streams ? stream200.answer : chat1k.answer, 0)
      streams = false
    },
  )
  socket.on('data', (bytes: Buffer) => {
    streams ||= bytes.includes(streamMark)
    reader.push(bytes)
  })
  socket.on('error', () => socket.destroy())
})

/** One piece a turn, so that they leave as separate packets. */
function answer(socket: Socket, pieces: readonly Buffer[], at: number): void {
  const piece = pieces[at]
  if (piece === undefined || socket.destroyed) return
  socket.write(piece)
  if (at + 1 < pieces.length) setImmediate(answer, socket, pieces, at + 1)
}

announce(server)
