// Owns HAProxy as a plain reverse proxy, where it is installed. It looks at nothing.
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, startCommand } from '../children.ts'
import type { Contender } from './contender.ts'

/** Undefined where there is no HAProxy. `dir` is an empty folder. */
export async function startHaproxy(upstreamPort: number, dir: string): Promise<Contender | undefined> {
  if (spawnSync('haproxy', ['-v']).error !== undefined) return undefined
  const port = await freePort()
  const config = join(dir, 'haproxy.cfg')
  await writeFile(config, haproxyConfig(port, upstreamPort))
  const running = await startCommand(
    'haproxy',
    ['-db', '-f', config],
    port,
    async () => (await fetch(`http://127.0.0.1:${port}/up`)).ok,
  )
  return {
    id: 'haproxy',
    title: 'HAProxy, one thread',
    port,
    pids: [running.pid],
    path: '/openai/v1/chat/completions',
    headers: { authorization: 'Bearer bench' },
    expected: {},
    stop: () => running.stop(),
  }
}

function haproxyConfig(port: number, upstreamPort: number): string {
  return `global
  nbthread 1
defaults
  mode http
  timeout connect 3s
  timeout client 60s
  timeout server 60s
frontend data
  bind 127.0.0.1:${port}
  http-request return status 200 if { path /up }
  http-request replace-path /openai(/.*) \\1
  default_backend bench
backend bench
  http-reuse always
  server upstream 127.0.0.1:${upstreamPort}
`
}
