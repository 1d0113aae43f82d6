// Starts, stalls and kills real redis-servers for tests, each on a port and in a folder of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export type RedisServer = {
  readonly url: string
  readonly port: number
  /** SIGSTOP: the kernel still accepts connections, nobody answers. */
  stall(): void
  resume(): void
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** Again on the same port, after kill. */
  start(options?: StartOptions): Promise<void>
  /** Kills it and removes its folder. */
  close(): Promise<void>
}

export type StartOptions = {
  readonly flags?: readonly string[]
  /** A piece of the log line to wait for; by default, that it serves. */
  readonly until?: string
}

export async function startRedis(binary: string, options: StartOptions = {}): Promise<RedisServer> {
  const port = await freePort()
  const dir = await mkdtemp(join(tmpdir(), 'gatewright-redis-'))
  let child: ChildProcess | undefined
  const kill = async (): Promise<void> => {
    const running = child
    child = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const gone = once(running, 'exit')
    running.kill('SIGKILL')
    await gone
  }
  const server: RedisServer = {
    url: `redis://127.0.0.1:${port}`,
    port,
    stall: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    kill,
    async start({ flags = [], until = 'Ready to accept connections' } = {}) {
      const args = [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--dir',
        dir,
        '--save',
        '',
        '--appendonly',
        'no',
        ...flags,
      ]
      child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      await logged(child, until)
    },
    async close() {
      await kill()
      await rm(dir, { recursive: true, force: true })
    },
  }
  await server.start(options)
  return server
}

/** Reads on afterwards, so that the server never waits for a full pipe. */
function logged(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error('no log')
    createInterface(child.stdout).on('line', (line) => line.includes(text) && resolve())
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code} before it logged "${text}"`)))
  })
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
