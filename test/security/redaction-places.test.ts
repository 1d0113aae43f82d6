// Where redaction looks beside the texts of a body, as its rules say: numbers, keys of objects, the target, headers. And where it
// cannot look.
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { auditLines } from '../support/audit-lines.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { answer, jsonAnswer, scriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts'

t.setTimeout(30_000)

type Setup = { readonly gateway: TestGateway; readonly upstream: ScriptedUpstream }

const card = 4111_1111_1111_1111
const email = 'ada@example.org'

async function setUp(t: Test, redaction: string): Promise<Setup> {
  const upstream = (await scriptedUpstream()).always(jsonAnswer(200, { ok: true }))
  const gateway = await startGateway(`
upstreams:
  tool: { protocol: http, url: "${upstream.url}" }
  openai: { protocol: openai, url: "${upstream.url}" }
  notes: { protocol: mcp, url: "${upstream.url}/mcp" }
routes:
  - { id: tool, path: /tool, upstream: tool }
  - { id: openai, path: /openai, upstream: openai }
  - { id: notes, path: /mcp/notes, upstream: notes }
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
redaction: ${redaction}
audit: { durability: batch, onFailure: allow }`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  return { gateway, upstream }
}

async function post({ gateway }: Setup, value: unknown, path = '/tool/1', headers: Record<string, string> = {}) {
  const head = { 'content-type': 'application/json', ...headers }
  return fetch(gateway.url + path, { method: 'POST', headers: head, body: JSON.stringify(value) })
}

const sent = ({ upstream }: Setup): unknown => JSON.parse(String(upstream.requests.at(-1)?.body))

t.test('a card that is a number becomes a string, blocks, or is left and recorded', async (t) => {
  const redacting = await setUp(t, '[{ id: r, direction: request, detect: [pii], action: mask }]')
  await (await post(redacting, { card, n: 7 })).text()
  t.same(sent(redacting), { card: '[PAYMENT_CARD]', n: 7 })

  const blocking = await setUp(t, '[{ id: r, direction: request, detect: [pii], action: mask, numbers: block }]')
  t.equal((await post(blocking, { card })).status, 403)
  t.equal(blocking.upstream.requests.length, 0)
  await (await post(blocking, { card: String(card) })).text()
  t.same(sent(blocking), { card: '[PAYMENT_CARD]' }, 'as a text it is only masked')

  const leaving = await setUp(t, '[{ id: r, direction: both, detect: [pii], action: mask, numbers: leave }]')
  leaving.upstream.next(jsonAnswer(200, { card }))
  t.same(await (await post(leaving, { card })).json(), { card })
  t.same(sent(leaving), { card })
  await leaving.gateway.gateway.close()
  const record = auditLines(leaving.gateway.auditDir).find(({ kind }) => kind === 'outcome')
  t.match(record?.['observed'], [
    { direction: 'request', entity: 'payment-card', count: 1 },
    { direction: 'answer', entity: 'payment-card', count: 1 },
  ])
})

t.test('a number is what it says, however it is written', async (t) => {
  const set = await setUp(t, '[{ id: r, direction: request, detect: [payment-card], action: mask }]')
  const figures = String(card)
  const headers = { 'content-type': 'application/json' }
  for (const written of [figures, `${figures}.0`, `4.${figures.slice(1)}e15`, `${figures}0E-1`]) {
    const body = `{"a":${written},"b":1.50e9}`
    await (await fetch(`${set.gateway.url}/tool/x`, { method: 'POST', headers, body })).text()
    t.equal(String(set.upstream.requests.at(-1)?.body), '{"a":"[PAYMENT_CARD]","b":1.50e9}', written)
  }
})

t.test('keys of objects', async (t) => {
  const set = await setUp(t, '[{ id: r, direction: request, detect: [email], action: mask, keys: block }]')
  t.equal((await post(set, { [email]: 1 })).status, 403)
  t.equal((await post(set, { a: email })).status, 200)
  const left = await setUp(t, '[{ id: r, direction: request, detect: [email], action: mask, keys: leave }]')
  await (await post(left, { [email]: email })).text()
  t.same(sent(left), { [email]: '[EMAIL]' })
})

t.test('keys of objects are values wherever they stand, and in no record', async (t) => {
  const aws = ['AKIA', 'Z5GMHYJKLMNOPQR2'].join('')
  const keys = [
    aws,
    '10.20.3.4',
    '2001:db8::1',
    'aa:bb:cc:dd:ee:ff',
    'password=Hunter2xyz9',
    `hf_${'aBcDeFgHiJkLmNoPq'.repeat(2)}`,
  ]
  const blocking = await setUp(t, '[{ id: r, direction: both, detect: [pii, secrets], action: block }]')
  for (const key of keys) t.equal((await post(blocking, { [key]: 1 })).status, 403, key)
  t.equal((await post(blocking, { [keys.length]: { sha256: 1, 'x-request-id': 2, $ref: 3 } })).status, 200)
  blocking.upstream.next(jsonAnswer(200, { hosts: { '10.20.3.4': 'up' } }))
  t.equal((await post(blocking, {})).status, 403)

  const masking = await setUp(t, '[{ id: r, direction: both, detect: [pii, secrets], action: mask }]')
  const inner = JSON.stringify({ [aws]: { '10.20.3.4': email } })
  masking.upstream.next(jsonAnswer(200, { inner }))
  const answer = await (await post(masking, { inner })).text()
  for (const text of [answer, JSON.stringify(sent(masking))]) t.notMatch(text, /AKIA|10\.20|ada@/)
  await masking.gateway.gateway.close()
  const record = auditLines(masking.gateway.auditDir).find(({ kind }) => kind === 'outcome')
  t.strictSame(record?.['redactedAt'], [
    'request /inner#@key',
    'request /inner#/~*@key',
    'request /inner#/~*/~*',
    'answer /inner#@key',
    'answer /inner#/~*@key',
    'answer /inner#/~*/~*',
  ])
})

t.test('a token that is a key becomes its value again', async (t) => {
  const set = await setUp(t, '[{ id: r, direction: request, detect: [email], action: token }]')
  const owners = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`user${n}@example.org`, n]))
  set.upstream.next((scene) => scene.write(jsonAnswer(200, JSON.parse(String(scene.request.body)))))
  t.same(await (await post(set, owners)).json(), owners)
  t.notMatch(String(set.upstream.requests[0]?.body), /@/)
})

t.test('values that are let be', async (t) => {
  const allow = "allow: ['@example.com', '4111111111111111']"
  const set = await setUp(t, `[{ id: r, direction: request, detect: [pii], action: block, ${allow} }]`)
  t.equal((await post(set, { a: 'bob@example.com paid with 4111 1111 1111 1111', card })).status, 200)
  t.equal((await post(set, { a: `bob@example.com and ${email}` })).status, 403)
  t.equal((await post(set, {}, '/tool/x?who=bob%40example.com')).status, 200)
  t.equal((await post(set, {}, `/tool/x?who=${encodeURIComponent(email)}`)).status, 403)
})

t.test('the target only where rules say so', async (t) => {
  const set = await setUp(t, '[{ id: r, direction: request, detect: [email], action: mask, in: [body] }]')
  await (await post(set, { a: email }, `/tool/x?who=${email}`)).text()
  t.equal(set.upstream.requests[0]?.target, `/x?who=${email}`)
  t.same(sent(set), { a: '[EMAIL]' })
  const target = await setUp(t, '[{ id: r, direction: request, detect: [email], action: mask, in: [target] }]')
  await (await post(target, { a: email }, `/tool/x?who=${email}`)).text()
  t.equal(target.upstream.requests[0]?.target, '/x?who=%5BEMAIL%5D')
  t.same(sent(target), { a: email })
})

t.test('names of parameters and headers are values, too, and tell what values are', async (t) => {
  const password = ['hunter', '2xyZ'].join('')
  const set = await setUp(
    t,
    '[{ id: r, direction: request, detect: [pii, secrets], action: mask, in: [target, headers] }]',
  )
  const query = `${encodeURIComponent(email)}=1&password=${password}&note=${password}&flag&date_of_birth=1980-02-03&a=b=c&=`
  await (await post(set, {}, `/tool/x?${query}`, { 'x-db-password': password, 'x-note': password })).text()
  const [seen] = set.upstream.requests
  t.equal(
    seen?.target,
    `/x?%5BEMAIL%5D=1&password=%5BGENERIC_SECRET%5D&note=${password}&flag&date_of_birth=%5BDATE_OF_BIRTH%5D&a=b=c&=`,
  )
  t.equal(seen?.header('x-db-password'), '[GENERIC_SECRET]')
  t.equal(seen?.header('x-note'), password)
  const blocking = await setUp(t, '[{ id: r, direction: request, detect: [secrets], action: block, in: [target] }]')
  t.equal((await post(blocking, {}, `/tool/x?password=${password}`)).status, 403)
})

t.test('headers only where rules say so, on every kind of route, both ways', async (t) => {
  const without = await setUp(t, '[{ id: r, direction: both, detect: [email], action: mask }]')
  await (await post(without, {}, '/tool/1', { 'x-user': email })).text()
  t.equal(without.upstream.requests[0]?.header('x-user'), email)

  const set = await setUp(t, '[{ id: h, direction: both, detect: [email], action: mask, in: [headers] }]')
  for (const path of ['/tool/1', '/openai/v1/embeddings', '/mcp/notes']) {
    const body = path.startsWith('/mcp')
      ? { jsonrpc: '2.0', id: 1, method: 'ping' }
      : { model: 'm', input: `to ${email}` }
    set.upstream.next(
      jsonAnswer(200, { jsonrpc: '2.0', id: 1, result: {} }, { 'x-owner': email, etag: '"a@b.example"' }),
    )
    const accept = { accept: 'application/json, text/event-stream' }
    const reply = await post(set, body, path, { 'x-user': `Ada <${email}>`, ...accept })
    const seen = set.upstream.requests.at(-1)
    t.equal(seen?.header('x-user'), 'Ada <[EMAIL]>', path)
    t.same(JSON.parse(String(seen?.body)), body, 'the body is no header')
    t.equal(reply.headers.get('x-owner'), '[EMAIL]', path)
    t.match(reply.headers.get('x-gatewright-redactions'), /email=2/)
    await reply.text()
  }
  await set.gateway.gateway.close()
  const record = auditLines(set.gateway.auditDir).find(({ kind }) => kind === 'outcome')
  t.match(record?.['redactedAt'], ['request headers', 'answer headers'])
  t.match(record?.['scanned'], { request: ['email'], answer: ['email'] })
})

t.test('a header that must not go on', async (t) => {
  const set = await setUp(t, '[{ id: h, direction: both, detect: [email], action: block, in: [headers] }]')
  const refused = await post(set, {}, '/tool/1', { 'x-user': email })
  t.equal(refused.status, 403)
  t.match(await refused.json(), { code: 'content-blocked', rule: 'h' })
  t.equal(set.upstream.requests.length, 0)
  set.upstream.next(jsonAnswer(200, {}, { 'x-owner': email }))
  t.equal((await post(set, {})).status, 403)
})

t.test('when to come back is a time, or nothing', async (t) => {
  const set = await setUp(t, '[{ id: h, direction: response, detect: [email], action: mask, in: [headers] }]')
  for (const [value, seen] of [
    ['20', '20'],
    ['Fri, 31 Dec 2077 23:59:59 GMT', '60'],
    [`a ${email}`, null],
  ] as const) {
    set.upstream.next(jsonAnswer(200, {}, { 'retry-after': value }))
    t.equal((await post(set, {})).headers.get('retry-after'), seen)
  }
})

t.test('a token in a header is of the same kind as in the body', async (t) => {
  const set = await setUp(t, '[{ id: h, direction: request, detect: [email], action: token, in: [body, headers] }]')
  await (await post(set, { a: email }, '/tool/1', { 'x-user': email })).text()
  const { a } = sent(set) as { a: string }
  t.match(a, /^EMAIL_/)
  t.equal(set.upstream.requests[0]?.header('x-user'), a)
})

t.test('an answer that repeats its text where no redaction can reach is refused where that is enforced', async (t) => {
  const set = await setUp(t, '[{ id: r, direction: response, detect: [email], action: mask }]')
  const choice = { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: `to ${email}` } }
  const chunk = { index: 0, finish_reason: 'stop', delta: { content: `to ${email}` } }
  const asked = async (chosen: object, beside: object = {}, isStream = false): Promise<string> => {
    const value = { id: 'c', object: 'chat.completion', choices: [chosen], ...beside }
    const events = `data: ${JSON.stringify(value)}\n\ndata: [DONE]\n\n`
    set.upstream.next(isStream ? answer(200, events, { 'content-type': 'text/event-stream' }) : jsonAnswer(200, value))
    const path = '/openai/v1/chat/completions'
    const answered = await post(set, { model: 'm', messages: [], stream: isStream }, path)
    return answered.text().catch(() => 'broken off')
  }
  const numbers = [4096, 31]
  const repeats: [string, object, object?][] = [
    ['tokens', { token_ids: numbers }],
    ['tokens', {}, { prompt_token_ids: numbers }],
    ['logprobs', {}, { prompt_logprobs: [null, { 31: { logprob: -1, decoded_token: 'ada' } }] }],
    ['logprobs', { logprobs: { content: [{ token: 'ada', logprob: -1 }] } }],
    ['logprobs', { logprobs: { tokens: ['ada'], top_logprobs: null } }],
  ]
  for (const [what, more, beside] of repeats) {
    t.match(await asked({ ...choice, ...more }, beside), `The answer carries ${what}, which repeat`, what)
    t.notMatch(await asked({ ...chunk, ...more }, beside, true), /4096|decoded|ada/, what)
  }
  const harmless: [object, object?][] = [
    [{ logprobs: { content: [], refusal: [] }, token_ids: [] }],
    [{ logprobs: { content: null } }, { prompt_logprobs: null, prompt_token_ids: null }],
    [{ logprobs: {}, token_ids: null }, { prompt_logprobs: [null] }],
  ]
  for (const [more, beside] of harmless) {
    t.match(await asked({ ...choice, ...more }, beside), 'to [EMAIL]', JSON.stringify(more))
    t.match(await asked({ ...chunk, ...more }, beside, true), 'to [EMAIL]', JSON.stringify(more))
  }
})

t.test('digests of a body that is sent on as another are not', async (t) => {
  const setup = await setUp(t, '[{ id: r, direction: request, detect: [pii], action: mask }]')
  const digests = { 'content-md5': 'x', digest: 'md5=x', 'content-digest': 'md5=:x:', 'repr-digest': 'md5=:x:' }
  const names = Object.keys(digests)
  const forwarded = () => names.filter((name) => setup.upstream.requests.at(-1)?.header(name) !== undefined)

  await (await post(setup, { to: 'nobody' }, '/tool/1', digests)).text()
  t.same(forwarded(), names, 'it is the same')
  await (await post(setup, { to: email }, '/tool/1', digests)).text()
  t.same(forwarded(), [], 'who knows the rest of the body finds the value by them')
  const headers = { ...digests, 'content-type': 'application/json', 'content-encoding': 'gzip' }
  await (await fetch(`${setup.gateway.url}/tool/1`, { method: 'POST', headers, body: gzipSync('{"a":1}') })).text()
  t.same([sent(setup), forwarded()], [{ a: 1 }, []], 'they are of what was encoded')
})
