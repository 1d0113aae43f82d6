import { join } from 'node:path'
import t from 'tap'
import { secretProblems, referencedFiles, secretResolver } from '../../../proxy/config/secrets.ts'

t.test('from the environment and from files', async (t) => {
  const folder = t.testdir({ key: 's3cret\n', two: 's3cret\n\n', crlf: 's3cret\r\n', none: '\n' })
  const resolve = secretResolver({ KEY: 's3cret', EMPTY: '' }, folder)
  t.equal(resolve({ fromEnv: 'KEY' }), 's3cret')
  t.equal(resolve({ fromFile: 'key' }), 's3cret')
  t.equal(resolve({ fromFile: join(folder, 'key') }), 's3cret')
  t.equal(resolve({ fromFile: 'two' }), 's3cret\n', 'one newline goes, not more')
  t.equal(resolve({ fromFile: 'crlf' }), 's3cret')
  t.throws(() => resolve({ fromEnv: 'NONE' }), { message: 'the environment variable NONE is not set' })
  t.throws(() => resolve({ fromEnv: 'EMPTY' }), { message: 'the environment variable EMPTY is empty' })
  t.throws(() => resolve({ fromFile: 'none' }), { message: 'the secret file none is empty' })
  t.throws(() => resolve({ fromFile: 'nowhere' }), { message: 'the secret file nowhere does not exist' })
  t.throws(() => resolve({ fromFile: '.' }), { message: 'the secret file . is a directory' })
})

t.test('the files that a document refers to', async (t) => {
  const document = {
    a: { bearer: { fromFile: 'x' } },
    b: [{ fromFile: '/run/y' }, { fromEnv: 'Z' }],
    c: null,
    audit: { key: { fromFile: 'k' } },
    upstreams: {
      pinned: { protocol: 'mcp', url: 'http://a', pinTools: { manifest: 'tools.json' } },
      seen: { protocol: 'mcp', url: 'http://b', pinTools: true },
    },
  }
  t.same(referencedFiles(document, '/etc/gw'), ['/etc/gw/x', '/run/y', '/etc/gw/tools.json'])
})

t.test('the secrets that are not there, each with its place and a remedy', async (t) => {
  const folder = t.testdir({ key: 's3cret' })
  const document = {
    upstreams: {
      there: { credential: { bearer: { fromFile: 'key' } } },
      a: { credential: { bearer: { fromEnv: 'NONE' } } },
      b: { credential: { header: 'x', value: { fromFile: '/nowhere' } } },
    },
    store: { redis: { password: { fromFile: 'nowhere' } } },
    list: [{ fromEnv: 'SET' }, { fromEnv: 'EMPTY' }],
    audit: { key: { fromFile: 'made at the first start' } },
  }
  const missing = secretProblems(document, secretResolver({ SET: 'x', EMPTY: '' }, folder), 'warning')
  t.same(
    missing.map(({ path, message }) => [path.join('.'), message]),
    [
      ['upstreams.a.credential.bearer.fromEnv', 'the environment variable NONE is not set'],
      ['upstreams.b.credential.value.fromFile', 'the secret file /nowhere does not exist'],
      ['store.redis.password.fromFile', 'the secret file nowhere does not exist'],
      ['list.1.fromEnv', 'the environment variable EMPTY is empty'],
    ],
  )
  const [env, absolute, relative] = missing.map(({ hint }) => hint)
  t.match(env, /ifEnv: NONE/)
  t.notMatch(absolute, /working directory/)
  t.match(relative, /working directory/)
  t.ok(missing.every(({ severity }) => severity === 'warning'))
})

t.test('credentials that no header can carry, by the file that they are in', async (t) => {
  const folder = t.testdir({
    bom: '\ufeffkey\n',
    lines: 'key\nkey\n',
    spaces: ' key \n',
    letters: 'k\u00e9y',
    good: 'key\n',
  })
  const upstreams = Object.fromEntries(
    ['bom', 'lines', 'spaces', 'letters', 'good'].map((file) => [file, { credential: { bearer: { fromFile: file } } }]),
  )
  const vault = { key: { fromFile: 'lines' } }
  const problems = secretProblems({ upstreams, vault }, secretResolver({}, folder), 'error')
  t.same(
    problems.map(({ path, message }) => [path.join('.'), message]),
    [
      ['upstreams.bom.credential.bearer.fromFile', 'the secret file bom begins with a byte order mark'],
      ['upstreams.lines.credential.bearer.fromFile', 'the secret file lines has more than one line'],
      ['upstreams.spaces.credential.bearer.fromFile', 'the secret file spaces begins or ends with white space'],
      [
        'upstreams.letters.credential.bearer.fromFile',
        'the secret file letters holds characters that no header can carry',
      ],
    ],
  )
})
