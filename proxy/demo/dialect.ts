// Owns the interface of a wire format of the demo upstream, and the rendering of an answer in one.
import { createHash } from 'node:crypto'
import { answerTo, type Question, type Said } from './model.ts'
import type { Switches } from './switches.ts'

export interface Dialect {
  /** Paths here are relative to the dialect's own base path. */
  serves(method: string, path: string): boolean
  /** Answers that no model gives: lists and counts. */
  fixed(method: string, path: string, body: object): object | undefined
  /** Undefined: the request has not the shape of this format. */
  read(body: object): Question | undefined
  whole(question: Question, said: Said, id: string): object
  events(question: Question, said: Said, id: string, body: object): string[]
  error(status: number, message: string): object
  errorEvent(message: string): string
}

/** An answer ready to be sent. One that does not stream has a single event: its body. */
export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly events: readonly Buffer[]
  readonly inBandError: Buffer
  readonly switches: Switches
  /** What is sent instead while the `fail` switch holds. */
  readonly failure?: Answer
}

/** The answer to one request: the same bytes for the same method, path and body. */
export function render(dialect: Dialect, method: string, path: string, text: string): Answer {
  const body = parseObject(text)
  const fixed = dialect.fixed(method, path, body ?? {})
  if (fixed !== undefined) return jsonAnswer(200, fixed)
  const refuse = (status: number, message: string): Answer => jsonAnswer(status, dialect.error(status, message))
  if (!dialect.serves(method, path)) return refuse(404, `The demo does not serve ${method} ${path}.`)
  const question = body === undefined ? undefined : dialect.read(body)
  if (body === undefined || question === undefined) return refuse(400, 'This is not a request of this format.')

  const said = answerTo(question)
  // An answer that does not stream has no middle to fail in.
  const fails = said.switches.error !== undefined && !question.stream
  const switches: Switches = fails ? { ...said.switches, fail: { status: 500, times: Infinity } } : said.switches
  const id = createHash('sha256').update(text).digest('hex').slice(0, 24)
  const failed = failureOf(switches, (status, message) => dialect.error(status, message))
  if (!question.stream) return { ...jsonAnswer(200, dialect.whole(question, said, id), switches), ...failed }
  return {
    status: 200,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'request-id': `req_${id}`,
    },
    events: dialect.events(question, said, id, body).map((event) => Buffer.from(event)),
    inBandError: Buffer.from(dialect.errorEvent('The demo was told to fail here.')),
    switches,
    ...failed,
  }
}

export function jsonAnswer(status: number, body: object, switches: Switches = noSwitches): Answer {
  const bytes = Buffer.from(JSON.stringify(body))
  const headers = { 'content-type': 'application/json', 'content-length': String(bytes.length) }
  return { status, headers, events: [bytes], inBandError: Buffer.alloc(0), switches }
}

export function failureOf(
  { fail }: Switches,
  error: (status: number, message: string) => object,
): { failure?: Answer } {
  if (fail === undefined) return {}
  const answer = jsonAnswer(fail.status, error(fail.status, 'The demo was told to fail.'))
  if (fail.retryAfter === undefined) return { failure: answer }
  return { failure: { ...answer, headers: { ...answer.headers, 'retry-after': fail.retryAfter } } }
}

const noSwitches: Switches = { calls: [] }

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
