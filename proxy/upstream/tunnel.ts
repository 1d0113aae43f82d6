// Owns the opaque way upstream: the library asks for the upgrade and carries the bytes. What it would say to a client by
// itself, the upstream's head or its refusal, stays here, so that every answer is made in one place.
import { createHash } from 'node:crypto'
import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { duplexPair, type Duplex } from 'node:stream'
import { Fault } from '../errors.ts'
import { BytePeer } from '../lib/byte-peer.ts'
import { loadProxy } from '../lib/late-packages.ts'
import type { UpgradeRequest } from './answer.ts'
import type { Handshake } from './handshake.ts'

type Tunnelled = Extract<UpgradeRequest, { carries: 'bytes' }>

/** Nothing comes out of the tunnel before the handshake has an outcome. */
export function openTunnel(
  origin: string,
  agent: Agent,
  request: Tunnelled,
  headers: readonly string[],
  handshake: Handshake,
): BytePeer {
  const [near, far] = duplexPair()
  far.once('close', () => near.destroy())
  const proxy = loadProxy().createProxyServer({ target: origin, agent, changeOrigin: true })
  proxy.on('proxyReqWs', (outgoing: ClientRequest) => {
    handshake.watch(outgoing, request.path, headers)
    outgoing.once('upgrade', (answer: IncomingMessage, socket: Duplex) => {
      joinEnds(socket, far)
      dropFirst(near)
      if (answer.headers['sec-websocket-accept'] === acceptOf(request.key)) handshake.switched(answer.headers)
      else refuse(handshake, socket)
    })
    // It would relay whatever the upstream answers instead of an upgrade.
    outgoing.once('response', () => near.destroy())
  })
  // The handshake has heard of it; here it would end the process.
  proxy.on('error', () => {})
  proxy.ws(asking(request), asSocket(near), nothing)
  return new BytePeer(far)
}

const nothing = Buffer.alloc(0)

/** What the library reads of a client's request; headers are added to its own, as they were judged. */
function asking({ key }: Tunnelled): IncomingMessage {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': key,
  }
  return { method: 'GET', url: '/', httpVersion: '1.1', httpVersionMajor: 1, headers } as unknown as IncomingMessage
}

/** The library sets up whatever it is given like a socket. */
function asSocket(stream: Duplex): Socket {
  const none = (): unknown => stream
  const destroySoon = (): unknown => stream.end(() => stream.destroy())
  const more = { setTimeout: none, setNoDelay: none, setKeepAlive: none, destroySoon }
  return Object.assign(stream, more) as unknown as Socket
}

/** Its first words are the upstream's head, in one piece; the client's own is made elsewhere. */
function dropFirst(near: Duplex): void {
  near.write = () => Reflect.deleteProperty(near, 'write')
}

/** The library ends the other side gracefully, which takes for ever with a side that does not answer. */
function joinEnds(socket: Duplex, far: Duplex): void {
  far.once('close', () => socket.destroy())
  socket.once('close', () => {
    if (socket.errored !== null) far.destroy()
  })
}

/** RFC 6455 section 4.2.2. */
function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

function refuse(handshake: Handshake, socket: Duplex): void {
  handshake.fail(new Fault('upstream-invalid', 'The upstream switched to another protocol than it was asked for.'))
  socket.destroy()
}
