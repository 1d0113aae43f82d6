// Owns sending the head of an answer ahead of its body, after which nobody reads what was said in either head.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** With the turn: the first piece of a stream is mostly there already, and then leaves in the same packet. */
export function sendHead(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = response
  if (socket !== null) {
    socket.cork()
    process.nextTick(uncork, socket)
  }
  response.flushHeaders()
  dropHeads(request, response)
}

function uncork(socket: Socket): void {
  socket.uncork()
}

/** Both were read and written, and the answer may go on for hours. Others hold them, but nobody reads what they say. */
function dropHeads(request: IncomingMessage, response: ServerResponse): void {
  request.headers = nothingSaid
  request.rawHeaders = []
  // From now on it only tells that there was one.
  Object.assign(response, { _header: ' ' })
}

const nothingSaid = Object.freeze({})
