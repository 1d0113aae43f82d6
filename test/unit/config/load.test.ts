import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import t from 'tap'
import { type Environment } from '../../../proxy/config/interpolate.ts'
import { loadConfig, type Loaded } from '../../../proxy/config/load.ts'
import { configSchema } from '../../../proxy/config/schema.ts'

function load(path: string, env: Environment = {}): Loaded {
  const result = loadConfig([path], env)
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('; '))
  return result
}

t.test('variables: defaults, escapes, numbers, pieces of expressions', async (t) => {
  const folder = t.testdir({
    'c.yaml': `
apiVersion: gatewright/v1
server:
  listen: "\${HOST:-127.0.0.1}:\${PORT}"
  limits: { headerCount: "\${COUNT}", body: "\${BODY:-}" }
log: { slow: "\${EMPTY:-7s}" }
upstreams:
  a: { protocol: http, url: "http://a/$\${X}/\${INJECT}" }
rules:
  - { id: a, effect: deny, reason: "costs $5", when: 'args.x == "\${PORT}" && args.y == "$\${PORT}"' }
`,
  })
  const env = { PORT: '81', COUNT: '12', BODY: '2MiB', EMPTY: '', INJECT: 'x"\n  b: {}' }
  const { document } = load(join(folder, 'c.yaml'), env)
  t.match(document.server, { listen: '127.0.0.1:81', limits: { headerCount: 12, body: '2MiB' } })
  t.equal(document.log.slow, '7s', 'set to nothing counts as unset where there is a default')
  t.same(document.upstreams['a'], { protocol: 'http', url: 'http://a/${X}/x"\n  b: {}' })
  t.match(document.rules?.[0], { reason: 'costs $5', when: 'args.x == "81" && args.y == "${PORT}"' })
})

t.test('variables: numbers and booleans among alternatives', async (t) => {
  const folder = t.testdir({
    'c.yaml': `
apiVersion: gatewright/v1
server: { limits: { body: "\${BODY}" } }
upstreams:
  a: { protocol: mcp, url: http://a.example, pinTools: "\${PIN:-true}" }
  b: { protocol: mcp, url: http://b.example, pinTools: { manifest: "\${MANIFEST}" } }
routes:
  - { id: a, path: /a, upstream: a, denyStatus: "\${STATUS:-404}" }
  - { id: b, path: /b, upstream: b, denyStatus: "\${PRESET:-codex}" }
detectors:
  - { id: x, url: http://x.example, protocol: presidio, entities: { URL: "\${ENTITY:-true}" } }
`,
  })
  const { document } = load(join(folder, 'c.yaml'), { MANIFEST: 'true', BODY: '512' })
  t.match(document.upstreams, { a: { pinTools: true }, b: { pinTools: { manifest: 'true' } } })
  t.match(document.routes, [{ denyStatus: 404 }, { denyStatus: 'codex' }])
  t.match(document.detectors, [{ entities: { URL: 'true' } }], 'text where text is good')
  t.equal(document.server.limits.body, '512')
  const wrong = loadConfig([folder], { MANIFEST: 'x', BODY: '1', PIN: 'yes', STATUS: '600' })
  t.same(wrong.ok ? [] : wrong.problems.map(({ message }) => message), [
    'upstreams.a.pinTools must be true or false or a map with "manifest", not text',
    'routes[0].denyStatus must be at most 499',
  ])
})

t.test('upstreams are switched by the environment, and take their routes with them', async (t) => {
  const folder = t.testdir({
    'c.yaml': `
apiVersion: gatewright/v1
upstreams:
  real: { protocol: openai, url: "\${URL}", ifEnv: KEY }
  demo: { protocol: openai, url: http://demo, unlessEnv: KEY }
routes:
  - { id: r1, path: /a, upstream: real }
  - { id: r2, path: /a, upstream: demo }
  - { id: r3, path: /b, upstream: demo }
`,
  })
  const off = load(folder, { KEY: '' })
  t.same(Object.keys(off.document.upstreams), ['demo'])
  t.same(
    off.document.routes.map(({ id }) => id),
    ['r2', 'r3'],
  )
  t.same(off.disabled, { upstreams: ['real'], routes: ['r1'] })
  t.match(off.locate({ path: ['routes', 1, 'path'], message: 'x', severity: 'error' }), { line: 9 })
  const on = load(folder, { KEY: 'k', URL: 'http://real' })
  t.same(
    on.document.routes.map(({ id }) => id),
    ['r1'],
  )
  t.same(on.disabled, { upstreams: ['demo'], routes: ['r2', 'r3'] })
})

t.test('the hash follows the meaning, not the writing', async (t) => {
  const folder = t.testdir({
    'a.yaml': 'apiVersion: gatewright/v1\nmode: shadow\ndefaultEffect: deny\n',
    'b.yaml': '# the same\ndefaultEffect: "deny"\nmode: shadow\napiVersion: gatewright/v1\n',
    'c.yaml': 'apiVersion: gatewright/v1\nmode: enforce\ndefaultEffect: deny\n',
  })
  const [a, b, c] = ['a', 'b', 'c'].map((name) => load(join(folder, `${name}.yaml`)).hash)
  t.equal(a, b)
  t.not(a, c)
  t.match(a, /^[0-9a-f]{64}$/)
})

t.test('a mounted ConfigMap is read through its links, and from one generation', async (t) => {
  const folder = t.testdir({ '..2026_1': { 'a.yaml': 'apiVersion: gatewright/v1\n', 'b.yaml': 'mode: shadow\n' } })
  symlinkSync('..2026_1', join(folder, '..data'))
  for (const name of ['a.yaml', 'b.yaml']) symlinkSync(join('..data', name), join(folder, name))
  t.same(load(folder).sources, [join(folder, 'a.yaml'), join(folder, 'b.yaml')])
  t.equal(load(folder).document.mode, 'shadow')
  t.equal(load(join(folder, 'a.yaml')).document.mode, undefined)
})

t.test('files that cannot be read', async (t) => {
  const folder = t.testdir({
    empty: {},
    'big.yaml': 'x'.repeat(5 * 1024 * 1024 + 1),
    'blank.yaml': '\n \n',
    parts: { 'a.yaml': 'apiVersion: gatewright/v1\n', 'rules.yaml': '' },
  })
  writeFileSync(join(folder, 'latin.yaml'), Buffer.from('a: caf\xe9\n', 'latin1'))
  const failure = (path: string): unknown => {
    const result = loadConfig([path], {})
    return result.ok ? undefined : result.problems.map(({ file, message }) => [file, message])
  }
  for (const [name, message] of [
    ['nowhere.yaml', 'no such file or directory'],
    ['empty', 'the directory holds no .yaml file'],
    ['big.yaml', 'larger than 5242880 bytes'],
    ['latin.yaml', 'not valid UTF-8'],
    ['blank.yaml', 'the file is empty'],
  ] as const) {
    t.same(failure(join(folder, name)), [[join(folder, name), message]])
  }
  t.same(failure(join(folder, 'parts')), [[join(folder, 'parts', 'rules.yaml'), 'the file is empty']])
  mkdirSync(join(folder, 'dangling'))
  symlinkSync('gone', join(folder, 'dangling', 'a.yaml'))
  const dangling = join(folder, 'dangling', 'a.yaml')
  t.same(failure(join(folder, 'dangling')), [[dangling, 'no such file or directory']], 'the file, not its folder')
  mkdirSync(join(folder, 'nested', 'a.yaml'), { recursive: true })
  t.same(failure(join(folder, 'nested')), [[join(folder, 'nested', 'a.yaml'), 'is a directory']])
  rmSync(join(folder, 'big.yaml'))
})

t.test('what is no UTF-8 is shown where it stands', async (t) => {
  const file = join(t.testdir({}), 'mangled.yaml')
  for (const [bytes, line, column] of [
    [Buffer.from('# ä\na: 1\nb: caf\xe9 x\n', 'latin1'), 1, 3],
    [Buffer.concat([Buffer.from('# ä😀\na: 1\nb: ä'), Buffer.from([0xff]), Buffer.from('ö\n')]), 3, 5],
    [Buffer.from([0x61, 0x0a, 0xc3]), 2, 1],
    [Buffer.from('\ufeffa: 1\n', 'utf16le'), 1, 1],
  ] as const) {
    writeFileSync(file, bytes)
    t.match(
      loadConfig([file], {}),
      { problems: [{ file, line, column, message: 'not valid UTF-8' }] },
      bytes.toString('hex'),
    )
  }
})

t.test('the joined schema is a valid draft-07 schema in which every property is described', async (t) => {
  t.ok(new Ajv({ strict: true, allowUnionTypes: true }).validateSchema(configSchema))
  const bare = Object.entries(configSchema.properties).filter(([, schema]) => !('description' in schema))
  t.same(bare, [])
  t.doesNotThrow(() => JSON.parse(JSON.stringify(configSchema)) as unknown)
})
