// A WebSocket client on a bare socket: it masks, fragments and breaks rules just as a test wants it to.
import { connect } from 'node:net'

export type Frame = { readonly opcode: number; readonly fin: boolean; readonly payload: Buffer }

export type RawSocket = {
  /** Of the handshake: status line and headers. */
  readonly head: string
  send(bytes: Uint8Array): void
  /** Everything that comes until the other side ends the connection. */
  readonly rest: Promise<Buffer>
  destroy(): void
}

/** RFC 6455 section 5.2. */
export function frame(
  opcode: number,
  payload: string | Uint8Array = '',
  { fin = true, rsv = 0, masked = true }: { fin?: boolean; rsv?: number; masked?: boolean } = {},
): Buffer {
  const bytes = Buffer.from(payload as Uint8Array)
  const length =
    bytes.length < 126
      ? Buffer.from([bytes.length])
      : bytes.length < 65_536
        ? Buffer.from([126, bytes.length >> 8, bytes.length & 255])
        : Buffer.concat([Buffer.from([127, 0, 0, 0, 0]), uint32(bytes.length)])
  length[0] = (length[0] as number) | (masked ? 0x80 : 0)
  const mask = Buffer.from([1, 2, 3, 4])
  const body = masked ? bytes.map((byte, at) => byte ^ (mask[at % 4] as number)) : bytes
  const first = Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode])
  return Buffer.concat(masked ? [first, length, mask, body] : [first, length, body])
}

export function closeFrame(code: number | undefined, reason = ''): Buffer {
  if (code === undefined) return frame(8)
  return frame(8, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]))
}

/** Resolves once the head of the answer is there. */
export function openRaw(port: number, path: string, headers: Readonly<Record<string, string>>): Promise<RawSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const lines = Object.entries({ ...handshake, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
    let received = Buffer.alloc(0)
    let head: string | undefined
    let finish: (rest: Buffer) => void = () => {}
    const rest = new Promise<Buffer>((resolveRest) => (finish = resolveRest))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      const end = head === undefined ? received.indexOf('\r\n\r\n') : -1
      if (end === -1) return
      head = received.toString('latin1', 0, end)
      received = received.subarray(end + 4)
      resolve({ head, rest, send: (bytes) => void socket.write(bytes), destroy: () => socket.destroy() })
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      finish(received)
      reject(new Error('no answer'))
    })
  })
}

/** The whole frames in what a server sent. */
export function framesIn(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at + 2 <= bytes.length;) {
    const short = (bytes[at + 1] as number) & 127
    const wide = short === 126 ? 2 : short === 127 ? 8 : 0
    if (at + 2 + wide > bytes.length) break
    const length = wide === 0 ? short : wide === 2 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    const start = at + 2 + wide
    if (start + length > bytes.length) break
    const first = bytes[at] as number
    frames.push({ opcode: first & 15, fin: first >= 128, payload: bytes.subarray(start, start + length) })
    at = start + length
  }
  return frames
}

/** The code of the goodbye among them. */
export function closeCodeIn(frames: readonly Frame[]): number | undefined {
  const close = frames.find(({ opcode }) => opcode === 8)
  return close === undefined || close.payload.length < 2 ? undefined : close.payload.readUInt16BE(0)
}

const handshake = {
  host: 'gateway.test',
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
