import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { Ajv } from 'ajv'
import type { UpstreamOptions } from '../../../proxy/upstream/options.ts'
import { upstreamsSchema } from '../../../proxy/upstream/options.ts'
import { compileUpstream } from '../../../proxy/upstream/settings.ts'

const plain: UpstreamOptions = { protocol: 'openai', url: 'https://api.example.com' }

t.test('defaults', async (t) => {
  t.strictSame(compileUpstream(plain, []).settings, {
    origin: 'https://api.example.com',
    basePath: '',
    credentials: [],
    cookies: false,
    timeouts: { connectMs: 3000, firstByteMs: 120_000, idleMs: 60_000, totalMs: 900_000 },
    breaker: {
      mode: 'auto',
      groups: [],
      consecutive: 5,
      ratio: 0.5,
      minimum: 20,
      windowMs: 10_000,
      openMs: 5000,
      openMaxMs: 60_000,
    },
    retry: { attempts: 2, budget: 0.2, unsafe: false, repeatAnswered: true },
    egress: { only: undefined, localhost: false },
    connections: 256,
    hedgeAfterMs: undefined,
    concurrency: undefined,
  })
  t.match(compileUpstream({ ...plain, protocol: 'http' }, []).settings, {
    retry: { repeatAnswered: false },
    cookies: true,
  })
})

t.test('what operators write', async (t) => {
  const { settings } = compileUpstream(
    {
      ...plain,
      url: 'http://Example.COM:8080/a/b/',
      timeouts: { connect: '250ms', firstByte: '10s', idle: '5s', total: '24h' },
      breaker: { open: '2m', consecutive: 1 },
      retry: { attempts: 1 },
      models: { fast: 'm-1', quick: 'm-1', slow: 'm-2' },
      connections: 4,
    },
    [],
  )
  t.match(settings, {
    origin: 'http://example.com:8080',
    basePath: '/a/b',
    timeouts: { connectMs: 250, firstByteMs: 10_000, idleMs: 5000, totalMs: 86_400_000 },
    breaker: { openMs: 120_000, openMaxMs: 120_000, consecutive: 1 },
    retry: { attempts: 1 },
    connections: 4,
  })
})

t.test('what is wrong is named where it stands', async (t) => {
  const rows: [Partial<UpstreamOptions>, (string | number)[], RegExp][] = [
    [{ pinTools: true }, ['pinTools'], /only the tools of an mcp upstream/],
    [{ url: 'api.example.com' }, ['url'], /not a URL/],
    [{ url: '/v1' }, ['url'], /not a URL/],
    [{ url: 'ftp://x.example' }, ['url'], /only http and https/],
    [{ url: 'unix:/run/x.sock' }, ['url'], /only http and https/],
    [{ url: 'file:///etc/passwd' }, ['url'], /only http and https/],
    [{ url: 'gopher://x.example' }, ['url'], /only http and https/],
    [{ url: 'https://user:pw@x.example' }, ['url'], /must not carry credentials/],
    [{ url: 'https://user@x.example' }, ['url'], /must not carry credentials/],
    [{ url: 'https://evil.example#.good.example' }, ['url'], /no fragment/],
    [{ url: 'https://x.example/#' }, ['url'], /no fragment/],
    [{ url: 'https://x.example/?a=1' }, ['url'], /no query/],
    [{ url: 'https://x.example/?' }, ['url'], /no query/],
    [{ timeouts: { idle: 'soon' } }, ['timeouts', 'idle'], /not a duration/],
    [{ timeouts: { connect: '0s' } }, ['timeouts', 'connect'], /between/],
    [{ timeouts: { total: '25d' } }, ['timeouts', 'total'], /between/],
    [{ breaker: { open: '10s', openMax: '5s' } }, ['breaker', 'openMax'], /shorter/],
    [{ egress: ['nowhere'] }, ['egress', 0], /not an address range/],
    [{ credential: { header: 'Host', value: { fromEnv: 'X' } } }, ['credential', 'header'], /cannot travel/],
    [{ credential: { header: 'Content-Length', value: { fromEnv: 'X' } } }, ['credential', 'header'], /cannot travel/],
    [{ ifEnv: 'KEY', unlessEnv: 'KEY' }, ['unlessEnv'], /never exist/],
  ]
  for (const [options, path, message] of rows) {
    const { problems, settings } = compileUpstream({ ...plain, ...options }, ['upstreams', 'x'])
    t.equal(settings, undefined, JSON.stringify(options))
    t.equal(problems.length, 1, JSON.stringify(options))
    t.strictSame(problems[0]?.path, ['upstreams', 'x', ...path])
    t.match(problems[0]?.message, message)
    t.notMatch(JSON.stringify(problems), 'user:pw', 'no credential in a message')
  }
})

t.test('the schema takes what the interface shows and nothing unknown', async (t) => {
  const valid = new Ajv({ strict: true, allErrors: true }).compile(upstreamsSchema)
  const full = {
    openai: {
      protocol: 'openai',
      url: 'https://api.openai.com',
      credential: { bearer: { fromEnv: 'OPENAI_API_KEY' } },
      timeouts: { connect: '3s', firstByte: '120s', idle: '60s', total: '15m' },
      breaker: { consecutive: 5, ratio: 0.5, minimum: 20, window: '10s', open: '5s', openMax: '60s' },
      retry: { attempts: 2, budget: 0.2 },
      egress: ['203.0.113.0/24'],
      ifEnv: 'OPENAI_API_KEY',
    },
    keyed: {
      protocol: 'anthropic',
      url: 'https://x.example',
      credential: { header: 'x-api-key', value: { fromFile: '/k' } },
    },
  }
  t.ok(valid(full), JSON.stringify(valid.errors))
  const bad: object[] = [
    { url: 'https://x.example' },
    { protocol: 'openai' },
    { ...plain, socketPath: '/run/x.sock' },
    { ...plain, protocol: 'smtp' },
    { ...plain, credential: { bearer: 'sk-written-here' } },
    { ...plain, credential: { header: 'bad header', value: { fromEnv: 'X' } } },
    { ...plain, timeouts: { connect: 3 } },
    { ...plain, breaker: { ratio: 0 } },
    { ...plain, retry: { attempts: 0 } },
    { ...plain, connections: 0 },
    { ...plain, egress: [] },
  ]
  for (const options of bad) t.notOk(valid({ x: options }), JSON.stringify(options))
  t.notOk(valid({ 'a/b': plain }), 'a name with a slash')
})

const vectors = new URL('../../../../shared/vectors/url/', import.meta.url)
const skip = existsSync(vectors) ? false : 'shared/ is absent'

t.test('published URLs: only plain http and https become upstreams, on the host they mean', { skip }, async (t) => {
  type Row = {
    readonly input: string
    readonly base: string | null
    readonly href?: string
    readonly failure?: boolean
  }
  const rows = (JSON.parse(readFileSync(new URL('wpt-urltestdata.json', vectors), 'utf8')) as (string | Row)[]).flatMap(
    (row) => (typeof row === 'string' ? [] : [row]),
  )
  t.ok(rows.length > 800)
  let served = 0
  for (const { input, base, href, failure } of rows) {
    const { settings } = compileUpstream({ ...plain, url: input }, [])
    if (settings === undefined) continue
    served += 1
    t.match(settings.origin, /^https?:\/\/[^/@]+$/, input)
    if (base === null) t.notOk(failure, input)
    // Against a base of another scheme the same text means the same place.
    if (base === null && href !== undefined) t.ok(href.startsWith(settings.origin), `${input} is ${settings.origin}`)
  }
  t.ok(served > 50, `${served} served`)
})

t.test('published host names: an upstream has the name that the socket looks up', { skip }, async (t) => {
  type Row = { readonly input: string; readonly output: string | null }
  const rows = (JSON.parse(readFileSync(new URL('wpt-toascii.json', vectors), 'utf8')) as (string | Row)[]).flatMap(
    (row) => (typeof row === 'string' ? [] : [row]),
  )
  t.ok(rows.length > 50)
  for (const { input, output } of rows) {
    const { settings } = compileUpstream({ ...plain, url: `https://${input}/x` }, [])
    t.equal(settings?.origin, output === null || output === '' ? undefined : `https://${output}`, JSON.stringify(input))
  }
})

t.test('concurrency has defaults, and no more than connections', async (t) => {
  t.match(compileUpstream({ ...plain, concurrency: {} }, []).settings?.concurrency, {
    max: 256,
    adaptive: false,
    queue: 100,
    queueTimeoutMs: 1000,
  })
  const { problems, settings } = compileUpstream({ ...plain, connections: 8, concurrency: { max: 9 } }, ['u'])
  t.equal(settings, undefined)
  t.match(problems, [{ path: ['u', 'concurrency', 'max'], hint: 'raise connections, too' }])
})
