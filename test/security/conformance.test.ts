// What RFC 9110 and 9112 ask of an answer, held against the answers that the proxy itself makes and those it relays. The
// rules are those of a published catalogue; each has its own case here, whether the catalogue is there or not.
import t, { type Test } from 'tap'
import { answer, chunk, chunkedHead, lastChunk } from '../support/scripted-upstream.ts'
import { agentKey, openFortress, talk, type Fortress, type Reply } from './fortress.ts'
import { skip, vectorLines } from './vectors.ts'

const head = 'host: gateway.test\r\nconnection: close\r\n'
const bearer = `authorization: Bearer ${agentKey}\r\n`

type Ask = (bytes: string, upstream?: string) => Promise<Reply>
type Rule = (t: Test, ask: Ask) => Promise<void>

const field = ({ head: text }: Reply, name: string): string | undefined =>
  new RegExp(`^${name}: *(.*)$`, 'im').exec(text)?.[1]?.trimEnd()

/** Refusals of each kind, as a client sees them. */
const refused: readonly string[] = [
  `GET /nowhere HTTP/1.1\r\n${head}\r\n`,
  `GET /tools/crm/x HTTP/1.1\r\n${head}authorization: Bearer wrong\r\n\r\n`,
  `TRACE /open/x HTTP/1.1\r\n${head}\r\n`,
  `GET /open/../x HTTP/1.1\r\n${head}\r\n`,
  `POST /openai/v1/chat/completions HTTP/1.1\r\n${head}${bearer}content-type: text/plain\r\ncontent-length: 1\r\n\r\nx`,
  `GET /open/admin HTTP/1.1\r\n${head}\r\n`,
]

async function eachAnswer(ask: Ask, check: (reply: Reply) => void): Promise<void> {
  for (const bytes of refused) check(await ask(bytes))
  check(await ask(`GET /open/x HTTP/1.1\r\n${head}\r\n`, answer(200, 'ok', { 'content-type': 'text/plain' })))
  check(await ask(`GET /open/x HTTP/1.1\r\n${head}\r\n`, `${chunkedHead()}${chunk('ok')}${lastChunk}`))
}

const bare = (line: string, headers: string): string => `${line}\r\n${headers}\r\n`

const rules: Readonly<Record<string, Rule>> = {
  reject_fields_contaning_cr_lf_nul: async (t, ask) => {
    for (const value of ['a\0b', 'a\rb', 'a\nb'])
      t.equal((await ask(bare('GET /open/x HTTP/1.1', `${head}x: ${value}\r\n`))).status, 400)
  },
  code_400_after_bad_host_request: async (t, ask) => {
    for (const host of ['host: a\r\nhost: b\r\n', 'host: a b\r\n', 'host: a/b\r\n', ''])
      t.equal((await ask(bare('GET /open/x HTTP/1.1', `${host}connection: close\r\n`))).status, 400, host)
  },
  code_501_unknown_methods: async (t, ask) => {
    for (const method of ['BREW', 'get', 'G"ET', 'A'.repeat(64)])
      t.ok([400, 501].includes((await ask(bare(`${method} /open/x HTTP/1.1`, head))).status), method)
    t.equal((await ask(bare('BREW /open/x HTTP/1.1', head))).status, 501)
  },
  code_405_blocked_methods: async (t, ask) => {
    for (const method of ['TRACE', 'PROPFIND', 'PURGE'])
      t.equal((await ask(bare(`${method} /open/x HTTP/1.1`, head))).status, 405, method)
  },
  code_405_allow: async (t, ask) => {
    t.match(field(await ask(bare('TRACE /open/x HTTP/1.1', head)), 'allow'), /^GET, HEAD, POST/)
  },
  code_401_www_authenticate: async (t, ask) => {
    const reply = await ask(bare('GET /tools/crm/x HTTP/1.1', `${head}authorization: Bearer wrong\r\n`))
    t.equal(reply.status, 401)
    t.equal(field(reply, 'www-authenticate'), 'Bearer')
  },
  code_415_unsupported_media_type: async (t, ask) => {
    const coded = `${head}${bearer}content-type: application/json\r\ncontent-encoding: lzma\r\ncontent-length: 1\r\n`
    const reply = await ask(`${bare('POST /openai/v1/chat/completions HTTP/1.1', coded)}x`)
    t.equal(reply.status, 415)
    t.equal(field(reply, 'accept-encoding'), 'identity, gzip, br, zstd')
  },
  content_head_request: async (t, ask) => {
    for (const path of ['/open/x', '/nowhere', '/open/admin']) {
      const reply = await ask(bare(`HEAD ${path} HTTP/1.1`, head), 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n')
      t.match(field(reply, 'content-length'), /^[1-9]\d*$/, 'the length of what is not sent')
      t.equal(reply.body, '')
    }
  },
  allow_crlf_start: async (t, ask) => {
    t.equal((await ask(`\r\n${bare('GET /open/x HTTP/1.1', head)}`, answer(200, 'ok'))).status, 200)
  },
  reject_msgs_with_whitespace_between_startline_and_first_header_field: async (t, ask) => {
    t.equal((await ask(`GET /open/x HTTP/1.1\r\n ${head}\r\n`)).status, 400)
  },
  code_400_if_msg_with_whitespace_between_header_field_and_colon: async (t, ask) => {
    t.equal((await ask(bare('GET /open/x HTTP/1.1', `${head}x : 1\r\n`))).status, 400)
  },
  content_length_1XX_204: async (t, ask) => {
    const reply = await ask(bare('GET /open/x HTTP/1.1', head), 'HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n')
    t.equal(reply.status, 204)
    t.equal(field(reply, 'content-length'), undefined)
  },
  no_transfer_encoding_1xx_204: async (t, ask) => {
    const reply = await ask(bare('GET /open/x HTTP/1.1', head), 'HTTP/1.1 204 No Content\r\n\r\n')
    t.equal(field(reply, 'transfer-encoding'), undefined)
  },
  code_204_no_additional_content: async (t, ask) => {
    const reply = await ask(bare('GET /open/x HTTP/1.1', head), `HTTP/1.1 204 No Content\r\n\r\n${answer(200, 'more')}`)
    t.strictSame([reply.status, reply.body], [204, ''])
  },
  code_304_no_content: async (t, ask) => {
    const reply = await ask(
      bare('GET /open/x HTTP/1.1', head),
      'HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n',
    )
    t.strictSame([reply.status, reply.body, field(reply, 'content-length')], [304, '', '9'])
  },
  switch_protocol_without_client: async (t, ask) => {
    const switched = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'
    t.equal((await ask(bare('GET /open/x HTTP/1.1', head), switched)).status, 502)
  },
  transfer_encoding_http11: async (t, ask) => {
    const reply = await ask(
      bare('GET /open/x HTTP/1.0', 'connection: keep-alive\r\n'),
      answer(200, 'ok', { 'content-type': 'text/plain' }),
    )
    t.equal(reply.status, 200)
    t.equal(field(reply, 'transfer-encoding'), undefined)
    t.match(field(reply, 'connection'), /close/)
  },
  duplicate_fields: async (t, ask) => {
    await eachAnswer(ask, ({ head: text }) => {
      const names = text
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(':')[0]?.toLowerCase())
      t.equal(new Set(names).size, names.length, text)
    })
  },
  date_header_required: async (t, ask) => {
    await eachAnswer(ask, (reply) =>
      t.match(field(reply, 'date'), /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/),
    )
  },
  content_type_header_required: async (t, ask) => {
    for (const bytes of refused) t.match(field(await ask(bytes), 'content-type'), /json/)
  },
  close_option_in_final_response: async (t, ask) => {
    await eachAnswer(ask, (reply) => t.match(field(reply, 'connection'), /close/))
  },
  no_bare_cr: async (t, ask) => {
    await eachAnswer(ask, ({ head: text }) => t.notMatch(text, /\r[^\n]|[^\r]\n/))
  },
  field_value_start_or_end_with_whitespace: async (t, ask) => {
    await eachAnswer(ask, ({ head: text }) => t.notMatch(text, /:\s\s|[ \t]\r\n/))
  },
  field_value_zero_value_lf_cr: async (t, ask) => {
    t.equal((await ask(bare('GET /open/x HTTP/1.1', head), 'HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n')).status, 502)
  },
  server_header_long: async (t, ask) => {
    await eachAnswer(ask, (reply) => t.equal(field(reply, 'server'), undefined))
  },
  content_length_grammar: async (t, ask) => {
    await eachAnswer(ask, (reply) => t.match(field(reply, 'content-length') ?? '0', /^\d+$/))
  },
}

async function inFortress(t: Test, rule: Rule): Promise<void> {
  const fortress: Fortress = await openFortress()
  t.teardown(() => fortress.close())
  await rule(t, async (bytes, upstream) => {
    if (upstream !== undefined) fortress.upstream.next(upstream)
    const wanted = bytes.startsWith('HEAD ') ? bodiless : talk
    const { replies } = await wanted(fortress.port, bytes)
    return replies[0] ?? { status: 0, head: '', body: '', requestId: undefined }
  })
}

/** An answer to HEAD: its length is of a body that does not come, so only the end of the connection ends it. */
async function bodiless(port: number, bytes: string): ReturnType<typeof talk> {
  const { connect } = await import('node:net')
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let text = ''
    socket.on('connect', () => socket.write(bytes, 'latin1'))
    socket.on('data', (part: Buffer) => (text += part.toString('latin1')))
    socket.on('close', () => {
      const [headText = '', body = ''] = text.split('\r\n\r\n')
      const reply = { status: Number(headText.slice(9, 12)), head: headText, body, requestId: undefined }
      resolve({ replies: [reply], end: 'closed' })
    })
  })
}

for (const [name, rule] of Object.entries(rules)) t.test(name, (t) => inFortress(t, rule))

/** Rules about fields and statuses that only an upstream puts into an answer, and about servers that switch protocols. */
const notOurs =
  /_grammar$|^code_(?:30[0-8]_(?:location|metadata)|206|205|416|413|407|101)|^response_directive|cookie|^(?:duplicate_)?csp|^duplicate_csp|sts|STS|upgrade|2XX_connect|content_length_same|accept_patch|head_get|304_headers|post_invalid|^field_name/

t.test('every rule of the catalogue that is ours to keep has its case', { skip }, async (t) => {
  const published = vectorLines<{ id: string }>('http/cispa-http-rules.jsonl').map(({ id }) => id)
  for (const id of published) t.ok(Object.hasOwn(rules, id) || notOurs.test(id), id)
  for (const id of Object.keys(rules)) t.ok(published.includes(id), id)
})
