// Published requests and answers, byte by byte, through the whole proxy: what their authors call broken is never
// forwarded and never relayed as if it were whole.
import t, { type Test } from 'tap'
import { answer } from '../support/scripted-upstream.ts'
import { openFortress, talk, type Fortress } from './fortress.ts'
import { skip, vectorLines, vectorText } from './vectors.ts'

const head = 'host: gateway.test\r\n'

type Fixture = {
  readonly id: string
  readonly type: string
  readonly expect: string
  readonly messages: number | null
  readonly raw_b64: string
}

async function open(t: Test): Promise<Fortress> {
  const fortress = await openFortress()
  t.teardown(() => fortress.close())
  fortress.upstream.always(answer(200, 'ok', { 'content-type': 'text/plain' }))
  return fortress
}

/** On a route that lets everything through and with a Host, so that neither is why it is refused. */
function routed(raw: string): string {
  const withRoute = raw.replace(/^(\S+ )\/?(\S* HTTP\/)/, '$1/open/$2')
  return /\r\nhost:/i.test(raw) ? withRoute : withRoute.replace('\r\n', `\r\n${head}`)
}

t.test('llhttp: requests that its authors refuse are not forwarded', { skip }, async (t) => {
  const rows = vectorLines<Fixture>('http/llhttp-fixtures.jsonl').filter(({ type }) => type.startsWith('request'))
  const wrong = rows.filter(({ expect, messages }) => expect === 'error' && (messages ?? 0) === 0)
  t.ok(wrong.length > 40, `${wrong.length} rows`)
  const fortress = await open(t)
  const talks = await Promise.all(
    wrong.map(({ raw_b64: raw }) => talk(fortress.port, routed(Buffer.from(raw, 'base64').toString('latin1')), 2)),
  )
  for (const [index, { replies, end }] of talks.entries()) {
    const name = wrong[index]?.id ?? ''
    t.ok(
      replies.every(({ status }) => status >= 400 && status < 600),
      `${name}: ${replies.map(({ status }) => status).join()}`,
    )
    t.equal(end, 'closed', name)
  }
  t.equal(fortress.upstream.requests.length, 0, 'nothing was forwarded')
})

t.test('llhttp: whatever of its requests is forwarded has one framing and one target', { skip }, async (t) => {
  const rows = vectorLines<Fixture>('http/llhttp-fixtures.jsonl').filter(({ type }) => type.startsWith('request'))
  const fortress = await open(t)
  await Promise.all(
    rows.map(({ raw_b64: raw }) => talk(fortress.port, routed(Buffer.from(raw, 'base64').toString('latin1')), 9)),
  )
  t.ok(fortress.upstream.requests.length > 10, `${fortress.upstream.requests.length} were good`)
  for (const seen of fortress.upstream.requests) {
    const { head: sent, target } = seen
    const names = sent.split('\r\n').map((line) => line.split(':')[0]?.toLowerCase())
    t.ok(names.filter((name) => name === 'content-length' || name === 'transfer-encoding').length <= 1, sent)
    t.notOk(names.some((name) => name === 'upgrade' || name === 'expect' || name === 'te'))
    t.match(target, /^\/[!-~]*$/)
    t.match(seen.header('transfer-encoding') ?? 'chunked', /^chunked$/)
  }
})

t.test('llhttp: answers that its authors refuse are not relayed as whole', { skip }, async (t) => {
  const rows = vectorLines<Fixture>('http/llhttp-fixtures.jsonl').filter(({ type }) => type === 'response')
  const wrong = rows.filter(({ expect }) => expect === 'error')
  t.ok(wrong.length > 20, `${wrong.length} rows`)
  const fortress = await open(t)
  for (const { id, raw_b64: raw } of rows) {
    fortress.upstream.next(async (scene) => {
      await scene.write(Buffer.from(raw, 'base64'))
      scene.end()
    })
    const { replies } = await talk(fortress.port, `GET /open/x HTTP/1.1\r\n${head}connection: close\r\n\r\n`)
    const { status = 0, head: relayed = '' } = replies[0] ?? {}
    const broken = wrong.find((row) => row.id === id)
    // With a first answer that is whole, what stands behind it is nobody's.
    if (broken?.messages === 0 && !readAsWhole.has(id)) t.ok(status === 502 || replies.length === 0, `${id}: ${status}`)
    t.notMatch(relayed, /\n\S+ +:|[\0\r][^\n]/, `${id}: a head of ours`)
  }
})

/** The parser of the HTTP client takes a doubled CR for the end of the line; what is relayed is framed by us. */
const readAsWhole: ReadonlySet<string> = new Set(['response/invalid.md:179'])

t.test('wpt: any URL as a request target is routed by its path or refused, never followed', { skip }, async (t) => {
  const rows = (JSON.parse(vectorText('url/wpt-urltestdata.json')) as (string | { input: string })[]).flatMap((row) =>
    typeof row === 'string' || /[\r\n]/.test(row.input) ? [] : [row.input],
  )
  t.ok(rows.length > 500)
  const fortress = await open(t)
  for (let at = 0; at < rows.length; at += 50) {
    await Promise.all(
      rows.slice(at, at + 50).map(async (target) => {
        const bytes = Buffer.from(`GET ${target} HTTP/1.1\r\n${head}connection: close\r\n\r\n`)
        const { replies } = await talk(fortress.port, bytes)
        const status = replies[0]?.status ?? 0
        t.ok(status >= 400 && status < 500, `${JSON.stringify(target)}: ${status}`)
      }),
    )
  }
  t.equal(fortress.upstream.connections, 0)
})
