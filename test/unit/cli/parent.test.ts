// A proxy that npm has started ends when the shell between them is told to: not every shell passes a signal on.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../../support/command.ts'
import { compileCache } from '../../support/compile-cache.ts'
import { freePort } from '../../support/redis.ts'

t.test('what npm has started ends in order once its shell is gone', async (t) => {
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
  })
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  let text = ''
  await new Promise<void>((closed) => {
    // Closed by the last process that has it open, which is the proxy.
    shell.stdout.setEncoding('utf8').on('close', closed)
    shell.stdout.on('data', (piece: string) => {
      const served = text.includes('proof')
      text += piece
      if (!served && text.includes('proof')) shell.kill('SIGTERM')
    })
  })
  t.match(text, /"signal":"parent gone","msg":"shutting down"/)
  t.match(text, /"msg":"closed"/)
})
