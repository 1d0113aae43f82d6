// Owns the load process: sends one request over and over to one address and reports how long the answers took. Open
// loop: requests are due at a constant rate whatever happens, and time counts from when each was due, so a proxy that
// stalls is charged for the queue behind it (no coordinated omission). Closed loop: each connection sends its next
// request when the last answer is complete, which gives the highest throughput.
import { connect, type Socket } from 'node:net'
import { percentiles, type Percentiles } from './percentiles.ts'
import { MessageReader } from './wire.ts'

export type Order = {
  readonly port: number
  readonly path: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string
  readonly durationMs: number
  /** Requests a second, or for the closed loop the number of connections. */
  readonly rate?: number
  readonly connections?: number
}

export type Report = {
  readonly completed: number
  readonly errors: number
  /** From when the first request was due until the last answer was complete. */
  readonly elapsedMs: number
  /** From due until the answer was complete, and until its head was there. */
  readonly totalMs: Percentiles
  readonly headMs: Percentiles
  /** How late this process was itself with sending. */
  readonly lateMs: Percentiles
}

/** When all of these are busy, what is due waits here; its time runs. */
const connectionsMax = 512

/** After the last request is due, answers may take so long; what is still missing then is an error. */
const graceMs = 5_000

type Connection = { socket: Socket; dueMs: number; busy: boolean }

class Load {
  readonly #order: Order
  readonly #request: Buffer
  readonly #idle: Connection[] = []
  /** When each request that waits for a connection was due. */
  readonly #waiting: number[] = []
  readonly #all = new Set<Connection>()
  readonly #totalMs: number[] = []
  readonly #headMs: number[] = []
  readonly #lateMs: number[] = []
  #errors = 0
  #startMs = 0
  #lastMs = 0
  #over = false

  constructor(order: Order) {
    this.#order = order
    const { headers, body } = order
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    this.#request = Buffer.from(
      `POST ${order.path} HTTP/1.1\r\nhost: 127.0.0.1:${order.port}\r\n${fields.join('')}` +
        `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
  }

  async run(): Promise<Report> {
    this.#startMs = performance.now()
    const { rate, connections = 1, durationMs } = this.#order
    if (rate === undefined) {
      for (let n = 0; n < connections; n++) this.#send(this.#startMs)
      await pause(durationMs)
    } else await this.#sendWhenDue(rate)
    this.#over = true
    const deadlineMs = performance.now() + graceMs
    while (this.#inFlight() > 0 && performance.now() < deadlineMs) await pause(5)
    this.#errors += this.#inFlight()
    for (const connection of this.#all) connection.socket.destroy()
    return {
      completed: this.#totalMs.length,
      errors: this.#errors,
      elapsedMs: this.#lastMs - this.#startMs,
      totalMs: percentiles(this.#totalMs),
      headMs: percentiles(this.#headMs),
      lateMs: percentiles(this.#lateMs),
    }
  }

  async #sendWhenDue(rate: number): Promise<void> {
    const count = Math.floor((this.#order.durationMs / 1000) * rate)
    for (let sent = 0; sent < count;) {
      const nowMs = performance.now()
      for (; sent < count; sent++) {
        const dueMs = this.#startMs + (sent * 1000) / rate
        if (dueMs > nowMs) break
        this.#lateMs.push(nowMs - dueMs)
        this.#send(dueMs)
      }
      await pause(1)
    }
  }

  #inFlight(): number {
    return this.#all.size - this.#idle.length + this.#waiting.length
  }

  #send(dueMs: number): void {
    const connection = this.#idle.pop() ?? this.#open()
    if (connection === undefined) {
      this.#waiting.push(dueMs)
      return
    }
    connection.dueMs = dueMs
    connection.busy = true
    connection.socket.write(this.#request)
  }

  #open(): Connection | undefined {
    if (this.#all.size >= connectionsMax) return undefined
    const connection: Connection = {
      socket: connect({ port: this.#order.port, host: '127.0.0.1', noDelay: true }),
      dueMs: 0,
      busy: false,
    }
    this.#all.add(connection)
    const reader = new MessageReader(
      () => void this.#headMs.push(performance.now() - connection.dueMs),
      (head) => this.#complete(connection, head),
    )
    connection.socket.on('data', (bytes: Buffer) => reader.push(bytes))
    connection.socket.on('error', () => connection.socket.destroy())
    connection.socket.on('close', () => this.#lost(connection))
    return connection
  }

  #complete(connection: Connection, head: string): void {
    const nowMs = performance.now()
    if (head.startsWith('HTTP/1.1 200 ')) this.#totalMs.push(nowMs - connection.dueMs)
    else this.#errors += 1
    this.#lastMs = nowMs
    connection.busy = false
    this.#idle.push(connection)
    this.#sendNext(nowMs)
  }

  #lost(connection: Connection): void {
    this.#all.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
    if (!connection.busy) return
    this.#errors += 1
    this.#sendNext(performance.now())
  }

  #sendNext(nowMs: number): void {
    const dueMs = this.#waiting.shift() ?? (this.#order.rate === undefined && !this.#over ? nowMs : undefined)
    if (dueMs !== undefined) this.#send(dueMs)
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}

process.on('message', (order: Order) => {
  void new Load(order).run().then((report) => process.send?.(report))
})
process.on('disconnect', () => process.exit(0))
