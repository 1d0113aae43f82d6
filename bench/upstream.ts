// Owns the upstream process: it answers from ready buffers and does as little else as it can, so that what is measured
// is the proxy. A mark in the request says which scenario it wants.
import { createServer, type Socket } from 'node:net'
import { announce } from './announce.ts'
import { burst200 } from './scenarios/burst-200.ts'
import { chat1k } from './scenarios/chat-1k.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { stream200 } from './scenarios/stream-200.ts'
import { MessageReader } from './wire.ts'

const marked = [stream200, burst200].map((scenario) => ({ scenario, mark: Buffer.from(scenario.mark ?? '') }))

const server = createServer({ noDelay: true }, (socket) => {
  let asked: Scenario = chat1k
  const reader = new MessageReader(
    () => undefined,
    () => {
      answer(socket, asked, 0)
      asked = chat1k
    },
  )
  socket.on('data', (bytes: Buffer) => {
    for (const { scenario, mark } of marked) if (bytes.includes(mark)) asked = scenario
    reader.push(bytes)
  })
  socket.on('error', () => socket.destroy())
})

/** One piece a turn at most, so that they leave as separate packets. */
function answer(socket: Socket, scenario: Scenario, at: number): void {
  const piece = scenario.answer[at]
  if (piece === undefined || socket.destroyed) return
  socket.write(piece)
  if (at + 1 === scenario.answer.length) return
  if (scenario.pauseMs === 0) setImmediate(answer, socket, scenario, at + 1)
  else setTimeout(answer, scenario.pauseMs, socket, scenario, at + 1)
}

announce(server)
