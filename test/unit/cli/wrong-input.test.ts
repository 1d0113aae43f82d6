// What commands say of input that is not what they take: each wrong file has its reason and its exit code, so that a
// script is not told that all is well, or that something was found, when nothing was looked at.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openKeyFile } from '../../../proxy/audit/key.ts'
import { openLog } from '../../../proxy/audit/log.ts'
import { ManualClock } from '../../support/clock.ts'
import { runHere, workIn, type RanHere } from '../../support/run-here.ts'

const folder = workIn(t)
const run = (...args: readonly string[]): Promise<RanHere> => runHere(args)

t.test('scan: what is no reason to say that something was found', async (t) => {
  writeFileSync('mail.txt', 'ada@example.org')
  mkdirSync('folder')
  const refused = await run('scan', 'mail.txt', '--config', 'missing.yaml')
  t.match(refused, { code: 2, out: '', err: /the configuration is refused\nmissing\.yaml.*no such file/ })
  t.match(await run('scan', 'folder'), {
    code: 2,
    err: 'gatewright: folder cannot be read: it is a folder; name the files in it\n',
  })
  t.match(await run('scan', 'gone.txt'), {
    code: 2,
    err: 'gatewright: gone.txt cannot be read: no such file or directory\n',
  })
})

t.test('scan: a byte order mark is no part of the text, and NUL bytes are said', async (t) => {
  writeFileSync('marked.txt', '\ufeffada@example.org')
  const marked = await run('scan', '-o', 'json', 'marked.txt')
  t.match(JSON.parse(marked.out), { findings: [{ start: 0, end: 15 }] })
  t.equal((await run('scan', '--redact', 'mask', 'marked.txt')).out, '\ufeff[EMAIL]', 'what is written keeps it')
  writeFileSync('wide.txt', Buffer.from('ada@example.org', 'utf16le'))
  t.match(await run('scan', 'wide.txt'), { code: 0, out: '', err: /wide\.txt holds NUL bytes, so it is no text/ })
  t.equal((await run('scan', 'marked.txt')).err, '')
})

t.test('audit verify: a file that is no key or no checkpoint', async (t) => {
  const key = await openKeyFile(join(folder, 'audit.key'))
  const log = await openLog({
    dir: 'audit',
    writer: 'w',
    key,
    durability: 'strict',
    onFault: (error) => t.fail(String(error)),
    clock: new ManualClock(),
  })
  await log.commit('policy', { config: 'first' })
  await log.commit('policy', { config: 'second' })
  await log.close()
  t.equal((await run('audit', 'verify', 'audit', '--key', 'audit.key.pub', '--since', 'audit/w/checkpoint')).code, 0)
  const secret = await run('audit', 'verify', 'audit', '--key', 'audit.key')
  t.match(secret, {
    code: 3,
    err: /holds no public key .*: audit\.key; the public half stands beside it, in audit\.key\.pub/,
  })
  t.notMatch(secret.err, 'PRIVATE')
  t.match(await run('audit', 'verify', 'audit', '--since', 'audit.key.pub'), {
    code: 3,
    out: '',
    err: /is no checkpoint/,
  })

  const segment = 'audit/w/00000000000000000000.jsonl'
  writeFileSync(segment, readFileSync(segment, 'utf8').replace('"first"', '"First"'))
  const changed = await run('audit', 'verify', 'audit')
  const [, at] = /first bad record: record ([0-9]+)/.exec(changed.out) ?? []
  t.match(changed.out, `stopped after ${at} good records`, 'the changed one is none of them')
})

t.test('usage: nothing was used is only said of a log', async (t) => {
  mkdirSync('no-log')
  t.match(await run('usage', 'no-log'), { code: 2, err: 'gatewright: no-log holds no audit log\n' })
  t.match(await run('usage', 'gone'), { code: 2, err: 'gatewright: gone cannot be read: no such file or directory\n' })
  t.match(await run('usage', 'mail.txt'), { code: 2, err: 'gatewright: mail.txt cannot be read: it is not a folder\n' })
  const backwards = await run('usage', 'audit', '--from', '2026-12-01', '--to', '2026-11-30')
  t.match(backwards, { code: 2, err: 'gatewright: no day is from 2026-12-01 to 2026-11-30\n' })
  t.equal((await run('usage', 'audit')).code, 0)
})

t.test('serve: an address that cannot be listened on, and a key that has no place', async (t) => {
  writeFileSync('file', '')
  const serve = (listen: string, key: string): string => {
    const audit = `audit: { dir: ./served, key: { fromFile: ${key} } }`
    writeFileSync(
      'serve.yaml',
      `apiVersion: gatewright/v1\nserver: { listen: '${listen}', admin: 127.0.0.1:0 }\n${audit}\n`,
    )
    const main = join(import.meta.dirname, '..', '..', '..', 'proxy', 'main.ts')
    const { status, stderr } = spawnSync(process.execPath, [main, 'serve', '--config', 'serve.yaml'], {
      encoding: 'utf8',
    })
    t.equal(status, 1)
    return stderr
  }
  // 192.0.2.0/24 is for documentation (RFC 5737), so no machine has an address of it.
  t.match(
    serve('192.0.2.1:1', './served.key'),
    /^gatewright: 192\.0\.2\.1:1 is no address of this machine: .*server\.listen/,
  )
  t.match(
    serve('127.0.0.1:0', './file/audit.key'),
    /the audit key \.\/file\/audit\.key can be neither .*audit\.key\)\n$/,
  )
})

t.test('a path that is not there is a wrong call, and a route that is not there is named', async (t) => {
  t.match(await run('check', '--merge', 'gone.yaml'), {
    code: 2,
    out: '',
    err: 'gatewright: gone.yaml does not exist\n',
  })
  const upstreams = 'upstreams: { model: { protocol: openai, url: "http://127.0.0.1:1" } }'
  writeFileSync(
    'routed.yaml',
    `apiVersion: gatewright/v1\n${upstreams}\nroutes: [{ id: m, path: /m, upstream: model }]\n`,
  )
  writeFileSync('request.yaml', 'request: { upstream: modle, body: {} }\n')
  const { err } = await run('explain', '--config', 'routed.yaml', '--request', 'request.yaml')
  t.equal(err, 'gatewright: no route leads to "modle"; there are m to model\n')
})

t.test('what must be given is missed before any file is read', async (t) => {
  const missed = (option: string) => ({ code: 2, out: '', err: `error: required option '${option}' not specified` })
  t.match(await run('explain', '--request', 'request.yaml'), missed('-c, --config <path>'))
  t.match(await run('explain', '--config', 'routed.yaml'), missed('-r, --request <file>'))
  t.match(await run('tools', 'pin', '--upstream', 'model'), missed('-c, --config <path>'))
  t.match(await run('tools', 'pin', '--config', 'routed.yaml'), missed('-u, --upstream <id>'))
})
