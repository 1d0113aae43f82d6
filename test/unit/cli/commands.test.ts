// The commands as their users and scripts see them: what they print, and the code they exit with.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { formatVkey } from '../../../proxy/audit/checkpoint.ts'
import { parseKey } from '../../../proxy/audit/key.ts'
import { openLog } from '../../../proxy/audit/log.ts'
import { ManualClock } from '../../support/clock.ts'
import { runHere, workIn, type RanHere } from '../../support/run-here.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const folder = workIn(t)

/** With an input it is a process of its own. */
function run(args: readonly string[], input?: string, env: Record<string, string> = {}): Promise<RanHere> {
  return input === undefined ? runHere(args, env) : spawned(args, input)
}

async function inTurn<const Calls extends readonly (() => Promise<RanHere>)[]>(
  calls: Calls,
): Promise<{ [At in keyof Calls]: RanHere }> {
  const results: RanHere[] = []
  for (const call of calls) results.push(await call())
  return results as { [At in keyof Calls]: RanHere }
}

function spawned(args: readonly string[], input: string): Promise<RanHere> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, 'proxy', 'main.ts'), ...args], { cwd: folder })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    child.on('close', (code) => resolve({ code, out, err }))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return name
}

const policy = `apiVersion: gatewright/v1
upstreams:
  openai: { protocol: openai, url: 'http://127.0.0.1:1' }
routes:
  - { id: openai, path: /openai, upstream: openai }
principals:
  - { id: agent, roles: [researcher], from: [127.0.0.0/8] }
defaultEffect: deny
rules:
  - { id: models, effect: allow, actions: [model.call], models: ['gpt-*'] }
  - { id: no-rm, effect: deny, actions: [tool.call], tools: [rm], reason: No deletions. }
redaction:
  - { id: out, direction: request, detect: [email], action: token }
`
file('good.yaml', policy)
file('bad.yaml', policy.replace('defaultEffect', 'defaultEfect'))
file('broken.yaml', 'a: [')

t.test('check', async (t) => {
  const [good, bad, merged, json, github, broken, missing] = await inTurn([
    () => run(['check', 'good.yaml']),
    () => run(['check', 'bad.yaml']),
    () => run(['check', '--merge', 'good.yaml', 'good.yaml']),
    () => run(['check', '--format', 'json', 'bad.yaml']),
    () => run(['check', '--format', 'github', 'bad.yaml']),
    () => run(['check', 'broken.yaml']),
    () => run(['check', 'missing.yaml']),
  ])
  t.match(good, { code: 0, out: '1 configuration is good\n', err: '' })
  t.equal(bad.code, 1)
  t.match(bad.out, /bad\.yaml:8:1/)
  t.match(bad.out, /defaultEfect/)
  t.match(bad.out, /defaultEffect/, 'says what was meant')
  t.equal(merged.code, 0, 'of several files the later one wins, as for serve')
  t.equal(json.code, 1)
  t.match(JSON.stringify(JSON.parse(json.out)), /"line":8,"column":1/)
  t.equal(github.code, 1)
  t.match(github.out, /^::error file=bad\.yaml,line=8,col(umn)?=1/)
  t.equal(broken.code, 1)
  t.match(broken.out, /broken\.yaml:1/)
  t.match(missing, { code: 2, out: '' })
  t.match(missing.err, /missing\.yaml/)
})

t.test('secrets that are not there', async (t) => {
  const secret = `apiVersion: gatewright/v1
upstreams:
  a: { protocol: http, url: 'http://127.0.0.1:1', credential: { bearer: { fromEnv: GATEWRIGHT_NO_SUCH } } }
routes: [{ id: a, path: /a, upstream: a }]
`
  file('secret.yaml', secret)
  file('secret-and-typo.yaml', `${secret}rules: [{ id: a, effect: deny, routes: [b] }]\n`)
  const [warned, json, strict, both, without, found, refused, typo] = await inTurn([
    () => run(['check', 'secret.yaml']),
    () => run(['check', '-o', 'json', 'secret.yaml']),
    () => run(['check', '--strict', 'secret.yaml']),
    () => run(['check', '--strict', '--secrets', 'secret.yaml']),
    () => run(['check', '--no-secrets', 'secret.yaml']),
    () => run(['check', 'secret.yaml'], undefined, { GATEWRIGHT_NO_SUCH: 'x' }),
    () => run(['serve', '--config', 'secret.yaml']),
    () => run(['serve', '--config', 'secret-and-typo.yaml']),
  ])
  const said = /secret\.yaml:3:84: (\w+): the environment variable GATEWRIGHT_NO_SUCH is not set \(.*ifEnv/
  t.equal(warned.code, 0)
  t.equal(said.exec(warned.out)?.[1], 'warning')
  t.match(warned.out, /1 configuration is good\n$/)
  t.match(JSON.parse(json.out), [
    { line: 3, column: 84, path: 'upstreams.a.credential.bearer.fromEnv', severity: 'warning', hint: String },
  ])
  t.same(strict, { code: 0, out: '1 configuration is good\n', err: '' }, 'a pipeline has no secrets')
  t.equal(both.code, 1)
  t.match(both.out, said)
  t.same([without, found], [strict, strict])
  t.equal(refused.code, 1)
  t.equal(said.exec(refused.err)?.[1], 'error')
  t.match(typo.err, /not set[^]*error: [^]*"b"/, 'with whatever else is wrong')
})

t.test(
  'check takes the files of a folder for parts of one configuration where they are nothing by themselves',
  async (t) => {
    const [head = '', rules = ''] = policy.split(/^(?=rules:)/m)
    for (const name of ['parts', 'parts/below', 'wrong-parts']) {
      mkdirSync(join(folder, name), { recursive: true })
      file(`${name}/a.yaml`, head)
    }
    file('parts/b.yaml', rules)
    file('wrong-parts/b.yaml', rules.replace('effect:', 'efect:'))
    const [parts, wrong, apart] = await inTurn([
      () => run(['check', 'parts']),
      () => run(['check', 'wrong-parts']),
      () => run(['check', 'parts/b.yaml']),
    ])
    t.match(parts, { code: 0, out: /2 configurations are good/ }, 'and what is below the folder is not a part of it')
    t.match(wrong, { code: 1, out: /b\.yaml:\d+:\d+: error: unknown key "efect"/ })
    t.notMatch(wrong.out, 'apiVersion')
    t.match(apart, { code: 1, out: /missing key "apiVersion"/ }, 'a file that is named stands for itself')
  },
)

t.test('test', async (t) => {
  const suite = (rule: string): string => `policy: good.yaml
cases:
  - name: a model that is approved
    principal: { id: agent, roles: [researcher] }
    request: { upstream: openai, body: { model: gpt-4o, messages: [{ role: user, content: 'write to ada@example.org' }] } }
    expect: { effect: allow, rule: ${rule}, redactions: { email: 1 } }
`
  file('good.test.yaml', suite('models'))
  file('failing.test.yaml', suite('other'))
  const [good, failing, covered, json, none, beside, alone] = await inTurn([
    () => run(['test', 'good.test.yaml']),
    () => run(['test', 'failing.test.yaml']),
    () => run(['test', '--require-coverage', 'good.test.yaml']),
    () => run(['test', '-o', 'json', 'good.test.yaml']),
    () => run(['test', 'nothing-here']),
    () => run(['test', 'good.yaml']),
    () => run(['test', 'broken.yaml']),
  ])
  t.equal(good.code, 0, good.err)
  t.match(good.out, /1 passed, 0 failed/)
  t.match(good.out, /no case reaches: no-rm/)
  t.equal(failing.code, 1)
  t.match(failing.out, /FAILED a model that is approved/)
  t.equal(covered.code, 1, 'a rule without a case')
  t.match(JSON.parse(json.out), [{ file: 'good.test.yaml', results: [{ passed: true }], uncovered: ['no-rm'] }])
  t.equal(none.code, 2)
  t.equal(beside.out, good.out, 'the suite beside a policy')
  t.equal(alone.code, 2)
  t.match(alone.err, 'broken.yaml has no broken.test.yaml beside it')

  file(
    'formats.yaml',
    ['gemini', 'ollama'].reduce(
      (text, name) => `${text}\n  - { id: ${name}, path: /${name}, upstream: ${name} }`,
      `apiVersion: gatewright/v1
upstreams:
  gemini: { protocol: gemini, url: https://gemini.example }
  ollama: { protocol: ollama, url: http://localhost:11434 }
rules: [{ id: models, effect: allow, actions: [model.call], models: [small-*] }]
routes:`,
    ),
  )
  const hello = (route: string, said: string): string =>
    `  - { name: ${route}, request: { route: ${route}, body: { model: small-1, ${said} } }, expect: { rule: models } }\n`
  file(
    'formats.test.yaml',
    `policy: formats.yaml\ncases:\n${hello('gemini', 'contents: [{ parts: [{ text: hi }] }]')}${hello('ollama', 'messages: [{ role: user, content: hi }]')}`,
  )
  t.match((await run(['test', 'formats.test.yaml'])).out, /2 passed/, 'a request without a path is the usual one')

  const found = (names: string): string => `policy: good.yaml
cases:
  - name: a
    action: { type: tool.call, tool: rm, via: model }
    findings: { ${names} }
    expect: { effect: deny, redactions: { us-ssn: 0, phnoe: 0 } }
`
  file('names.test.yaml', found('emial: 1, secrets: 2, email: 1'))
  const names = await run(['test', 'names.test.yaml'])
  t.equal(names.code, 1)
  t.match(names.out, /names\.test\.yaml:5:17: error: unknown entity "emial" \(did you mean "email"\?\)/)
  t.match(names.out, /names\.test\.yaml:5:27: error: "secrets" is a group.*\(one of .*private-key/)
  t.match(names.out, /names\.test\.yaml:6:54: error: unknown entity "phnoe" \(did you mean "phone"\?\)/)
  t.equal(names.out.match(/: error: /g)?.length, 3)
  file('shape.test.yaml', found('email: 1').replace('action:', 'acton:'))
  t.match((await run(['test', 'shape.test.yaml'])).out, /shape\.test\.yaml:4:5: error: unknown key "acton"/)
})

t.test('explain', async (t) => {
  const written =
    'principal: { id: agent, roles: [researcher] }\naction: { type: tool.call, tool: rm, via: model, args: {} }\n'
  const asked = file('asked.yaml', written)
  const [text, piped, json, missing] = await inTurn([
    () => run(['explain', '--config', 'good.yaml', '--request', asked]),
    () => run(['explain', '--config', 'good.yaml', '--request', '-'], written),
    () => run(['explain', '-c', 'good.yaml', '-r', asked, '-o', 'json']),
    () => run(['explain', '-c', 'good.yaml', '-r', 'missing.yaml']),
  ])
  t.equal(text.code, 0, text.err)
  t.match(text.out, /deny by rule no-rm: No deletions\./)
  t.match(text.out, /models \(allow\)/, 'every rule is there')
  t.same(piped, text)
  t.match(JSON.parse(json.out), [{ decision: { effect: 'deny', rule: 'no-rm' } }])
  t.equal(missing.code, 2)
  file('misspelt.yaml', 'action: { type: tool.call, tool: rm }\nfindings: { emial: 1 }\n')
  const misspelt = await run(['explain', '-c', 'good.yaml', '-r', 'misspelt.yaml'])
  t.equal(misspelt.code, 2)
  t.match(misspelt.err, /misspelt\.yaml:2:13: error: unknown entity "emial"/)
  const request = '{ upstream: openai, body: { model: claude, messages: [{ role: user, content: hi }] } }'
  file('request.yaml', `principal: { id: agent, roles: [researcher] }\nrequest: ${request}\n`)
  const whole = await run(['explain', '-c', 'good.yaml', '-r', 'request.yaml', '-o', 'json'])
  t.match(JSON.parse(whole.out), [{ action: { type: 'model.call', model: 'claude' }, decision: { effect: 'deny' } }])
})

t.test('scan', async (t) => {
  const text = 'é mail ada@example.org\nssn 378-07-9520\n'
  const lines = `{"id":"a","text":"😀 mail ada@example.org"}\n{"text":"nothing"}\n`
  file('text.txt', text)
  file('lines.jsonl', lines)
  file('clean.txt', 'nothing here\n')
  const [plain, json, jsonl, masked, token, clean, only, unknown, notJson, noField, from] = await inTurn([
    () => run(['scan'], text),
    () => run(['scan', '-o', 'json', 'text.txt']),
    () => run(['scan', '--jsonl', 'text', 'lines.jsonl']),
    () => run(['scan', '--redact', 'mask', 'text.txt']),
    () => run(['scan', '--redact', 'token', 'text.txt']),
    () => run(['scan', 'clean.txt']),
    () => run(['scan', '--detect', 'us-ssn', '--redact', 'mask', 'text.txt']),
    () => run(['scan', '--detect', 'emial', 'text.txt']),
    () => run(['scan', '--jsonl', 'text', 'clean.txt']),
    () => run(['scan', '--jsonl', 'body', 'lines.jsonl']),
    () => run(['scan', 'text.txt', 'missing.txt']),
  ])
  t.equal(plain.code, 1)
  t.match(plain.out, /^-:1:8: email \(pii\), 15 characters\n-:2:5: us-ssn/)
  t.notMatch(plain.out, 'ada@', 'places, not values')
  t.match(JSON.parse(json.out), {
    findings: [{ entity: 'email', group: 'pii', start: 7, end: 22 }, { entity: 'us-ssn' }],
  })
  t.equal(jsonl.code, 1)
  const rows = jsonl.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  t.same(rows, [
    { id: 'a', findings: [{ entity: 'email', group: 'pii', start: 8, end: 23 }] },
    { id: 1, findings: [] },
  ])
  t.equal(masked.out, 'é mail [EMAIL]\nssn [US_SSN]\n')
  t.match(token.out, /^é mail EMAIL_[0-9a-z]{10}\nssn US_SSN_[0-9a-z]{10}\n$/)
  t.match(clean, { code: 0, out: '' })
  t.equal(only.out, 'é mail ada@example.org\nssn [US_SSN]\n')
  t.equal(unknown.code, 2)
  t.match(unknown.err, /did you mean "email"/)
  t.equal(notJson.code, 2)
  t.match(notJson.err, /line 1/)
  t.equal(noField.code, 2)
  t.equal(from.code, 2)

  const [several, withText] = await inTurn([
    () => run(['scan', '-o', 'json', 'text.txt', 'clean.txt']),
    () => run(['scan', '-o', 'json', '--redact', 'mask', 'text.txt']),
  ])
  const documents = several.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  t.match(
    documents,
    [
      { file: 'text.txt', findings: [{}, {}] },
      { file: 'clean.txt', findings: [] },
    ],
    'a line for each',
  )
  t.equal(several.code, 1)
  t.match(JSON.parse(withText.out), { file: 'text.txt', redacted: 'é mail [EMAIL]\nssn [US_SSN]\n' })
})

t.test('-o json wherever something is read', async (t) => {
  const clock = new ManualClock()
  const dir = join(folder, 'audit')
  const log = await openLog({
    dir,
    writer: 'w',
    key: parseKey(Buffer.alloc(32, 7).toString('base64'), 'test'),
    durability: 'strict',
    onFault: (error) => t.fail(String(error)),
    clock,
  })
  await log.commit('outcome', { n: 0 })
  await log.close()
  const [plain, tail, verified, schema, config, text] = await inTurn([
    () => run(['audit', 'tail', dir]),
    () => run(['audit', 'tail', dir, '-o', 'json']),
    () => run(['audit', 'verify', dir, '-o', 'json']),
    () => run(['schema', '-o', 'json']),
    () => run(['check', '-o', 'json', 'good.yaml']),
    () => run(['audit', 'tail', dir, '-o', 'text']),
  ])
  const kinds = tail.out
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { kind: string }).kind)
  t.ok(kinds.includes('outcome'))
  t.equal(plain.out, tail.out)
  t.match(JSON.parse(verified.out), { status: 'intact' })
  t.match(JSON.parse(schema.out), { $id: String })
  t.ok(Array.isArray(JSON.parse(config.out)))
  t.equal(text.code, 3, 'there is no other form')
})

t.test('a log that was tampered with cannot write to the terminal', async (t) => {
  const dir = join(folder, 'obeyed')
  const key = parseKey(Buffer.alloc(32, 7).toString('base64'), 'test')
  const log = await openLog({ dir, writer: 'w', key, durability: 'strict', clock: new ManualClock() })
  await log.close()
  writeFileSync(join(dir, 'w', 'vkey'), formatVkey('gatewright/w\u001b[2J\u001b[Hintact', key.publicKey))
  const [verified, proven] = await inTurn([
    () => run(['audit', 'verify', dir]),
    () => run(['audit', 'prove', dir, '0']),
  ])
  t.match(verified, { code: 1, out: /not signed by the key gatewright\/w\?\[2J\?\[Hintact/ })
  t.match(proven, { code: 3, err: /not signed by the key gatewright\/w\?\[2J\?\[Hintact/ })
  t.notMatch(verified.out + proven.err, '\u001b')
})

t.test('a log, a key or a checkpoint that is not there is said to be so', async (t) => {
  const dir = join(folder, 'audit')
  const bare = file('bare.txt', 'no log here')
  const [noKey, noSince, tail, notALog] = await inTurn([
    () => run(['audit', 'verify', dir, '--key', 'no-such.pub']),
    () => run(['audit', 'verify', dir, '--since', 'no-such-checkpoint']),
    () => run(['audit', 'tail', 'no-such-folder']),
    () => run(['audit', 'tail', bare]),
  ])
  t.same(
    [noKey, noSince, tail, notALog].map(({ code }) => code),
    [3, 3, 3, 3],
  )
  t.equal(noKey.err, 'gatewright: --key is neither a public key (name+hash+base64) nor a file: no-such.pub\n')
  t.equal(noSince.err, 'gatewright: --since names a file that cannot be read: no-such-checkpoint\n')
  t.equal(tail.err, 'gatewright: no-such-folder does not exist\n')
  t.equal(notALog.err, `gatewright: ${bare} is not a folder\n`)
})

t.test('keys generate', async (t) => {
  const [text, json] = await inTurn([() => run(['keys', 'generate']), () => run(['keys', 'generate', '-o', 'json'])])
  t.equal(text.code, 0)
  const { key, sha256 } = JSON.parse(json.out) as { key: string; sha256: string }
  t.equal(createHash('sha256').update(key).digest('hex'), sha256)
  t.ok(key.length >= 32)
  t.notMatch(text.out, key, 'never the same twice')
  t.match(text.out, /sha256: [0-9a-f]{64}\n/)
})

t.test('the schema is the one that is shipped', async (t) => {
  const { code, out } = await run(['schema'])
  t.equal(code, 0)
  t.equal(
    out,
    readFileSync(join(root, 'policies', 'gatewright.schema.json'), 'utf8'),
    'else: gatewright schema > policies/gatewright.schema.json',
  )
})

t.test('wrong calls', async (t) => {
  const calls: readonly (readonly [readonly string[], number])[] = [
    [['nonsense'], 2],
    [['check'], 2],
    [['check', '--format', 'xml', 'good.yaml'], 2],
    [['scan', '--redact', 'block'], 2],
    [['scan', '--redact', 'mask', '--jsonl', 'text', 'lines.jsonl'], 2],
    [['schema', '-o', 'text'], 2],
    [['explain', '-c', 'good.yaml'], 2],
    [['test', 'good.test.yaml', '-o', 'xml'], 2],
    [['keys'], 2],
    [['audit', 'verify'], 3],
    [['audit', 'verify', 'no-such-folder'], 3],
    [['audit', 'verify', '--nonsense', '.'], 3],
    [['audit', 'tail', '.', '-n', 'many'], 3],
    [['serve', '--config', 'missing.yaml'], 1],
    [['serve', '--config', 'bad.yaml'], 1],
    [['--help'], 0],
    [['check', '--help'], 0],
    [['--version'], 0],
  ]
  const results = await inTurn(
    calls.map(
      ([args]) =>
        () =>
          run(args),
    ),
  )
  for (const [index, { code, err, out }] of results.entries()) {
    const [args, want] = calls[index] ?? [[], 0]
    t.equal(code, want, `${args.join(' ')}: ${err.slice(0, 200)}`)
    t.ok((want === 0 ? out : err) !== '', `${args.join(' ')} says something`)
    t.notMatch(err, /\n {4}at /, 'and never a stack')
  }
})

t.test('no colours in a file, nor where NO_COLOR is set', async (t) => {
  for (const env of [{}, { NO_COLOR: '1' }])
    t.notMatch((await run(['test', 'good.test.yaml'], undefined, env)).out, '\u001b[')
})
