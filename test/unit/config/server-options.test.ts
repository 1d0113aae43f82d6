import t from 'tap'
import { loadConfig } from '../../../proxy/config/load.ts'
import { compileServer, parseListen } from '../../../proxy/pipeline/options.ts'

function compile(t: { testdir: (files: Record<string, string>) => string }, yaml: string) {
  const result = loadConfig([t.testdir({ 'c.yaml': `apiVersion: gatewright/v1\n${yaml}` })], {})
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('; '))
  return compileServer(result.document.server, ['server'])
}

t.test('what is not written has the documented default, in bytes and milliseconds', async (t) => {
  t.same(compile(t, ''), {
    settings: {
      listen: { host: '127.0.0.1', port: 8080 },
      admin: { host: '127.0.0.1', port: 9901 },
      bodyBytesMax: 10 * 1024 * 1024,
      headerBytesMax: 64 * 1024,
      headerCountMax: 100,
      jsonDepthMax: 64,
      connectionsMax: 10_000,
      urlBytesMax: 8192,
      bodyRateMin: 240,
      headersTimeoutMs: 10_000,
      bodyTimeoutMs: 60_000,
      keepAliveMs: 5000,
      drainMs: 30_000,
      clientWriteTimeoutMs: 30_000,
      publicNames: [],
      corsOrigins: [],
      overload: undefined,
    },
    problems: [],
  })
})

t.test('a size may be a plain number of bytes, and names are compared in lower case', async (t) => {
  const { settings } = compile(t, 'server: { limits: { body: 2048 }, publicNames: [API.Example.com] }')
  t.match(settings, { bodyBytesMax: 2048, publicNames: ['api.example.com'] })
})

t.test('out of bounds is a problem at its key', async (t) => {
  const { problems } = compile(
    t,
    'server: { listen: "[::1]:99999", admin: "a:1", limits: { body: 2GiB, headerBytes: 1, url: 1MiB }, timeouts: { body: 0ms, drain: 30d } }',
  )
  t.same(
    problems.map(({ message }) => message),
    [
      'server.listen must be host:port with a port from 0 to 65535',
      'server.limits.body must be from 1 to 1GiB',
      'server.limits.headerBytes must be from 1KiB to 1MiB',
      'server.limits.url must be from 64 to 64KiB',
      'server.timeouts.body must be from 1ms to 24h',
      'server.timeouts.drain must be from 1ms to 24h',
    ],
  )
})

t.test('both listeners on one address', async (t) => {
  const same = 'server: { listen: "127.0.0.1:1", admin: "127.0.0.1:1" }'
  t.match(compile(t, same).problems, [{ path: ['server', 'admin'] }])
  t.same(compile(t, same.replaceAll(':1"', ':0"')).problems, [], 'port 0 is a free port for each')
})

t.test('addresses', async (t) => {
  t.same(parseListen('0.0.0.0:80'), { host: '0.0.0.0', port: 80 })
  t.same(parseListen('[::]:0'), { host: '::', port: 0 })
  t.same(parseListen('localhost:65535'), { host: 'localhost', port: 65_535 })
  for (const bad of ['', ':80', '80', 'a:b', 'a:65536', '::1:80', 'a b:1']) t.equal(parseListen(bad), undefined, bad)
})

t.test('overload needs a signal, within bounds', async (t) => {
  t.match(compile(t, 'server: { overload: { eventLoopDelay: 200ms, inflight: 50 } }'), {
    settings: { overload: { loopDelayMs: 200, inflight: 50 } },
    problems: [],
  })
  t.match(compile(t, 'server: { overload: { eventLoopDelay: 1ms } }').problems, [
    { path: ['server', 'overload', 'eventLoopDelay'], message: /from 10ms to 1m/ },
  ])
})
