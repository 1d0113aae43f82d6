// Owns one case of fuzzing as plain data, so that it can be shrunk and printed: a seed and everything that is done to its
// request, to how that is sent, and to the upstream's answer; and the bytes that come of it.
import * as fc from 'fast-check'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { damage, damaged, damages, hostileText, type Damage } from './fuzz-json.ts'
import { seedGroups, type Seed } from './fuzz-seeds.ts'
import type { Play } from './fuzz-wire.ts'

export type RequestCase = {
  readonly group: number
  readonly seed: number
  readonly damages: Damage[]
  readonly bytes: Spoiling | null
  readonly encoding: (typeof encodings)[number]
  readonly headers: HeaderDamage[]
  readonly method: string | null
  readonly target: string | null
  readonly chunked: boolean
}

export type Case = {
  readonly requests: RequestCase[]
  readonly raw: string | null
  readonly pieceBytes: number
  readonly cut: { readonly permille: number; readonly how: 'end' | 'reset' } | null
  readonly leaveAt: number | null
  readonly answer: AnswerCase
}

export type AnswerCase = {
  readonly pick: number
  readonly damages: Damage[]
  readonly events: EventDamage[]
  readonly bytes: Spoiling | null
  readonly encoding: (typeof encodings)[number]
  readonly status: number
  readonly head: string
  readonly framing: (typeof framings)[number]
  readonly type: string | null
  readonly raw: string | null
  readonly pieces: number
  readonly cut: { readonly permille: number; readonly how: 'end' | 'reset' } | null
}

type Spoiling = { readonly how: (typeof spoilings)[number]; readonly permille: number }
type HeaderDamage = { readonly how: 'drop' | 'repeat' | 'replace' | 'add'; readonly at: number; readonly line: string }
type EventDamage = {
  readonly how: (typeof eventDamages)[number]
  readonly at: number
  readonly damage: Damage
  readonly text: string
}

const encodings = ['', 'gzip', 'br', 'zstd', 'gzip-lie', 'gzip-twice', 'gzip-cut', 'bomb'] as const
const spoilings = ['cut', 'flip', 'bad-utf8', 'bom', 'utf16', 'prefix', 'twice', 'nul'] as const
const framings = ['length', 'chunked', 'close', 'short', 'long', 'both', 'bad-chunk'] as const
const eventDamages = ['drop', 'repeat', 'swap', 'damage', 'damage', 'damage', 'glue', 'line', 'huge', 'crlf'] as const

const types = [
  'application/json',
  'application/json; charset=utf-8',
  'application/json; charset=utf-16',
  'application/problem+json',
  'application/x-ndjson',
  'text/event-stream',
  'text/event-stream; charset=latin1',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/octet-stream',
  'image/png',
  'json',
  ';;',
  '',
]

const headerLines = [
  ...types.map((type) => `content-type: ${type}`),
  'content-encoding: gzip, br',
  'content-encoding: deflate',
  'content-encoding: x',
  'content-length: 5',
  'content-length: -1',
  'content-length: 99999999999',
  'transfer-encoding: chunked',
  'transfer-encoding: gzip, chunked',
  'transfer-encoding : chunked',
  'expect: 100-continue',
  'expect: x',
  'upgrade: websocket',
  'connection: upgrade',
  'connection: host, x-fuzz',
  'accept: */*',
  'accept: text/html',
  'accept-encoding: gzip;q=0',
  'authorization: Bearer x',
  'x-api-key: \u00e9\u00ff',
  'origin: null',
  'origin: https://evil.example',
  'host: evil.example',
  'host: ',
  'mcp-protocol-version: 1999-01-01',
  'mcp-session-id: \u0001',
  'mcp-method: tools/call',
  'mcp-name: =?base64?w6k=?=',
  'last-event-id: \u00ff',
  'range: bytes=0-1',
  'if-none-match: *',
  'x-change-id: CHG-1',
  'cookie: a=b',
  ' folded: yes',
  'no-colon',
  ': no name',
  'bad name: x',
  'x-nul: a\u0000b',
  'x-cr: a\rb',
  'x-big: ' + 'x'.repeat(20_000),
  ...Array<string>(3).fill(Array.from({ length: 120 }, (_, index) => `x-h${index}: y`).join('\r\n')),
]

const targets = [
  '*',
  '/',
  '//',
  'http://evil.example/openai/v1/chat/completions',
  '/openai/v1/v1/chat/completions',
  '/openai//v1//chat/completions',
  '/openai/chat/completions',
  '/openai/v1/responses/%2e%2e/x',
  '/openai/v1/unknown',
  '/opaque/v1/unknown/',
  '/opaque/v1/../x',
  '/opaque/v1/Chat/Completions/',
  '/openai/v1/files',
  '/anthropic/v1/messages/batches',
  '/gemini/v1beta/models/%00:generateContent',
  '/gemini/v1beta/models/' + 'x'.repeat(4_000) + ':generateContent',
  '/gemini/v1/publishers/google/models/__proto__:streamGenerateContent',
  '/ollama/api/pull',
  '/mcp/x',
  '/mcp?a=b',
  '/tools/crm/../../admin',
  '/tools/crm/%zz',
  '/tools/crm/a%2fb',
  '/tools/crm/\u00e9',
  '/tools/crm/a;b=c?x[]=1&x[]=2&__proto__=1&x=%ff',
  '/tools/crm/x?' + 'a=1&'.repeat(1_500),
  '/tools/crm/x?q=' + '%61'.repeat(3_000),
  '/unknown',
]

const rawRequests = [
  '',
  '\r\n\r\n',
  '\u0000\u0001\u0002',
  '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET / HTTP/0.9\r\n\r\n',
  'GET / HTTP/1.1\n\n',
  'GET  / HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET /tools/crm/x HTTP/1.0\r\n\r\n',
  'BREW / HTTP/1.1\r\nhost: x\r\n\r\n',
  'CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nhost: x\r\norigin: https://app.example\r\naccess-control-request-method: POST\r\n\r\n',
  'POST /tools/crm/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
  'POST /tools/crm/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1;' +
    'x'.repeat(20_000) +
    '\r\na\r\n0\r\n\r\n',
  'POST /tools/crm/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\ntrailer: x\r\n\r\n',
  'POST /tools/crm/x HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  'x'.repeat(20_000),
]

const rawAnswers = [
  '',
  'x',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n',
  'HTTP/1.1 abc\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nxx',
  'HTTP/1.1 103 Early\r\nlink: x\r\n\r\n'.repeat(200),
  'HTTP/1.1 200 OK\r\n' + 'x-a: b\r\n'.repeat(5_000) + '\r\n',
  'HTTP/1.1 200 OK\r\nx: ' + 'x'.repeat(200_000) + '\r\n\r\n',
  'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nx',
  'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
]

const answerHeads = [
  '',
  '',
  '',
  'x-nothing: 1',
  'set-cookie: a=b',
  'retry-after: 1',
  'retry-after: x',
  'mcp-session-id: s-1',
  'mcp-session-id: \u00ff',
  'location: http://evil.example/',
  'content-encoding: x',
  'connection: close',
  'x-gatewright-decision: allow',
  'x-bad: a\u0001b',
  'openai-processing-ms: 5',
]

/** Null `often` times as often as not. */
function rarely<T>(arbitrary: fc.Arbitrary<T>, often = 8): fc.Arbitrary<T | null> {
  return fc.oneof({ arbitrary: fc.constant(null), weight: often }, { arbitrary, weight: 1 })
}

const spoiling: fc.Arbitrary<Spoiling> = fc.record({
  how: fc.constantFrom(...spoilings),
  permille: fc.nat({ max: 1_000 }),
})
const cut = fc.record({ permille: fc.nat({ max: 1_000 }), how: fc.constantFrom('end' as const, 'reset' as const) })

const encoding: fc.Arbitrary<(typeof encodings)[number]> = fc.oneof(
  { arbitrary: fc.constant('' as const), weight: 9 },
  { arbitrary: fc.constantFrom(...encodings), weight: 1 },
)

const requestCase: fc.Arbitrary<RequestCase> = fc.record({
  group: fc.constantFrom(0, 0, 0, 1, 2),
  seed: fc.nat({ max: 200 }),
  damages: fc.oneof(
    { arbitrary: fc.constant<Damage[]>([]), weight: 2 },
    { arbitrary: fc.tuple(damage), weight: 2 },
    { arbitrary: damages, weight: 1 },
  ),
  bytes: rarely(spoiling, 20),
  encoding,
  headers: fc.oneof(
    { arbitrary: fc.constant<HeaderDamage[]>([]), weight: 3 },
    {
      arbitrary: fc.array(
        fc.record({
          how: fc.constantFrom('drop' as const, 'repeat' as const, 'replace' as const, 'add' as const, 'add' as const),
          at: fc.nat({ max: 10 }),
          line: fc.oneof(
            { arbitrary: fc.constantFrom(...headerLines), weight: 6 },
            { arbitrary: hostileText.map((text) => `x-fuzzed: ${text.slice(0, 4_000)}`), weight: 1 },
          ),
        }),
        { maxLength: 2 },
      ),
      weight: 1,
    },
  ),
  method: rarely(fc.constantFrom('GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'get'), 15),
  target: rarely(fc.constantFrom(...targets), 10),
  chunked: fc.boolean(),
})

const answerCase: fc.Arbitrary<AnswerCase> = fc.record({
  pick: fc.nat({ max: 200 }),
  damages,
  events: fc.array(
    fc.record({
      how: fc.constantFrom(...eventDamages),
      at: fc.nat({ max: 60 }),
      damage,
      text: hostileText,
    }),
    { maxLength: 3 },
  ),
  bytes: rarely(spoiling),
  encoding,
  status: fc.constantFrom(...Array<number>(20).fill(200), 201, 202, 204, 206, 301, 304, 400, 401, 404, 429, 500, 503),
  head: fc.constantFrom(...answerHeads),
  framing: fc.oneof(
    { arbitrary: fc.constantFrom('length' as const, 'chunked' as const), weight: 4 },
    { arbitrary: fc.constantFrom(...framings), weight: 1 },
  ),
  type: rarely(fc.constantFrom(...types)),
  raw: rarely(fc.constantFrom(...rawAnswers), 20),
  pieces: fc.constantFrom(1, 1, 2, 7, 40),
  cut: rarely(cut),
})

export const fuzzCase: fc.Arbitrary<Case> = fc.record({
  requests: fc.oneof(
    { arbitrary: fc.tuple(requestCase), weight: 9 },
    { arbitrary: fc.array(requestCase, { minLength: 2, maxLength: 4 }), weight: 1 },
  ),
  raw: rarely(fc.oneof(fc.constantFrom(...rawRequests), fc.string({ unit: 'binary', maxLength: 200 })), 25),
  pieceBytes: fc.constantFrom(1 << 20, 1 << 20, 1 << 20, 1_000, 64 * 1024),
  cut: rarely(cut, 12),
  leaveAt: rarely(fc.constantFrom(1, 200, 600, 2_000), 12),
  answer: answerCase,
})

function seedOf({ group, seed }: RequestCase): Seed {
  const seeds = seedGroups[group] ?? []
  return seeds[seed % seeds.length] as Seed
}

/** `mark` tells the upstream which answer is meant. */
export function playOf(made: Case, mark: string): Play {
  const last = made.requests.length - 1
  const requests = made.requests.map((request, index) => requestBytes(request, mark, index === last))
  const raw = made.raw === null ? [] : [Buffer.from(made.raw, 'latin1')]
  const bytes = Buffer.concat([...requests, ...raw])
  const at = made.cut === null ? undefined : Math.floor((bytes.length * made.cut.permille) / 1_000)
  const ended = made.cut === null || at === undefined ? undefined : { at, how: made.cut.how }
  // Bytes that are no request get no answer, so the conversation must end from this side.
  const end = made.raw === null ? undefined : ({ at: bytes.length, how: 'end' } as const)
  const over = ended ?? end
  return {
    bytes,
    pieceBytes: Math.max(made.pieceBytes, bytes.length >> 8),
    methods: made.requests.map((request) => request.method ?? seedOf(request).method),
    ...(over === undefined ? undefined : { cut: over }),
    ...(made.leaveAt === null ? undefined : { leaveAt: made.leaveAt }),
  }
}

function requestBytes(made: RequestCase, mark: string, last: boolean): Buffer {
  const seed = seedOf(made)
  const plain = spoiled(Buffer.from(damaged(seed.body ?? '', seed.body === undefined ? [] : made.damages)), made.bytes)
  const { body, encoding } = encoded(plain, made.encoding)
  const lines = seed.headers.map(([name, value]) => `${name}: ${value}`)
  for (const damage of made.headers) damageLines(lines, damage)
  if (encoding !== undefined && body.length > 0) lines.push(`content-encoding: ${encoding}`)
  const chunked = made.chunked && body.length > 0
  if (chunked) lines.push('transfer-encoding: chunked')
  else if (seed.body !== undefined) lines.push(`content-length: ${body.length}`)
  const head = [
    `${made.method ?? seed.method} ${made.target ?? seed.target} HTTP/1.1`,
    'host: 127.0.0.1',
    `x-fuzz: ${mark}`,
    ...lines,
    `connection: ${last ? 'close' : 'keep-alive'}`,
  ]
  const framed = chunked ? [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')] : [body]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), ...framed])
}

function damageLines(lines: string[], { how, at, line }: HeaderDamage): void {
  const index = lines.length === 0 ? 0 : at % lines.length
  if (how === 'drop') lines.splice(index, 1)
  if (how === 'repeat' && lines[index] !== undefined) lines.push(lines[index])
  if (how === 'replace') lines[index] = line
  if (how === 'add') lines.splice(index, 0, line)
}

function encoded(body: Buffer, how: (typeof encodings)[number]): { body: Buffer; encoding?: string } {
  if (how === 'gzip') return { body: gzipSync(body, { level: 1 }), encoding: 'gzip' }
  if (how === 'br') return { body: brotliCompressSync(body, { params: { 1: 1 } }), encoding: 'br' }
  if (how === 'zstd') return { body: zstdCompressSync(body), encoding: 'zstd' }
  if (how === 'gzip-lie') return { body, encoding: 'gzip' }
  if (how === 'gzip-twice') return { body: gzipSync(gzipSync(body, { level: 1 }), { level: 1 }), encoding: 'gzip' }
  if (how === 'gzip-cut') {
    const whole = gzipSync(body, { level: 1 })
    return { body: whole.subarray(0, whole.length >> 1), encoding: 'gzip' }
  }
  if (how === 'bomb') return { body: bomb, encoding: 'gzip' }
  return { body }
}

const bomb = gzipSync(Buffer.alloc(8 * 1024 ** 2, 0x20), { level: 9 })

function spoiled(body: Buffer, spoiling: Spoiling | null): Buffer {
  if (spoiling === null || body.length === 0) return body
  const at = Math.min(body.length - 1, Math.floor((body.length * spoiling.permille) / 1_000))
  const insert = (bytes: number[]): Buffer =>
    Buffer.concat([body.subarray(0, at), Buffer.from(bytes), body.subarray(at)])
  if (spoiling.how === 'cut') return body.subarray(0, at)
  if (spoiling.how === 'bad-utf8') return insert([0xc0, 0xaf, 0xed, 0xa0, 0x80])
  if (spoiling.how === 'nul') return insert([0])
  if (spoiling.how === 'bom') return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body])
  if (spoiling.how === 'utf16') return Buffer.from(body.toString('utf8'), 'utf16le')
  if (spoiling.how === 'prefix') return Buffer.concat([Buffer.from(")]}',\n"), body])
  if (spoiling.how === 'twice') return Buffer.concat([body, body])
  const flipped = Buffer.from(body)
  flipped[at] = (flipped[at] ?? 0) ^ (1 << (spoiling.permille & 7))
  return flipped
}

export type AnswerPlay = {
  readonly pieces: readonly Buffer[]
  readonly end: 'end' | 'reset' | 'keep'
}

export function answerOf(made: Case): AnswerPlay {
  const { answer } = made
  const answers = seedOf(made.requests[0] as RequestCase).answers
  const picked = answers[answer.pick % answers.length] ?? { type: 'text/plain', body: '' }
  const text =
    picked.type === 'application/json' || answer.events.length === 0
      ? damaged(picked.body, answer.damages)
      : damagedStream(picked.body, answer.events)
  const { body, encoding } = encoded(spoiled(Buffer.from(text), answer.bytes), answer.encoding)
  const lines = [`content-type: ${answer.type ?? picked.type}`]
  if (encoding !== undefined) lines.push(`content-encoding: ${encoding}`)
  if (answer.head !== '') lines.push(answer.head)
  const bytes = answer.raw === null ? framed(answer, lines, body) : Buffer.from(answer.raw, 'latin1')
  const end = answer.cut === null ? bytes.length : Math.floor((bytes.length * answer.cut.permille) / 1_000)
  const pieceBytes = Math.max(1, Math.ceil(end / answer.pieces))
  const pieces: Buffer[] = []
  for (let at = 0; at < end; at += pieceBytes) pieces.push(bytes.subarray(at, Math.min(end, at + pieceBytes)))
  const whole = answer.raw === null && (answer.framing === 'length' || answer.framing === 'chunked')
  return { pieces, end: answer.cut?.how ?? (whole ? 'keep' : 'end') }
}

function framed({ status, framing }: AnswerCase, lines: string[], body: Buffer): Buffer {
  const chunk = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')])
  const [headers, content] = ((): [string[], Buffer] => {
    if (status === 204 || status === 304) return [[], Buffer.alloc(0)]
    if (framing === 'length') return [[`content-length: ${body.length}`], body]
    if (framing === 'short') return [[`content-length: ${body.length >> 1}`], body]
    if (framing === 'long') return [[`content-length: ${body.length + 10}`], body]
    if (framing === 'close') return [['connection: close'], body]
    const chunks = body.length === 0 ? Buffer.alloc(0) : chunk
    if (framing === 'bad-chunk') return [['transfer-encoding: chunked'], Buffer.concat([chunks, Buffer.from('zz\r\n')])]
    const last = Buffer.concat([chunks, Buffer.from('0\r\n\r\n')])
    if (framing === 'both') return [['transfer-encoding: chunked', `content-length: ${body.length}`], last]
    return [['transfer-encoding: chunked'], last]
  })()
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status} Fuzzed\r\n${[...lines, ...headers].join('\r\n')}\r\n\r\n`, 'latin1'),
    content,
  ])
}

/** Server-sent events or JSON lines. */
function damagedStream(text: string, events: readonly EventDamage[]): string {
  const separator = text.includes('data:') ? '\n\n' : '\n'
  const parts = text.split(separator).filter((part) => part !== '')
  for (const { how, at, damage: done, text: hostile } of events) {
    const index = at % Math.max(1, parts.length)
    const part = parts[index] ?? ''
    const [, before = '', json = ''] = /^([^]*?data: ?|)(.*)$/s.exec(part) ?? []
    if (how === 'drop') parts.splice(index, 1)
    if (how === 'repeat') parts.splice(index, 0, part, part)
    if (how === 'swap') parts.push(...parts.splice(index, 1))
    if (how === 'damage') parts[index] = `${before}${damaged(json, [done])}`
    if (how === 'glue') parts.splice(index, 2, `${part}\n${parts[index + 1] ?? ''}`)
    if (how === 'line') parts[index] = `${hostile.slice(0, 2_000)}\n${part}`
    if (how === 'huge') parts[index] = `${part}${'x'.repeat(200_000)}`
    if (how === 'crlf') parts[index] = part.replaceAll('\n', at % 2 === 0 ? '\r\n' : '\r')
  }
  return parts.join(separator) + separator
}
