// One value that a `block` redaction catches stands in every field that the adapters declare and in every other that the
// types of the official SDKs have, one field at a time, on the way out and back, whole and streamed, through a whole proxy. Where a field is enforced it reaches nobody, and the same
// exchange with a harmless value goes through: so it was the value that was stopped. What cannot be read is in the record.
import { createServer, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { coverage } from '../../proxy/protocol/coverage.ts'
import type { Fields, OperationCoverage } from '../../proxy/protocol/posture.ts'
import type { Operation, Protocol, ProtocolName } from '../../proxy/protocol/protocol.ts'
import { protocols } from '../../proxy/protocol/protocols.ts'
import { untilOutcomes, type AuditLine } from '../support/audit-lines.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { requestText, sendRaw } from '../support/raw-http.ts'
import { parseField } from '../support/planted-document.ts'
import { publishedFields } from '../support/published-fields.ts'
import { answerOf, methodAndPath, requestOf, streamOf, type Body } from '../support/planted-exchange.ts'

const secret = 'ada@example.org'
const harmless = 'hello'
const encoded = Buffer.from(secret).toString('base64')

type Way = 'request' | 'answer' | 'stream'
type Trial = {
  readonly name: string
  readonly protocol: ProtocolName
  readonly operation: Operation
  readonly call: OperationCoverage
  readonly way: Way
  readonly field: string
  readonly values: readonly unknown[]
  /** What may not get through, or the label under which the record must have it. */
  readonly expects: 'stopped' | 'passed' | { readonly label: string }
}
type Ended = { readonly id: string; readonly sent: string; readonly seen: string }

const answersByTrial = new Map<string, Body>()
const sentByTrial = new Map<string, string>()

const upstream = createServer((request, response) => {
  const trial = String(request.headers['x-trial'])
  void text(request).then((body) => {
    sentByTrial.set(trial, body)
    const answer = answersByTrial.get(trial)
    response.writeHead(200, { 'content-type': answer?.type ?? 'application/json' })
    response.end(answer?.text ?? '{}')
  })
})

async function text(message: IncomingMessage): Promise<string> {
  let whole = ''
  try {
    for await (const chunk of message.setEncoding('utf8')) whole += chunk as string
  } catch {
    // It was broken off: what came before counts.
  }
  return whole
}

t.test('a planted value reaches nobody', { timeout: 120_000 }, async (t) => {
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const gateway = await startGateway(policy((upstream.address() as AddressInfo).port))
  try {
    const trials = allTrials()
    const ended = await inTurns(trials, (trial, number) => run(gateway, trial, String(number)))
    const records = await recordsOf(gateway, trials.length)
    const wrong = trials.flatMap((trial, at) => judge(trial, ended[at] as Ended, records))
    t.same(wrong, [])
    t.comment(`${trials.length} exchanges`)
  } finally {
    await gateway.close()
    upstream.close()
  }
})

function policy(port: number): string {
  const names = Object.keys(coverage)
  return JSON.stringify({
    server: { publicNames: ['gateway.test'] },
    // A sample that a reader refuses must not close the way for the others.
    upstreams: Object.fromEntries(
      names.map((name) => [
        name,
        { protocol: name, url: `http://127.0.0.1:${port}`, breaker: { consecutive: 9999, minimum: 9999 } },
      ]),
    ),
    routes: names.map((name) => ({ id: name, path: `/${name}`, upstream: name })),
    principals: [
      {
        id: 'agent',
        org: 'acme',
        keys: [{ sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' }],
      },
    ],
    audit: { durability: 'batch' },
    defaultEffect: 'allow',
    redaction: [{ id: 'stop', direction: 'both', detect: ['email'], action: 'block' }],
  })
}

function allTrials(): Trial[] {
  const trials: Trial[] = []
  for (const [name, protocol] of protocols) {
    for (const call of [...coverage[name as ProtocolName], ...publishedFields(name as ProtocolName)]) {
      const operation = operationOf(protocol, call)
      if (operation === undefined) continue
      for (const way of ['request', 'answer', 'stream'] as const)
        trials.push(...trialsOf(protocol, operation, call, way))
    }
  }
  return trials
}

function operationOf(protocol: Protocol, call: OperationCoverage): Operation | undefined {
  return protocol.resolve(...methodAndPath(call))
}

function trialsOf(protocol: Protocol, operation: Operation, call: OperationCoverage, way: Way): Trial[] {
  const { enforced = [], opaque = {} }: Fields = call[way] ?? {}
  const trial = (field: string, values: readonly unknown[], expects: Trial['expects'], kind: string): Trial => ({
    name: `${protocol.name} ${operation.name} ${way} ${field} (${kind})`,
    protocol: protocol.name,
    operation,
    call,
    way,
    field,
    values,
    expects,
  })
  return [
    ...enforced.flatMap((field) => [
      trial(field, [shaped(field, secret)], 'stopped', 'whole'),
      trial(field, [shaped(field, harmless)], 'passed', 'harmless'),
      ...(parseField(field).grows ? [trial(field, halves(shaped(field, secret)), 'stopped', 'in pieces')] : []),
    ]),
    ...Object.entries(opaque).map(([field, label]) =>
      trial(
        field,
        [label === 'tokens' ? 1 : encoded],
        { label: `${way === 'request' ? way : 'answer'}:${label}` },
        label,
      ),
    ),
  ]
}

/** Where a format takes nothing but JSON or an address, the value stands in that. */
function shaped(field: string, value: string): string {
  if (/(^|\.)(arguments|partial_json)( \+)?$|arguments\.delta/.test(field)) return JSON.stringify({ to: value })
  return field.startsWith('elicitation/create') && field.endsWith('.url') ? `https://a.example/${value}` : value
}

function halves(value: string): [string, string] {
  const at = value.indexOf('@') - 1
  return at < 0 ? [value, value] : [value.slice(0, at), value.slice(at)]
}

async function inTurns<A, B>(entries: readonly A[], work: (entry: A, at: number) => Promise<B>): Promise<B[]> {
  const results: B[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let at = next++; at < entries.length; at = next++) results[at] = await work(entries[at] as A, at)
  }
  await Promise.all(Array.from({ length: 64 }, worker))
  return results
}

async function run(gateway: TestGateway, trial: Trial, number: string): Promise<Ended> {
  const { protocol, operation, call, way, field, values } = trial
  const body = way === 'request' ? requestOf(protocol, operation, field, values[0]) : requestOf(protocol, operation)
  if (way === 'stream') answersByTrial.set(number, streamOf(protocol, operation, field, values))
  else
    answersByTrial.set(
      number,
      way === 'answer' ? answerOf(protocol, operation, field, values[0]) : answerOf(protocol, operation),
    )
  const [method, path, query] = methodAndPath(call)
  const headers = {
    authorization: 'Bearer test',
    'x-trial': number,
    accept: 'application/json, text/event-stream',
    ...(body === undefined ? undefined : { 'content-type': body.type }),
  }
  const bytes = requestText(method, `/${protocol}${path}?${query}`, headers, body?.text)
  const answer = await sendRaw(gateway.gateway.data.port, bytes)
  const id = answer.header('x-gatewright-request-id') ?? ''
  return { id, sent: sentByTrial.get(number) ?? '', seen: answer.body }
}

async function recordsOf({ auditDir }: TestGateway, count: number): Promise<ReadonlyMap<string, AuditLine>> {
  const outcomes = await untilOutcomes(auditDir, count)
  return new Map(outcomes.map((line) => [String(line['request']), line]))
}

/** What is wrong with how it ended; empty where nothing is. */
function judge(
  { name, way, expects }: Trial,
  { id, sent, seen }: Ended,
  records: ReadonlyMap<string, AuditLine>,
): string[] {
  const record = records.get(id)
  const reached = way === 'request' ? sent : seen
  const say = (what: string): string[] => [
    `${name}: ${what} ${JSON.stringify(record?.['fault'] ?? '')} ${seen.slice(0, 200)}`,
  ]
  if (record === undefined) return say('is not in the record')
  if (expects === 'stopped') {
    if (reached.includes('example.org')) return say('LEAKED')
    return record['fault'] === 'content-blocked' ? [] : say('was stopped by something else')
  }
  if (expects === 'passed') return reached.includes(harmless) ? [] : say('is not let through when harmless')
  return (record['uninspected'] as string[] | undefined)?.includes(expects.label) === true
    ? []
    : say(`is not in the record as ${expects.label}`)
}
