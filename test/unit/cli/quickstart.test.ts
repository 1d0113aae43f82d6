// What `npm start` prints to a newcomer: four commands that do what they say, as printed, wherever the data lies.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { root, run } from '../../support/command.ts'
import { compileCache } from '../../support/compile-cache.ts'
import { freePort } from '../../support/redis.ts'

const curl = await run('curl', ['--version'])

t.test('the four commands', { skip: curl.code === 0 ? false : 'curl is not there' }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright quickstart-'))
  const env = {
    PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`,
    NODE_COMPILE_CACHE: compileCache,
    NO_COLOR: '1',
  }
  const child = spawn(process.execPath, ['proxy/main.ts', 'serve'], {
    cwd: root,
    env: {
      ...env,
      GATEWRIGHT_LISTEN: '127.0.0.1:0',
      GATEWRIGHT_ADMIN: '127.0.0.1:0',
      GATEWRIGHT_DEMO: `127.0.0.1:${await freePort()}`,
      GATEWRIGHT_DATA: folder,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = new Promise<number | null>((ended) => child.once('exit', (code) => ended(code)))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await gone
    rmSync(folder, { recursive: true, force: true })
  })
  const printed = await new Promise<string>((whole) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
      if (/^npm .*\n/m.test(text)) whole(text)
    })
    void gone.then(() => whole(text))
  })
  const commands = printed.split('\n').filter((line) => /^(curl|for|npm) /.test(line))
  t.equal(commands.length, 4)
  const outputs: string[] = []
  for (const command of commands) outputs.push((await run('sh', ['-c', command], { env })).stdout)
  const [allowed, denied, limited, proof] = outputs
  t.match(allowed, /^HTTP\/1\.1 200 [^]*x-gatewright-redactions: email=1[^]*write to ada@example\.org/)
  t.match(denied, /^HTTP\/1\.1 403 [^]*Agents may not delete records\./)
  t.equal(limited, '200\n200\n200\n429\n')
  t.match(proof, /: intact\n {2}1[0-9] records /)
  child.kill('SIGTERM')
  t.equal(await gone, 0)
})
