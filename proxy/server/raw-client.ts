// Owns the client's side of a request that node:http could not parse: there is a socket, but no request and no response
// object. It exists so that these, too, are refused and recorded like any other exchange.
import type { Duplex } from 'node:stream'
import { STATUS_CODES } from '../lib/node-http.ts'
import type { Client } from '../pipeline/client.ts'
import { Abort } from './abort.ts'

export class RawClient implements Client {
  readonly signal = new Abort()
  readonly hasBody = false
  readonly bytesIn = 0
  bytesOut = 0
  headSent = false
  readonly #socket: Duplex

  constructor(socket: Duplex) {
    this.#socket = socket
    // node:http may have let go of it, and nobody else listens: without this a reset would be an uncaught 'error'.
    socket.on('error', ignore)
  }

  get gone(): boolean {
    return this.#socket.destroyed
  }

  readBody(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array())
  }

  async *streamBody(): AsyncGenerator<Uint8Array> {}

  start(status: number, headers: readonly string[]): void {
    const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`]
    for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
    lines.push('connection: close')
    this.headSent = true
    if (this.#socket.writable) this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  }

  flush(): void {}

  write(chunk: Uint8Array | string): undefined {
    this.bytesOut += Buffer.byteLength(chunk)
    if (this.#socket.writable) this.#socket.write(chunk)
  }

  end(last?: Uint8Array | string): void {
    if (last !== undefined) this.write(last)
    this.#socket.end()
    this.#socket.once('finish', () => this.#socket.destroy())
  }

  flushed(): undefined {}

  destroy(): void {
    this.#socket.destroy()
  }

  breakOff(last: string): void {
    this.end(last)
  }
}

function ignore(): void {}
