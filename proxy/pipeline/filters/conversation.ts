// Owns what passes in a conversation over a WebSocket.
import { Fault } from '../../errors.ts'
import type { Piece } from '../../lib/peer.ts'
import type { SocketOperation } from '../../protocol/socket.ts'
import type { Answered } from '../exchange.ts'
import type { Runtime } from '../runtime.ts'

/** What is sent on, and what is sent back to whoever spoke. */
export type Turn = { readonly on: readonly Piece[]; readonly back: readonly Piece[] }

export class Conversation {
  constructor(_x: Answered, _runtime: Runtime, operation: SocketOperation) {
    throw new Fault('operation-unsupported', `${operation.name} is not served yet.`)
  }
  fromClient(piece: Piece): Promise<Turn> {
    return Promise.resolve({ on: [piece], back: [] })
  }
  fromServer(piece: Piece): Piece[] {
    return [piece]
  }
  reason(text: string): string {
    return text
  }
  lastWords(_fault: Fault): Piece | undefined {
    return undefined
  }
  close(): void {}
}
