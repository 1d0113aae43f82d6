// Owns the inspected way upstream: a WebSocket with a handshake of its own, whose messages can be read.
import type { IncomingHttpHeaders } from 'node:http'
import { Fault } from '../errors.ts'
import { loadSockets } from '../lib/late-packages.ts'
import { MessagePeer, socketOptions } from '../lib/message-peer.ts'
import type { UpgradeRequest } from './answer.ts'
import type { SocketLookup } from './egress.ts'
import type { Handshake } from './handshake.ts'

type Conversed = Extract<UpgradeRequest, { carries: 'messages' }>

/** Nothing is to be sent before the handshake has an outcome. */
export function openConversation(
  origin: string,
  lookup: SocketLookup,
  request: Conversed,
  headers: readonly string[],
  handshake: Handshake,
): MessagePeer {
  const socket = new (loadSockets().WebSocket)(origin, [...request.subprotocols], {
    ...socketOptions(request.messageBytesMax),
    lookup,
    followRedirects: false,
    finishRequest: (outgoing) => {
      handshake.watch(outgoing, request.path, headers)
      outgoing.end()
    },
  })
  let answered: IncomingHttpHeaders | undefined
  socket.once('upgrade', (answer) => {
    answered = answer.headers
  })
  socket.once('open', () => handshake.switched(answered ?? {}))
  // Without a listener it would take the request down with an error of its own.
  socket.on('unexpected-response', () => {})
  // A key, a subprotocol or an extension that nobody agreed on. Of earlier errors the handshake has heard, and later ones
  // are the peer's.
  socket.once('error', () => {
    if (answered === undefined) return
    handshake.fail(new Fault('upstream-invalid', 'The upstream switched to another protocol than it was asked for.'))
  })
  return new MessagePeer(socket)
}
