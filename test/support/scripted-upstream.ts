// A server on a bare socket that answers with the bytes it is told to, well-formed or not, and records what it saw. It
// stands for an upstream wherever a test needs one that stalls, breaks off, resets or talks nonsense.
import { EventEmitter, once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { resetConnection } from '../../proxy/lib/reset.ts'

export type SeenRequest = {
  readonly method: string
  readonly target: string
  /** Flat list as sent. */
  readonly headers: readonly string[]
  readonly body: Buffer
  /** The bytes of the head, with the empty line. */
  readonly head: string
  /** Counts connections from 1. */
  readonly connection: number
  header(name: string): string | undefined
}

/** One request and the socket to answer it on. */
export type Scene = {
  readonly request: SeenRequest
  readonly socket: Socket
  /** Resolves when the other side closed or reset the connection. */
  readonly closed: Promise<void>
  /** Resolves once the bytes were handed to the system. */
  write(bytes: string | Uint8Array): Promise<void>
  /** Closes cleanly, after what was written. */
  end(): void
  /** Resets the connection. */
  reset(): void
}

/** Bytes are written and the connection stays open; a function does what it likes. */
export type Script = string | Uint8Array | ((scene: Scene) => void | Promise<void>)

export async function scriptedUpstream(...scripts: Script[]): Promise<ScriptedUpstream> {
  const upstream = new ScriptedUpstream(scripts)
  await upstream.listen()
  return upstream
}

export class ScriptedUpstream {
  readonly requests: SeenRequest[] = []
  connections = 0
  readonly sockets = new Set<Socket>()
  readonly #scripts: Script[]
  #fallback: Script | undefined
  readonly #events = new EventEmitter()
  readonly #server: Server

  constructor(scripts: Script[]) {
    this.#scripts = scripts
    this.#server = createServer((socket) => this.#serve(socket))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async listen(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** Scripts for the next requests, in the order in which their heads arrive. */
  next(...scripts: Script[]): this {
    this.#scripts.push(...scripts)
    return this
  }

  /** The script for every request that has none of its own. Without it such a request is never answered. */
  always(script: Script): this {
    this.#fallback = script
    return this
  }

  /** The request with this number, counted from 1, as soon as it has arrived whole. */
  async seen(number: number): Promise<SeenRequest> {
    for (;;) {
      const request = this.requests[number - 1]
      if (request !== undefined) return request
      await once(this.#events, 'request')
    }
  }

  /** Resolves when no connection is open. */
  async quiet(): Promise<void> {
    while (this.sockets.size > 0) await once(this.#events, 'closed')
  }

  /** Resets every open connection, as a crash would. */
  resetAll(): void {
    for (const socket of this.sockets) resetConnection(socket)
  }

  /** Stops listening and drops all connections. */
  async close(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined
    this.#server.close()
    for (const socket of this.sockets) socket.destroy()
    await closed
  }

  #serve(socket: Socket): void {
    const connection = ++this.connections
    this.sockets.add(socket)
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        this.sockets.delete(socket)
        resolve()
        this.#events.emit('closed')
      })
    })
    socket.on('error', () => {})
    let received: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      for (;;) {
        const parsed = parseRequest(received, connection)
        if (parsed === undefined) return
        received = parsed.rest
        this.requests.push(parsed.request)
        this.#events.emit('request')
        void this.#play(parsed.request, socket, closed)
      }
    })
  }

  async #play(request: SeenRequest, socket: Socket, closed: Promise<void>): Promise<void> {
    const script = this.#scripts.shift() ?? this.#fallback
    if (script === undefined) return
    const write = (bytes: string | Uint8Array): Promise<void> =>
      new Promise((resolve) => {
        socket.write(bytes, () => resolve())
      })
    if (typeof script !== 'function') return write(script)
    await script({
      request,
      socket,
      closed,
      write,
      end: () => void socket.end(),
      reset: () => resetConnection(socket),
    })
  }
}

/** A whole answer with its exact length. */
export function answer(status: number, body = '', headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} Scripted\r\n${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** A whole JSON answer. */
export function jsonAnswer(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): string {
  return answer(status, JSON.stringify(value), { 'content-type': 'application/json', ...headers })
}

/** The head of a chunked answer: follow it with `chunk()`s and `lastChunk`, or do not. */
export function chunkedHead(status = 200, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} Scripted\r\n${lines.join('')}transfer-encoding: chunked\r\n\r\n`
}

export function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}

export const lastChunk = '0\r\n\r\n'

function parseRequest(bytes: Buffer, connection: number): { request: SeenRequest; rest: Buffer } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = bytes.toString('latin1', 0, headEnd + 4)
  const [requestLine = '', ...lines] = head.trimEnd().split('\r\n')
  const [method = '', target = ''] = requestLine.split(' ')
  const headers = lines.flatMap((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  const header = (name: string): string | undefined => {
    const at = headers.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name)
    return at < 0 ? undefined : headers[at + 1]
  }
  const from = bytes.subarray(headEnd + 4)
  const framed =
    header('transfer-encoding') === 'chunked'
      ? parseChunks(from)
      : takeBytes(from, Number(header('content-length') ?? 0))
  if (framed === undefined) return undefined
  return { request: { method, target, headers, head, body: framed.body, connection, header }, rest: framed.rest }
}

function takeBytes(bytes: Buffer, count: number): { body: Buffer; rest: Buffer } | undefined {
  return bytes.length < count ? undefined : { body: bytes.subarray(0, count), rest: bytes.subarray(count) }
}

function parseChunks(bytes: Buffer): { body: Buffer; rest: Buffer } | undefined {
  const chunks: Buffer[] = []
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const dataEnd = lineEnd + 2 + size
    if (bytes.length < dataEnd + 2) return undefined
    if (size === 0) return { body: Buffer.concat(chunks), rest: bytes.subarray(dataEnd + 2) }
    chunks.push(bytes.subarray(lineEnd + 2, dataEnd))
    at = dataEnd + 2
  }
}
