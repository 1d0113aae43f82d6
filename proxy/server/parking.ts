// Owns connections whose answers have been silent for a while: they give up node:http's parser, of 10 KiB the largest part of a
// connection, and get one again with their next request. It does not know what is answered.
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

/** What node:http keeps on its sockets and leaves out of its types: where it looks otherwise, nothing is parked. */
type Parser = {
  incoming: IncomingMessage | null
  /** An error where a part of a message has come, which changes nothing. */
  finish(): Error | undefined
  remove(): void
  close(): void
}
type Parsed = Socket & { parser?: Parser | null }

/** What a client may say ahead while it is answered; more stays in the system's buffers. */
const aheadBytesMax = 64 * 1024

export class Parking {
  readonly #server: Server
  /** Answered, and waiting for the next request. */
  readonly #waiting = new Set<Socket>()
  readonly #ahead = new WeakMap<Socket, Buffer>()
  #returning: Socket | undefined
  /** One for all sockets, like the next. They are read although nothing is expected: otherwise a client could leave unnoticed. */
  readonly #onData: (this: Socket, bytes: Buffer) => void
  readonly #onClosed: (this: Socket) => void

  constructor(server: Server) {
    const hear = (socket: Socket, bytes: Buffer): void => this.#hear(socket, bytes)
    const forget = (socket: Socket): void => void this.#waiting.delete(socket)
    this.#server = server
    this.#onData = function onData(bytes) {
      hear(this, bytes)
    }
    this.#onClosed = function onClosed() {
      forget(this)
    }
  }

  /** False: it cannot be parked now. Not from within an event of the connection, and to be followed by `answered`. */
  park(request: IncomingMessage): boolean {
    const socket: Parsed = request.socket
    const { parser } = socket
    if (!isParser(parser) || !isBetweenMessages(parser, request)) return false
    const read = socket.listeners('data').find(({ name }) => name === 'bound socketOnData')
    if (read === undefined) return false
    // That somebody else listens makes node:http stop reading past the socket.
    socket.on('data', this.#onData)
    socket.removeListener('data', read as () => void)
    socket.removeListener('data', this.#onData)
    parser.remove()
    // As Node does: never while it is on the stack, from which many an event comes.
    setImmediate(() => parser.close())
    socket.parser = null
    // Without a parser it also gives back the methods that it has overridden.
    socket.on('data', this.#onData)
    dropEnds(socket)
    dropSaid(parser)
    return true
  }

  /** The answer on this connection is over. */
  answered(socket: Socket): void {
    if (!socket.writable) return
    if (socket.readableEnded) return void socket.end()
    this.#waiting.add(socket)
    socket.on('end', onEnded)
    socket.on('close', this.#onClosed)
    if (this.#ahead.has(socket)) this.#return(socket)
  }

  /** While the server is told of a connection that it has known before. */
  isReturning(socket: Socket): boolean {
    return socket === this.#returning
  }

  /** The server does not find them when it closes idle connections. */
  closeIdle(): void {
    for (const socket of this.#waiting) socket.destroy()
  }

  #hear(socket: Socket, bytes: Buffer): void {
    const before = this.#ahead.get(socket)
    const ahead = before === undefined ? bytes : Buffer.concat([before, bytes])
    this.#ahead.set(socket, ahead)
    if (this.#waiting.has(socket)) this.#return(socket)
    else if (ahead.length > aheadBytesMax) socket.pause()
  }

  /** To the server it is a new connection that has said something. */
  #return(socket: Socket): void {
    const ahead = this.#ahead.get(socket)
    this.#ahead.delete(socket)
    this.#waiting.delete(socket)
    socket.removeListener('end', onEnded)
    socket.removeListener('close', this.#onClosed)
    socket.removeListener('data', this.#onData)
    for (const event of ['drain', 'error', 'timeout'])
      for (const listener of socket.listeners(event).filter(isOfServer))
        socket.removeListener(event, listener as () => void)
    // It ran until the next request.
    socket.setTimeout(0)
    socket.pause()
    socket.unshift(ahead)
    this.#returning = socket
    this.#server.emit('connection', socket)
    this.#returning = undefined
    socket.resume()
  }
}

function isParser(parser: Parser | null | undefined): parser is Parser {
  if (parser === null || parser === undefined) return false
  return (['finish', 'remove', 'close'] as const).every((name) => typeof parser[name] === 'function')
}

/** Nothing has come of the next message, not even a part of it that would go with the parser. */
function isBetweenMessages(parser: Parser, request: IncomingMessage): boolean {
  return request.complete && parser.incoming === request && parser.finish() === undefined
}

/**
 * At either end node:http looks after its parser and after messages that are not whole: there are none. Lists that had three
 * listeners have room for twenty; these are made anew.
 */
function dropEnds(socket: Socket): void {
  for (const event of ['end', 'close']) {
    const listeners = socket.rawListeners(event) as (() => void)[]
    // One by one: the other way makes a dictionary of the socket's events.
    for (const listener of listeners) socket.removeListener(event, listener)
    for (const listener of listeners) if (!isOfServer(listener)) socket.on(event, listener)
  }
}

/** The client says no more, and was answered. */
function onEnded(this: Socket): void {
  this.end()
}

/** Others hold it until the answer is over. */
function dropSaid(parser: Parser): void {
  for (const key of Object.keys(parser)) Object.assign(parser, { [key]: null })
}

function isOfServer({ name }: { readonly name: string }): boolean {
  return /^(?:bound )?socketOn(?:End|Close|Drain|Error|Timeout)$/.test(name)
}
