import t from 'tap'
import { faults, type FaultCode } from '../../../proxy/errors.ts'
import type { Json, JsonObject } from '../../../proxy/lib/json.ts'
import { formatAddress } from '../../../proxy/lib/pointer.ts'
import type { Asked } from '../../../proxy/protocol/content.ts'
import { mcpProtocol } from '../../../proxy/protocol/mcp.ts'
import type { FaultView, Operation, Reading } from '../../../proxy/protocol/protocol.ts'
import { golden, linesOfReading, parsed } from './golden.ts'

const requests = Object.entries(parsed('mcp/requests.json')[0] as JsonObject)
const answers = Object.entries(parsed('mcp/answers.json')[0] as JsonObject)

function operation(method = 'POST'): Operation {
  const found = mcpProtocol.resolve(method, '/')
  if (found === undefined) throw new Error('an operation is missing')
  return found
}

/** What a client of the version sends with a request. */
function headersFor(message: Json): string[] {
  const { method, params } = (message ?? {}) as { method?: string; params?: { [key: string]: Json } }
  const meta = params?.['_meta'] as { [key: string]: Json } | undefined
  if (meta?.['io.modelcontextprotocol/protocolVersion'] === undefined) return ['mcp-protocol-version', '2025-11-25']
  const name = params?.['name']
  const named = typeof name === 'string' ? ['Mcp-Name', name] : []
  return ['MCP-Protocol-Version', '2026-07-28', 'Mcp-Method', method ?? '', ...named]
}

const ask = (message: Json, headers = headersFor(message)): Reading =>
  operation().readRequest(message, JSON.stringify(message), headers)
const answer = (message: Json): Reading => operation().readAnswer(message, JSON.stringify(message))

function lines(name: string, reading: Reading): string[] {
  const asked = reading.ok ? reading.content.asked : undefined
  const listed = reading.ok ? (reading.content.listed ?? []) : []
  return [
    `== ${name}`,
    ...(asked === undefined ? [] : [`asked ${JSON.stringify(asked)}`]),
    ...listed.map(({ address, act }) => `listed ${formatAddress(address)} ${JSON.stringify(act)}`),
    ...linesOfReading(reading),
  ]
}

t.test('one url, three methods', (t) => {
  t.same(
    ['POST', 'GET', 'DELETE', 'PUT', 'HEAD', 'OPTIONS'].map((method) => mcpProtocol.resolve(method, '/')?.name),
    ['mcp', 'mcp.stream', 'mcp.close', undefined, undefined, undefined],
  )
  t.equal(mcpProtocol.resolve('POST', '/other'), undefined)
  t.end()
})

t.test('what messages say and ask for', (t) => {
  golden(
    t,
    'mcp/requests.json',
    requests.flatMap(([name, message]) => lines(name, ask(message))),
  )
  golden(
    t,
    'mcp/answers.json',
    answers.flatMap(([name, message]) => lines(name, answer(message))),
  )
  t.end()
})

const planted = 'mail ada@example.org about it'

/** Calls back with the document as it is with the planted value in one string after another. */
function plant(value: Json, root: Json, path: string, look: (text: string, at: string) => void): void {
  if (typeof value !== 'object' || value === null) return
  for (const [key, member] of Object.entries(value)) {
    const at = `${path}/${key}`
    if (typeof member === 'string') {
      Object.assign(value, { [key]: planted })
      look(JSON.stringify(root), at)
      Object.assign(value, { [key]: member })
    } else plant(member, root, at, look)
  }
}

t.test('a value in any string of a message is read or refused', (t) => {
  for (const [name, message] of requests) {
    plant(message, message, name, (text, at) => {
      const reading = operation().readRequest(JSON.parse(text) as Json, text, headersFor(message))
      t.ok(!reading.ok || reading.content.parts.some((part) => part.text === planted), at)
    })
  }
  for (const [name, message] of answers) {
    plant(message, message, name, (text, at) => {
      const reading = operation().readAnswer(JSON.parse(text) as Json, text)
      t.ok(!reading.ok || reading.content.parts.some((part) => part.text === planted), at)
    })
  }
  t.end()
})

const v = '2026-07-28'
const meta = { 'io.modelcontextprotocol/protocolVersion': v, 'io.modelcontextprotocol/clientCapabilities': {} }

/** SEP-2243: the headers as rows, and which fault they are; undefined where they are right. */
const rows: [string, readonly string[], FaultCode | undefined, JsonObject?][] = [
  ['all as it should be', ['MCP-Protocol-Version', v, 'Mcp-Method', 'tools/call', 'Mcp-Name', 'get'], undefined],
  [
    'names of headers in any case',
    ['mcp-protocol-version', v, 'MCP-METHOD', 'tools/call', 'mcp-name', 'get'],
    undefined,
  ],
  ['spaces around values', ['mcp-protocol-version', v, 'mcp-method', ' tools/call ', 'mcp-name', '\tget'], undefined],
  [
    'an encoded name',
    ['mcp-protocol-version', v, 'mcp-method', 'tools/call', 'mcp-name', '=?base64?Z2V0?='],
    undefined,
  ],
  ['no method', ['mcp-protocol-version', v, 'mcp-name', 'get'], 'header-mismatch'],
  ['no name', ['mcp-protocol-version', v, 'mcp-method', 'tools/call'], 'header-mismatch'],
  ['no version', ['mcp-method', 'tools/call', 'mcp-name', 'get'], 'header-mismatch'],
  [
    'another version',
    ['mcp-protocol-version', '2025-11-25', 'mcp-method', 'tools/call', 'mcp-name', 'get'],
    'header-mismatch',
  ],
  [
    'a version from nowhere',
    ['mcp-protocol-version', '2030-01-01', 'mcp-method', 'tools/call', 'mcp-name', 'get'],
    'header-mismatch',
  ],
  ['another method', ['mcp-protocol-version', v, 'mcp-method', 'tools/list', 'mcp-name', 'get'], 'header-mismatch'],
  [
    'the method in another case',
    ['mcp-protocol-version', v, 'mcp-method', 'TOOLS/CALL', 'mcp-name', 'get'],
    'header-mismatch',
  ],
  ['another name', ['mcp-protocol-version', v, 'mcp-method', 'tools/call', 'mcp-name', 'set'], 'header-mismatch'],
  [
    'the name in another case',
    ['mcp-protocol-version', v, 'mcp-method', 'tools/call', 'mcp-name', 'Get'],
    'header-mismatch',
  ],
  [
    'another name, encoded',
    ['mcp-protocol-version', v, 'mcp-method', 'tools/call', 'mcp-name', '=?base64?c2V0?='],
    'header-mismatch',
  ],
  [
    'a broken encoding',
    ['mcp-protocol-version', v, 'mcp-method', 'tools/call', 'mcp-name', '=?base64?Z2V?='],
    'header-mismatch',
  ],
  [
    'bytes that are no text',
    ['mcp-protocol-version', v, 'mcp-method', 'tools/call', 'mcp-name', '=?base64?/////w==?='],
    'header-mismatch',
  ],
  [
    'one header twice',
    ['mcp-protocol-version', v, 'mcp-method', 'tools/call', 'mcp-name', 'get', 'Mcp-Name', 'get'],
    'header-mismatch',
  ],
  ...parameterRows(),
  [
    'no capabilities',
    ['mcp-protocol-version', v, 'mcp-method', 'ping'],
    'body-malformed',
    { method: 'ping', params: { _meta: { 'io.modelcontextprotocol/protocolVersion': v } } },
  ],
  ['nothing in the body', ['mcp-protocol-version', v, 'mcp-method', 'ping'], 'body-malformed', { method: 'ping' }],
  [
    'a handshake',
    ['mcp-protocol-version', v, 'mcp-method', 'initialize'],
    'operation-unsupported',
    { method: 'initialize', params: { _meta: meta, protocolVersion: v } },
  ],
  [
    'with sessions: a version from nowhere',
    ['mcp-protocol-version', '2030-01-01'],
    'version-unsupported',
    { method: 'ping' },
  ],
  ['with sessions: none named', [], undefined, { method: 'ping' }],
  [
    'with sessions: headers of the other era that are wrong',
    ['mcp-protocol-version', '2025-11-25', 'mcp-method', 'tools/list'],
    'header-mismatch',
    { method: 'ping' },
  ],
  [
    'a handshake for another version',
    [],
    'version-unsupported',
    { method: 'initialize', params: { protocolVersion: '2024-11-05' } },
  ],
  [
    'a handshake for the era without',
    [],
    'version-unsupported',
    { method: 'initialize', params: { protocolVersion: v } },
  ],
  [
    'a version of the other era in the body',
    [],
    'body-malformed',
    { method: 'ping', params: { _meta: { ...meta, 'io.modelcontextprotocol/protocolVersion': '2025-11-25' } } },
  ],
]

function parameterRows(): typeof rows {
  const good = ['mcp-protocol-version', v, 'mcp-method', 'tools/call', 'mcp-name', 'get']
  const args = { region: 'eu', Count: 42, dry_run: true, nested: { zone: 'ä' }, gone: null }
  const message = { method: 'tools/call', params: { name: 'get', arguments: args, _meta: meta } }
  const row = (name: string, value: string, fault?: FaultCode): (typeof rows)[number] => [
    `${name}: ${value}`,
    [...good, name, value],
    fault,
    message,
  ]
  return [
    row('Mcp-Param-Region', 'eu'),
    row('mcp-param-region', '=?base64?ZXU=?='),
    row('Mcp-Param-Region', 'us', 'header-mismatch'),
    row('Mcp-Param-Region', '=?base64?dXM=?=', 'header-mismatch'),
    row('Mcp-Param-Region', '=?base64?dXM?=', 'header-mismatch'),
    row('Mcp-Param-Count', '42'),
    row('Mcp-Param-Count', '42.0'),
    row('Mcp-Param-Count', '43', 'header-mismatch'),
    row('Mcp-Param-Dry-Run', 'true'),
    row('Mcp-Param-Dry-Run', 'TRUE', 'header-mismatch'),
    row('Mcp-Param-Zone', '=?base64?w6Q=?='),
    row('Mcp-Param-Zone', 'ä', 'header-mismatch'),
    row('Mcp-Param-Gone', 'anything'),
    row('Mcp-Param-Unknown', 'anything'),
  ]
}

t.test('headers and bodies agree, or it is said how they do not', (t) => {
  const call = { method: 'tools/call', params: { name: 'get', _meta: meta } }
  for (const [about, headers, fault, message] of rows) {
    const reading = ask({ jsonrpc: '2.0', id: 1, ...(message ?? call) }, [...headers])
    if (fault === undefined) t.ok(reading.ok, about)
    else t.match(reading, { ok: false, fault, asked: { id: 1 } }, about)
  }
  t.end()
})

t.test('what is not one message is refused', (t) => {
  const ok = { jsonrpc: '2.0', id: 1, method: 'ping' }
  const bad: Json[] = [
    [],
    [ok],
    null,
    'ping',
    { ...ok, jsonrpc: '1.0' },
    { id: 1, method: 'ping' },
    { ...ok, id: null },
    { ...ok, id: {} },
    { ...ok, id: 1.5 },
    { ...ok, id: 2 ** 60 },
    { ...ok, id: 'x'.repeat(257) },
    { ...ok, method: 7 },
    { ...ok, params: [] },
    { ...ok, result: {} },
    { ...ok, Params: {} },
    { jsonrpc: '2.0', id: 1 },
    { jsonrpc: '2.0', id: 1, result: [] },
    { jsonrpc: '2.0', id: 1, result: {}, error: {} },
    { jsonrpc: '2.0', result: {} },
    { jsonrpc: '2.0', method: 'tools/call', params: { name: 'get' } },
  ]
  t.ok(ask(ok).ok)
  for (const message of bad) t.notOk(ask(message).ok, JSON.stringify(message).slice(0, 80))
  const calls: JsonObject[] = [
    {},
    { name: '' },
    { name: 7 },
    { name: 'get\u200B' },
    { name: 'get', arguments: [] },
    { name: 'get', Arguments: {} },
  ]
  for (const params of calls)
    t.notOk(ask({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }).ok, JSON.stringify(params))
  t.match(ask({ jsonrpc: '2.0', id: 1, method: 'Tools/Call', params: { name: 'get' } }), {
    fault: 'operation-unsupported',
  })
  t.notOk(answer({ jsonrpc: '2.0', id: 1, result: { protocolVersion: '2030-01-01' } }).ok)
  t.notOk(
    answer({ jsonrpc: '2.0', id: 1, method: 'elicitation/create', params: { mode: 'url', url: 'javascript:1' } }).ok,
  )
  t.match(answer({ jsonrpc: '2.0', id: 1, method: 'shell/run' }), { content: { asked: { unknown: true } } })
  t.end()
})

t.test('the URI of a resource is judged in one spelling, or refused', (t) => {
  const read = (uri: string, method = 'resources/read') => ask({ jsonrpc: '2.0', id: 1, method, params: { uri } })
  const refused = [
    'a://h/b/../c',
    'a://h/./c',
    'a://h/b/..',
    'a://h/%2E%2e/c',
    'a://h/.%2e?x',
    'file:../c',
    'a://h/b\\c',
  ]
  for (const uri of [...refused, 'a://h/b\tc', ' a://h', 'a://h\n'])
    for (const method of ['resources/read', 'resources/subscribe', 'resources/unsubscribe'])
      t.match(read(uri, method), { ok: false, asked: { id: 1 } }, `${method} ${JSON.stringify(uri)}`)
  const rows: [string, string?][] = [
    ['a://h/b/c'],
    ['a://h/b..c/.d/...'],
    ['a://h/b?x=../c#/../d'],
    ['note:1'],
    ['file:///C:/My Documents/a%20b%2Fc'],
    ['a://Host/é/{id}'],
    ['FILE:///b', 'file:///b'],
    ['a://h/%73%65cret%5F%2525', 'a://h/secret_%2525'],
  ]
  for (const [uri, judged = uri] of rows)
    t.match(read(uri), { ok: true, content: { asked: { acts: [{ type: 'resource.read', uri: judged }] } } }, uri)
  const ref = { type: 'ref/resource', uri: 'a://h/../b' }
  const completion = { ref, argument: { name: 'a', value: 'b' } }
  t.notOk(ask({ jsonrpc: '2.0', id: 1, method: 'completion/complete', params: completion }).ok)
  const notifications = { resourceSubscriptions: ['a://h/../b'] }
  t.notOk(ask({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params: { notifications } }).ok)
  t.match(answer({ jsonrpc: '2.0', id: 1, result: { resources: [{ uri: 'A://h/%62' }] } }), {
    content: { listed: [{ act: { uri: 'a://h/b' } }] },
  })
  t.end()
})

function view(code: FaultCode, rule?: string): FaultView {
  const { status, kind, message, retry } = faults[code]
  return { code, kind, status, message, retry, requestId: 'req_1', ...(rule === undefined ? undefined : { rule }) }
}

const asked = (operation: string, more: Partial<Asked> = {}): Asked => ({ operation, id: 7, acts: [], ...more })

t.test('lists that are none are refused', async (t) => {
  const read = (result: Json) => {
    const message = { jsonrpc: '2.0', id: 1, result }
    return operation().readAnswer(message, JSON.stringify(message))
  }
  for (const member of ['tools', 'resources', 'prompts']) {
    t.match(read({ [member]: { 0: { name: 'wipe', uri: 'x:y' } } }), { ok: false }, member)
    t.match(read({ [member]: null }), { ok: true }, member)
  }
})

t.test('refusals are answers to whoever waits for one', (t) => {
  const said = (code: FaultCode, about?: Asked) => {
    const { status, body } = mcpProtocol.refusal(view(code, 'r1'), about)
    return { status, body: JSON.parse(body) as JsonObject }
  }
  t.match(said('denied', asked('tools.call')), {
    status: 200,
    body: { id: 7, result: { isError: true, content: [{ type: 'text', text: 'Denied by policy.' }] } },
  })
  t.notMatch(said('denied', asked('tools.call')), { body: { result: { resultType: 'complete' } } })
  t.match(said('denied', asked('tools.call', { version: v })), { body: { result: { resultType: 'complete' } } })
  const codes: [FaultCode, number][] = [
    ['denied', -31403],
    ['content-blocked', -31403],
    ['rate-limited', -31429],
    ['quota-exhausted', -31429],
    ['breaker-open', -31503],
    ['upstream-timeout', -31503],
    ['upstream-invalid', -31503],
    ['internal', -32603],
    ['operation-unsupported', -32601],
  ]
  for (const [code, rpc] of codes)
    t.match(said(code, asked('resources.read')), { status: 200, body: { id: 7, error: { code: rpc } } }, code)
  t.match(said('operation-unsupported', asked('unknown', { version: v })), { status: 404 })
  const transport: [FaultCode, number, number][] = [
    ['credentials-missing', 401, -32600],
    ['session-unknown', 404, -32001],
    ['body-too-large', 413, -32600],
    ['media-type-unsupported', 415, -32600],
    ['origin-refused', 403, -32600],
    ['rate-limited', 429, -31429],
  ]
  for (const [code, status, rpc] of transport)
    t.match(said(code), { status, body: { jsonrpc: '2.0', id: null, error: { code: rpc } } }, code)
  t.match(said('header-mismatch', asked('tools.call')), { status: 400, body: { id: 7, error: { code: -32020 } } })
  t.match(said('version-unsupported', asked('unknown', { version: '2030-01-01' })), {
    status: 400,
    body: { error: { code: -32022, data: { requested: '2030-01-01', supported: [/2025/, /2025/, /2025/, /2026/] } } },
  })
  const { status, body } = mcpProtocol.refusal({ ...view('body-malformed'), unparsed: true })
  t.match({ status, body: JSON.parse(body) }, { status: 400, body: { id: null, error: { code: -32700 } } })
  for (const code of Object.keys(faults) as FaultCode[]) t.notMatch(JSON.stringify(said(code)), /undefined/, code)
  t.match(
    mcpProtocol.streamError(view('upstream-truncated'), asked('tools.call')),
    /^data: \{"jsonrpc":"2.0","id":7,.*\n\n$/,
  )
  t.equal(mcpProtocol.streamError(view('upstream-truncated')), '')
  t.end()
})
