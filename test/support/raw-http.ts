// A client on a bare socket: sends exactly the bytes it is told, and reads one answer with everything a test wants to
// see of it, how it ended included.
import { connect } from 'node:net'

export type RawAnswer = {
  readonly status: number
  /** Flat list in wire order. */
  readonly headers: readonly string[]
  readonly body: string
  /** `complete`: by its own framing. `cut`: the connection ended before that. */
  readonly end: 'complete' | 'cut'
  header(name: string): string | undefined
}

/** Sends `bytes` on a connection of its own and waits for one answer. */
export function sendRaw(port: number, bytes: string | Uint8Array, host = '127.0.0.1'): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host })
    const chunks: Buffer[] = []
    const settle = (): void => {
      const answer = parseAnswer(Buffer.concat(chunks))
      if (answer === undefined)
        reject(new Error(`no answer: ${JSON.stringify(Buffer.concat(chunks).toString('latin1'))}`))
      else resolve(answer)
    }
    socket.on('connect', () => socket.write(bytes))
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (parseAnswer(Buffer.concat(chunks))?.end === 'complete') {
        socket.destroy()
        settle()
      }
    })
    socket.on('error', () => {})
    socket.on('close', settle)
  })
}

/** A request's head and body with exact framing. */
export function requestText(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): string {
  const all: Record<string, string> = { host: 'gateway.test', ...headers }
  if (body !== undefined) all['content-length'] = String(Buffer.byteLength(body))
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return `${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}

function parseAnswer(bytes: Buffer): RawAnswer | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n')
  const headers = lines.flatMap((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  const header = (name: string): string | undefined => {
    const at = headers.findIndex((value, index) => index % 2 === 0 && value.toLowerCase() === name)
    return at === -1 ? undefined : headers[at + 1]
  }
  const status = Number(statusLine.split(' ')[1])
  return { status, headers, header, ...readBody(bytes.subarray(headEnd + 4), header, status) }
}

function readBody(
  rest: Buffer,
  header: (name: string) => string | undefined,
  status: number,
): { body: string; end: 'complete' | 'cut' } {
  if (status === 204 || status === 304) return { body: '', end: 'complete' }
  if (header('transfer-encoding') === 'chunked') return readChunks(rest)
  const length = Number(header('content-length') ?? Number.NaN)
  const body = rest.subarray(0, Number.isNaN(length) ? undefined : length)
  return { body: body.toString('utf8'), end: body.length === length ? 'complete' : 'cut' }
}

function readChunks(rest: Buffer): { body: string; end: 'complete' | 'cut' } {
  const pieces: Buffer[] = []
  for (let at = 0; ;) {
    const lineEnd = rest.indexOf('\r\n', at)
    if (lineEnd === -1) break
    const size = Number.parseInt(rest.subarray(at, lineEnd).toString('latin1'), 16)
    const start = lineEnd + 2
    if (size === 0 && rest.length >= start + 2) return { body: Buffer.concat(pieces).toString('utf8'), end: 'complete' }
    if (rest.length < start + size + 2) {
      pieces.push(rest.subarray(start, start + size))
      break
    }
    pieces.push(rest.subarray(start, start + size))
    at = start + size + 2
  }
  return { body: Buffer.concat(pieces).toString('utf8'), end: 'cut' }
}
