// Owns the client's end of the wire while fuzzing: it writes bytes in pieces, goes away when it is told to, and reads
// just enough of answers to know which came and when the last one is whole.
import { connect, type Socket } from 'node:net'
import { resetConnection } from '../../proxy/lib/reset.ts'

export type Play = {
  readonly bytes: Buffer
  readonly pieceBytes: number
  /** After this many bytes written: no more, said properly or by a reset. */
  readonly cut?: { readonly at: number; readonly how: 'end' | 'reset' }
  /** Goes away once so many bytes were read. */
  readonly leaveAt?: number
  /** Methods of the requests. So many answers end the conversation; the other side may end it sooner. */
  readonly methods: readonly string[]
}

export type Heard = { readonly status: number; readonly id: string | undefined; readonly whole: boolean }

/** A conversation that neither side ends in this time hangs; every time limit of the proxy is far shorter. */
const hangMs = 20_000

export function converse(port: number, play: Play): Promise<{ heard: Heard[]; hung: boolean }> {
  return new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    const reader = new AnswerReader(play.methods)
    let read = 0
    let hung = false
    const watchdog = setTimeout(() => {
      hung = true
      socket.destroy()
    }, hangMs)
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('data', (chunk: Buffer) => {
      read += chunk.length
      reader.push(chunk)
      if (play.leaveAt !== undefined && read >= play.leaveAt) resetConnection(socket)
      else if (reader.complete >= play.methods.length) socket.destroy()
    })
    socket.once('close', () => {
      clearTimeout(watchdog)
      done({ heard: reader.heard, hung })
    })
    socket.once('connect', () => write(socket, play))
  })
}

function write(socket: Socket, { bytes, pieceBytes, cut }: Play): void {
  const end = cut === undefined ? bytes.length : Math.min(cut.at, bytes.length)
  let at = 0
  const next = (): void => {
    if (socket.destroyed) return
    if (at >= end) {
      if (cut?.how === 'end') socket.end()
      if (cut?.how === 'reset') resetConnection(socket)
      return
    }
    const piece = bytes.subarray(at, Math.min(end, at + pieceBytes))
    at += piece.length
    socket.write(piece, next)
  }
  next()
}

/** What the proxy sends is well-formed, so a simple reader will do. */
class AnswerReader {
  readonly heard: Heard[] = []
  complete = 0
  readonly #methods: readonly string[]
  #pending: Buffer = Buffer.alloc(0)
  #answer: { status: number; id: string | undefined; left: number | 'chunked' | 'close' } | undefined

  constructor(methods: readonly string[]) {
    this.#methods = methods
  }

  push(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk])
    while (this.#answer === undefined ? this.#head() : this.#body(this.#answer));
  }

  #head(): boolean {
    const end = this.#pending.indexOf('\r\n\r\n')
    if (end < 0) return false
    const head = this.#pending.toString('latin1', 0, end + 2)
    this.#pending = this.#pending.subarray(end + 4)
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
    if (status < 200) return true
    const id = /\r\nx-gatewright-request-id: (.+)\r\n/i.exec(head)?.[1]
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1]
    const empty = this.#methods[this.complete] === 'HEAD' || status === 204 || status === 304
    const left = empty
      ? 0
      : length !== undefined
        ? Number(length)
        : /\r\ntransfer-encoding: chunked/i.test(head)
          ? 'chunked'
          : 'close'
    this.#answer = { status, id, left }
    this.heard.push({ status, id, whole: false })
    return true
  }

  #body(answer: { status: number; id: string | undefined; left: number | 'chunked' | 'close' }): boolean {
    if (answer.left === 'close') return false
    if (answer.left === 'chunked') return this.#chunk(answer.status, answer.id)
    if (this.#pending.length < answer.left) return false
    this.#pending = this.#pending.subarray(answer.left)
    return this.#finish(answer.status, answer.id)
  }

  #chunk(status: number, id: string | undefined): boolean {
    const lineEnd = this.#pending.indexOf('\r\n')
    if (lineEnd < 0) return false
    const size = Number.parseInt(this.#pending.toString('latin1', 0, lineEnd), 16)
    const end = lineEnd + 2 + size + 2
    if (this.#pending.length < end) return false
    this.#pending = this.#pending.subarray(end)
    return size === 0 ? this.#finish(status, id) : true
  }

  #finish(status: number, id: string | undefined): boolean {
    this.heard[this.heard.length - 1] = { status, id, whole: true }
    this.complete += 1
    this.#answer = undefined
    return true
  }
}
