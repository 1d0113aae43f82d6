// Runs every test/cases/*.txt through a whole proxy with a scripted upstream. A case gives a policy, what the client
// sends and what the upstream answers; it states what the upstream sees, what the client sees and what the audit log
// says. UPDATE=1 rewrites the statements.
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { auditLines, untilOutcomes, type AuditLine } from './support/audit-lines.ts'
import { readCase, writeCase, type CaseFile, type CaseSection } from './support/case-file.ts'
import { ManualClock } from './support/clock.ts'
import { startGateway, type TestGateway } from './support/gateway.ts'
import { requestText, sendRaw, type RawAnswer } from './support/raw-http.ts'
import { scriptedUpstream, type ScriptedUpstream } from './support/scripted-upstream.ts'

const folder = join(import.meta.dirname, 'cases')
const update = process.env['UPDATE'] === '1'

for (const name of readdirSync(folder)
  .filter((file) => file.endsWith('.txt'))
  .sort()) {
  t.test(basename(name, '.txt'), async (t) => {
    const path = join(folder, name)
    const written = readCase(path)
    const happened = await play(written)
    if (update) writeCase(path, happened)
    else t.same(happened.sections, written.sections, written.about)
  })
}

/** The case with every statement replaced by what really happened. */
async function play(written: CaseFile): Promise<CaseFile> {
  const upstream = await scriptedUpstream()
  const policy = written.sections.find((section) => section.name === 'policy')?.text ?? ''
  const gateway = await startGateway(withUpstream(policy, upstream.url), {
    clock: new ManualClock(),
    random: () => 0.5,
  })
  try {
    const sections: CaseSection[] = []
    const exchange: Exchange = { gateway, upstream, answer: undefined, sent: 0, seen: 0, recorded: 0 }
    for (const section of written.sections) {
      const text = await step(section, exchange, written.sections)
      sections.push({ ...section, text: `${text.trimEnd()}\n` })
    }
    return { about: written.about, sections }
  } finally {
    await gateway.close()
    await upstream.close()
  }
}

type Exchange = {
  readonly gateway: TestGateway
  readonly upstream: ScriptedUpstream
  answer: RawAnswer | undefined
  sent: number
  /** Requests at the upstream and audit lines that earlier statements were about. */
  seen: number
  recorded: number
}

async function step(section: CaseSection, exchange: Exchange, all: readonly CaseSection[]): Promise<string> {
  switch (section.name) {
    case 'client sends':
      // Answers are written below the request that asks for them, and must be there before it.
      for (const answer of answersTo(section, all)) exchange.upstream.next(answerBytes(answer.text))
      exchange.sent += 1
      exchange.answer = await sendRaw(exchange.gateway.gateway.data.port, requestBytes(section.text))
      return section.text
    case 'client sees':
      return exchange.answer === undefined ? '' : clientText(exchange.answer)
    case 'upstream sees':
      return upstreamText(exchange)
    case 'audit says':
      return auditText(exchange)
    default:
      return section.text
  }
}

function answersTo(request: CaseSection, all: readonly CaseSection[]): CaseSection[] {
  const following = all.slice(all.indexOf(request) + 1)
  const next = following.findIndex((section) => section.name === 'client sends')
  return following.slice(0, next === -1 ? undefined : next).filter((section) => section.name === 'upstream answers')
}

/** Every case talks to one scripted upstream; `UPSTREAM` in the policy stands for its address. */
function withUpstream(policy: string, url: string): string {
  return policy.replaceAll('UPSTREAM', url)
}

/** First line: method and target; then headers; an empty line; the body. */
function requestBytes(text: string): string {
  const [head = '', ...rest] = text.split('\n\n')
  const [first = '', ...lines] = head.trim().split('\n')
  const [method = '', target = ''] = first.split(' ')
  const body = rest.join('\n\n').trimEnd()
  return requestText(method, target, headersOf(lines), body === '' ? undefined : body)
}

/** First line: the status; then headers; an empty line; the body. `(cut)` at the end breaks the connection there. */
function answerBytes(
  text: string,
): (scene: { write(bytes: string): Promise<void>; reset(): void; end(): void }) => Promise<void> {
  const [head = '', ...rest] = text.split('\n\n')
  const [status = '200', ...lines] = head.trim().split('\n')
  const cut = text.trimEnd().endsWith('(cut)')
  const content = rest
    .join('\n\n')
    .trimEnd()
    .replace(/\(cut\)$/, '')
  const headers = headersOf(lines)
  const isStream = headers['content-type'] === 'text/event-stream'
  const isLines = headers['content-type'] === 'application/x-ndjson'
  const body = isStream ? `${content.trimEnd()}\n\n` : isLines ? `${content}\n` : content
  const framing = isStream
    ? { 'transfer-encoding': 'chunked' }
    : { 'content-length': String(Buffer.byteLength(body) + (cut ? 100 : 0)) }
  const headLines = Object.entries({ ...headers, ...framing }).map(([name, value]) => `${name}: ${value}\r\n`)
  const chunks = isStream
    ? body.split(/(?<=\n\n)/).map((event) => `${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`)
    : [body]
  return async (scene) => {
    await scene.write(`HTTP/1.1 ${status} X\r\n${headLines.join('')}\r\n`)
    for (const chunk of chunks) await scene.write(chunk)
    if (cut) scene.end()
    else if (isStream) await scene.write('0\r\n\r\n')
  }
}

function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1).trim()]),
  )
}

/** Headers that say nothing about the case. */
const unremarkable = new Set([
  'date',
  'connection',
  'keep-alive',
  'content-length',
  'transfer-encoding',
  'x-gatewright-request-id',
  'x-request-id',
  'request-id',
  'host',
])

function clientText(answer: RawAnswer): string {
  const cut = answer.end === 'cut' ? '(cut)\n' : ''
  return normalised(`${answer.status}\n${headerLines(answer.headers)}\n${answer.body.trimEnd()}\n${cut}`)
}

function upstreamText(exchange: Exchange): string {
  const requests = exchange.upstream.requests.slice(exchange.seen)
  exchange.seen += requests.length
  if (requests.length === 0) return '(nothing)\n'
  return requests
    .map(({ method, target, headers, body }) =>
      normalised(`${method} ${target}\n${headerLines(headers)}\n${body.toString('utf8').trimEnd()}\n`),
    )
    .join('\n')
}

function headerLines(headers: readonly string[]): string {
  const lines: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase()
    if (!unremarkable.has(name)) lines.push(`${name}: ${headers[i + 1]}\n`)
  }
  return lines.sort().join('')
}

/** What differs from run to run, or is the log's own business. */
const leftOut = new Set([
  'i',
  't',
  'prev',
  'config',
  'durationUs',
  'request',
  'ip',
  'digestRequest',
  'digestForwarded',
  'bytesIn',
  'bytesOut',
])

/** The outcome is recorded when the exchange ends, which the client sees a moment before. */
async function auditText(exchange: Exchange): Promise<string> {
  const lines = await settled(exchange)
  const fresh = lines.slice(exchange.recorded)
  exchange.recorded = lines.length
  return fresh
    .map(({ kind, ...fields }) => {
      const kept = Object.entries(fields).filter(([name]) => !leftOut.has(name))
      return `${kind}\n${kept.map(([name, value]) => `  ${name}: ${JSON.stringify(value)}\n`).join('')}`
    })
    .join('')
}

async function settled({ gateway, sent }: Exchange): Promise<AuditLine[]> {
  await untilOutcomes(gateway.auditDir, sent)
  return auditLines(gateway.auditDir).filter(({ kind }) => kind === 'intent' || kind === 'outcome')
}

function normalised(text: string): string {
  // Tokens are derived from the log's key, which is new in every run.
  return (
    text
      .replaceAll(/req_[0-9a-f]{32}/g, 'req_ID')
      .replaceAll(/EMAIL_(?!x{10})[0-9a-z]{10}/g, 'EMAIL_TOKEN')
      // And so are the codes that bind places in a stream to their caller.
      .replaceAll(/^(id: \S+)\.[\w-]{22}$/gm, '$1.CODE')
      .replaceAll(/\r\n/g, '\n')
  )
}
