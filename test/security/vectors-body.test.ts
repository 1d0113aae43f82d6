// Published bodies, through the whole proxy: each is read as its publisher says, and judged, or refused; and whatever is
// let through reads the same to everybody.
import t, { type Test } from 'tap'
import { answer } from '../support/scripted-upstream.ts'
import { agentKey, openFortress, talk, type Fortress } from './fortress.ts'
import { skip, vectorLines } from './vectors.ts'

async function open(t: Test, extra = ''): Promise<Fortress> {
  const fortress = await openFortress(extra)
  t.teardown(() => fortress.close())
  fortress.upstream.always(answer(200, '{}', { 'content-type': 'application/json' }))
  return fortress
}

function post(path: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST ${path} HTTP/1.1\r\nhost: gateway.test\r\nauthorization: Bearer ${agentKey}\r\nconnection: close\r\n${lines.join('')}content-length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

/** Rules about the head alone leave bodies unread. */
const redacting = 'redaction: [{ id: all, direction: request, detect: [pii], action: mask }]'

type Encoded = {
  readonly id: string
  readonly headers: Record<string, string>
  readonly body_b64: string
  readonly expect: string
}

/** The statuses that the row's publisher accepts; multipart is not read at all where a model is asked, so 415 it is. */
function accepted({ expect, headers, id }: Encoded): number[] {
  const named = [...expect.matchAll(/\b4\d\d\b/g)].map(([status]) => Number(status))
  const judged = /inspect|deny|policy/.test(expect) ? [403] : []
  const unread = headers['content-type']?.startsWith('application/json') === true ? [] : [415]
  // This Node decodes zstd, and the row's bytes are none.
  return [...named, ...judged, ...unread, ...(id === 'zstd-label' ? [400] : [])]
}

t.test('encodings and media types: a denied model is found, or the body is refused', { skip }, async (t) => {
  const fortress = await open(t)
  const rows = vectorLines<Encoded>('http/body-encoding-cases.jsonl')
  t.equal(rows.length, 45)
  for (const row of rows) {
    const { headers, body_b64: body } = row
    const { replies } = await talk(
      fortress.port,
      post('/openai/v1/chat/completions', headers, Buffer.from(body, 'base64')),
    )
    const status = replies[0]?.status ?? 0
    t.ok(accepted(row).includes(status), `${row.id}: ${status}, for ${row.expect}`)
    const rule = /x-gatewright-rule: (\S+)/i.exec(replies[0]?.head ?? '')?.[1]
    if (status === 403) t.equal(rule, 'no-such-model', `${row.id} was read and judged`)
  }
  t.equal(fortress.upstream.connections, 0)
})

t.test('the same on a tool that redaction watches: what cannot be read does not pass', { skip }, async (t) => {
  const fortress = await open(t, redacting)
  for (const { id, headers, body_b64: body } of vectorLines<Encoded>('http/body-encoding-cases.jsonl')) {
    const { replies } = await talk(fortress.port, post('/tools/crm/x', headers, Buffer.from(body, 'base64')))
    const status = replies[0]?.status ?? 0
    const readable = /json|^text\/plain$|^application\/x-www-form-urlencoded$/i.test(headers['content-type'] ?? '')
    if (!readable || status !== 200) t.ok(status >= 400 && status < 500, `${id}: ${status}`)
  }
  for (const { head, body } of fortress.upstream.requests) {
    t.notMatch(head.toLowerCase(), /content-encoding|multipart/)
    if (!head.toLowerCase().includes('urlencoded')) t.doesNotThrow(() => JSON.parse(body.toString()))
  }
})

type Read = { readonly id: string; readonly body_b64: string } & Readonly<Record<'node' | 'py' | 'go', string>>

t.test('JSON: what goes through as arguments of a tool, every reader reads', { skip }, async (t) => {
  const fortress = await open(t, redacting)
  const rows = vectorLines<Read>('probes/json-differential.jsonl').filter(({ body_b64: body }) => body !== '')
  const statuses = new Map<string, number>()
  for (let at = 0; at < rows.length; at += 20) {
    await Promise.all(
      rows.slice(at, at + 20).map(async ({ id, body_b64: body }) => {
        const bytes = post('/tools/crm/x', { 'content-type': 'application/json' }, Buffer.from(body, 'base64'))
        statuses.set(id, (await talk(fortress.port, bytes)).replies[0]?.status ?? 0)
      }),
    )
  }
  let passed = 0
  for (const { id, node, py, go } of rows) {
    const status = statuses.get(id)
    t.ok(status === 200 || status === 400, `${id}: ${status}`)
    if (status !== 200) continue
    passed += 1
    t.same([node, py, go], ['ok', 'ok', 'ok'], `${id} went through`)
  }
  t.ok(passed > 100, `${passed} went through`)
  const sent = new Set(rows.map(({ body_b64: body }) => Buffer.from(body, 'base64').toString('latin1')))
  for (const { body } of fortress.upstream.requests) t.ok(sent.has(body.toString('latin1')), 'byte for byte')
})

type Suite = { readonly file: string; readonly expect: string; readonly body_b64: string }

t.test('JSONTestSuite: what is no JSON is refused, whatever else it is', { skip }, async (t) => {
  const fortress = await open(t, redacting)
  const rows = vectorLines<Suite>('json/jsontestsuite.jsonl').filter(
    ({ expect, body_b64: body }) => expect === 'n' && body !== '',
  )
  t.ok(rows.length > 180)
  for (let at = 0; at < rows.length; at += 20) {
    await Promise.all(
      rows.slice(at, at + 20).map(async ({ file, body_b64: body }) => {
        const bytes = post('/tools/crm/x', { 'content-type': 'application/json' }, Buffer.from(body, 'base64'))
        const { replies } = await talk(fortress.port, bytes)
        t.equal(replies[0]?.status, 400, file)
      }),
    )
  }
})
