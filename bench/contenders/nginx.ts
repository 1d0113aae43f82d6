// Owns the neighbour that many know: nginx as a plain reverse proxy, where it is installed. It looks at nothing either.
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, startCommand } from '../children.ts'
import type { Contender } from './contender.ts'

/** Undefined where there is no nginx. `dir` is an empty folder. */
export async function startNginx(upstreamPort: number, dir: string): Promise<Contender | undefined> {
  if (spawnSync('nginx', ['-v']).error !== undefined) return undefined
  const port = await freePort()
  const config = join(dir, 'nginx.conf')
  await mkdir(join(dir, 'temp'))
  await writeFile(config, nginxConfig(port, upstreamPort, dir))
  const running = await startCommand(
    'nginx',
    ['-c', config, '-e', join(dir, 'error.log')],
    port,
    async () => (await fetch(`http://127.0.0.1:${port}/up`)).status === 204,
  )
  const worker = await readFile(`/proc/${running.pid}/task/${running.pid}/children`, 'utf8')
  return {
    id: 'nginx',
    title: 'nginx proxy_pass, one worker',
    port,
    pids: [running.pid, ...worker.trim().split(' ').map(Number)],
    path: '/openai/v1/chat/completions',
    headers: { authorization: 'Bearer bench' },
    expected: {},
    stop: () => running.stop(),
  }
}

function nginxConfig(port: number, upstreamPort: number, dir: string): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${join(dir, 'temp', name)};\n`,
  )
  return `daemon off;
worker_processes 1;
pid ${join(dir, 'nginx.pid')};
events { worker_connections 1024; }
http {
  access_log off;
${temp.join('')}  keepalive_requests 10000000;
  upstream bench { server 127.0.0.1:${upstreamPort}; keepalive 256; }
  server {
    listen 127.0.0.1:${port};
    location = /up { return 204; }
    location /openai/ {
      proxy_pass http://bench/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`
}
