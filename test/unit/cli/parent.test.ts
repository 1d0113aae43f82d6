// A proxy that npm has started ends when the shell between them is told to: not every shell passes a signal on.
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { root } from '../../support/command.ts'
import { compileCache } from '../../support/compile-cache.ts'
import { probe } from '../../support/proxy-process.ts'
import { freePort } from '../../support/redis.ts'
import { until } from '../../support/until.ts'

t.test('what npm has started ends in order once its shell is gone', async (t) => {
  const { shell, said, closed } = await startUnderShell(t)
  shell.kill('SIGTERM')
  await closed
  t.match(said(), /"signal":"parent gone","msg":"shutting down"/)
  t.match(said(), /"msg":"closed"/)
})

t.test('a signal to the whole group is one signal, although the shell is gone at once', async (t) => {
  const { shell, said, closed } = await startUnderShell(t)
  const [, host = '', port = '', admin = ''] = /data on http:\/\/(\S+):(\d+), admin on (\S+)/.exec(said()) ?? []
  const uptime = async (): Promise<number> =>
    Number(/"uptimeSeconds":(\d+)/.exec((await probe(`${admin}/health/stats`)).body)?.[1])
  // Keeps the proxy from ending for as long as it is not whole.
  const upload = connect(Number(port), host)
  upload.write(
    'POST /tools/crm/customers HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{',
  )
  await until(async () => (await probe(`${admin}/health/stats`)).body.includes('"inflight":1'))
  process.kill(-(shell.pid ?? 0), 'SIGTERM')
  await once(shell, 'exit')
  // It looks for its parent several times a second.
  const before = await uptime()
  await until(async () => (await uptime()) > before + 1)
  upload.write('}')
  const [answer] = (await once(upload, 'data')) as [Buffer]
  t.match(answer.toString(), /^HTTP\/1\.1 2/)
  upload.destroy()
  await closed
  t.match(said(), /"signal":"SIGTERM","msg":"shutting down"/)
  t.match(said(), /"msg":"closed"/)
})

type Started = {
  readonly shell: ChildProcessByStdio<null, Readable, null>
  /** All output so far. */
  readonly said: () => string
  /** The last process that has the output open is gone, which is the proxy. */
  readonly closed: Promise<unknown>
}

/** A process group: a shell as npm has it, and the quickstart, which serves. */
async function startUnderShell(t: Test): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-parent-'))
  // With a command behind it the shell stays, as dash does in any case.
  const shell = spawn('sh', ['-c', `'${process.execPath}' proxy/main.ts serve; true`], {
    cwd: root,
    env: {
      PATH: process.env['PATH'] ?? '',
      NODE_COMPILE_CACHE: compileCache,
      NO_COLOR: '1',
      npm_lifecycle_event: 'start',
      GATEWRIGHT_LISTEN: '127.0.0.1:0',
      GATEWRIGHT_ADMIN: '127.0.0.1:0',
      GATEWRIGHT_DEMO: `127.0.0.1:${await freePort()}`,
      GATEWRIGHT_DATA: folder,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  let text = ''
  const closed = once(shell.stdout, 'close')
  shell.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  await until(() => text.includes('proof'))
  return { shell, said: () => text, closed }
}
