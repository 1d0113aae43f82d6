// A TCP proxy that does to a link what networks do: delay, throttle, slice, reset, close one side or both, cut off, or
// swallow everything. It sits between any two parties of a test and knows nothing of what they say.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { resetConnection } from '../../proxy/lib/reset.ts'

/** What happens to the bytes of one direction. Counts are of one connection. */
export type Toxic = {
  /** Before each piece goes on, in milliseconds; up to `jitterMs` more, by the proxy's own random numbers. */
  readonly latencyMs?: number
  readonly jitterMs?: number
  readonly bytesPerSecond?: number
  /** Pieces are cut into so many bytes, each written by itself. */
  readonly sliceBytes?: number
  /** After so many bytes something happens, once; the rest is thrown away. */
  readonly after?: number
  /** `reset`: both ends; `close`: this direction's end is told cleanly; `cut`: both ends, cleanly; `swallow`: nothing more. */
  readonly strikes?: 'reset' | 'close' | 'cut' | 'swallow'
  /** Replaces each piece, e.g. to damage it; `at` is its place in the direction. */
  readonly change?: (piece: Buffer, at: number) => Buffer
}

export type Link = {
  readonly up?: Toxic
  readonly down?: Toxic
  /** Instead of serving: `refuse` resets at once, `hole` takes the connection and never says a word. */
  readonly accept?: 'refuse' | 'hole'
}

/** Which link the connection with this number has, counted from 1. */
export type Links = Link | ((connection: number) => Link)

export class FaultProxy {
  connections = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #port: number
  #links: Links = {}
  #seed = 1

  constructor(targetPort: number) {
    this.#port = targetPort
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async listen(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  /** For connections from now on. */
  set(links: Links): void {
    this.#links = links
  }

  /** Later connections go there: a failover. */
  redirect(targetPort: number): void {
    this.#port = targetPort
  }

  resetAll(): void {
    for (const socket of this.#sockets) resetConnection(socket)
  }

  async close(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined
    this.#server.close()
    this.resetAll()
    await closed
  }

  #serve(near: Socket): void {
    this.connections += 1
    const link = typeof this.#links === 'function' ? this.#links(this.connections) : this.#links
    this.#keep(near)
    if (link.accept === 'refuse') {
      resetConnection(near)
      return
    }
    if (link.accept === 'hole') {
      near.resume()
      return
    }
    const far = this.#keep(connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true }))
    far.once('error', () => resetConnection(near))
    void this.#carry(near, far, link.up ?? {})
    void this.#carry(far, near, link.down ?? {})
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => this.#sockets.delete(socket))
    return socket
  }

  async #carry(from: Socket, to: Socket, toxic: Toxic): Promise<void> {
    let carried = 0
    try {
      for await (const piece of from.iterator({ destroyOnReturn: false })) {
        const whole = toxic.change?.(piece as Buffer, carried) ?? (piece as Buffer)
        const left = toxic.after === undefined ? whole.length : Math.min(whole.length, toxic.after - carried)
        if (left > 0) await this.#write(to, whole.subarray(0, left), toxic)
        carried += whole.length
        if (toxic.after !== undefined && carried >= toxic.after) {
          strike(from, to, toxic)
          return
        }
      }
      to.end()
    } catch {
      resetConnection(to)
    }
  }

  async #write(to: Socket, bytes: Buffer, toxic: Toxic): Promise<void> {
    const size = toxic.sliceBytes ?? bytes.length
    for (let at = 0; at < bytes.length; at += size) {
      const slice = bytes.subarray(at, at + size)
      await pause(this.#delayMs(slice.length, toxic))
      if (to.destroyed) return
      if (!to.write(slice)) await Promise.race([once(to, 'drain'), once(to, 'close')])
    }
  }

  #delayMs(bytes: number, { latencyMs = 0, jitterMs = 0, bytesPerSecond }: Toxic): number {
    // The same jitter in every run (Lehmer's generator).
    this.#seed = (this.#seed * 48_271) % 0x7fffffff
    const throttled = bytesPerSecond === undefined ? 0 : (bytes / bytesPerSecond) * 1000
    return latencyMs + throttled + (jitterMs * this.#seed) / 0x7fffffff
  }
}

function strike(from: Socket, to: Socket, { strikes = 'swallow' }: Toxic): void {
  if (strikes === 'reset') {
    resetConnection(to)
    resetConnection(from)
    return
  }
  if (strikes !== 'swallow') to.end()
  if (strikes === 'cut') from.end()
  from.resume()
}

/** The one place where tests wait for time to pass: a link that is slow is nothing else. */
function pause(ms: number): Promise<void> | undefined {
  return ms <= 0 ? undefined : new Promise((resolve) => setTimeout(resolve, ms))
}
