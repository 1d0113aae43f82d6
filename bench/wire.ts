// Owns the cheapest reading of HTTP/1.1 messages that the bench's own ends can do with: where a message ends, and its
// head as text. It trusts its peer (the bench itself and proxies under test), so it is no parser for anything else.

const headEnd = Buffer.from('\r\n\r\n')
const lengthRegExp = /\r\ncontent-length: *(\d+)/i
const chunkedRegExp = /\r\ntransfer-encoding: *chunked/i

export type OnMessage = (head: string) => void

/** Feed it what arrives on one connection; `onHead` and `onMessage` are called for each message in turn. */
export class MessageReader {
  readonly #onHead: OnMessage
  readonly #onMessage: OnMessage
  #head = ''
  /** Bytes of a head that has not ended yet. */
  #partial: Buffer | undefined
  /** Text of a chunk-size or trailer line that has not ended yet. */
  #line = ''
  #state: 'head' | 'body' | 'size' | 'chunk' | 'trailer' = 'head'
  /** Of the body, or of the chunk with its line end. */
  #bytesLeft = 0

  constructor(onHead: OnMessage, onMessage: OnMessage) {
    this.#onHead = onHead
    this.#onMessage = onMessage
  }

  /** Whether the connection is between two messages. */
  get idle(): boolean {
    return this.#state === 'head' && this.#partial === undefined
  }

  push(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) at = this.#step(bytes, at)
  }

  #step(bytes: Buffer, at: number): number {
    if (this.#state === 'head') return this.#readHead(bytes, at)
    if (this.#state === 'size' || this.#state === 'trailer') return this.#readLine(bytes, at)
    const taken = Math.min(this.#bytesLeft, bytes.length - at)
    this.#bytesLeft -= taken
    if (this.#bytesLeft === 0) {
      if (this.#state === 'body') this.#finish()
      else this.#state = 'size'
    }
    return at + taken
  }

  #readHead(bytes: Buffer, at: number): number {
    const before = this.#partial?.length ?? 0
    const all = this.#partial === undefined ? bytes : Buffer.concat([this.#partial, bytes.subarray(at)])
    const from = this.#partial === undefined ? at : 0
    const end = all.indexOf(headEnd, from)
    if (end === -1) {
      this.#partial = Buffer.from(all.subarray(from))
      return bytes.length
    }
    this.#partial = undefined
    this.#head = all.toString('latin1', from, end)
    this.#begin()
    return end + headEnd.length - from - before + at
  }

  #begin(): void {
    this.#onHead(this.#head)
    if (chunkedRegExp.test(this.#head)) {
      this.#state = 'size'
      return
    }
    this.#bytesLeft = Number(lengthRegExp.exec(this.#head)?.[1] ?? 0)
    if (this.#bytesLeft === 0) this.#finish()
    else this.#state = 'body'
  }

  #readLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(10, at)
    this.#line += bytes.toString('latin1', at, end === -1 ? bytes.length : end)
    if (end === -1) return bytes.length
    const line = this.#line.trimEnd()
    this.#line = ''
    if (this.#state === 'size') {
      const sizeBytes = Number.parseInt(line, 16)
      this.#state = sizeBytes === 0 ? 'trailer' : 'chunk'
      this.#bytesLeft = sizeBytes + 2
    } else if (line === '') this.#finish()
    return end + 1
  }

  #finish(): void {
    this.#state = 'head'
    this.#onMessage(this.#head)
  }
}
