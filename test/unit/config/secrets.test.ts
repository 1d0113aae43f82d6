import { join } from 'node:path'
import t from 'tap'
import { secretFiles, secretResolver } from '../../../proxy/config/secrets.ts'

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
  }
  t.same(secretFiles(document, '/etc/gw'), ['/etc/gw/x', '/run/y'])
})
