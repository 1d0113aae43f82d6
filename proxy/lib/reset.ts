// Breaks a TCP connection with a reset, at whatever point its end is.
import type { Socket } from 'node:net'

/**
 * While a shutdown is under way libuv refuses to reset, and Node then never closes the handle: a descriptor leaks, no
 * `close` comes, and the process cannot end. With nothing left to write the shutdown is over in a moment.
 */
export function resetConnection(socket: Socket): void {
  const ending = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
  if (ending && !socket.destroyed) socket.once('finish', () => socket.resetAndDestroy())
  else socket.resetAndDestroy()
}
