// Owns the neighbour of the same trade: Portkey's gateway, where its package is installed. It runs as it comes: neither
// guardrails nor limits nor a log, so it does much less than Gatewright does.
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import { freePort, startCommand } from '../children.ts'
import type { Contender } from './contender.ts'

/** Undefined where there is no package. */
export async function startPortkey(upstreamPort: number): Promise<Contender | undefined> {
  const manifest = installed()
  if (manifest === undefined) return undefined
  const { version, bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string; bin: string }
  const port = await freePort()
  const running = await startCommand(
    process.execPath,
    [join(dirname(manifest), bin), `--port=${port}`, '--headless'],
    port,
    async () => (await fetch(`http://127.0.0.1:${port}/`)).ok,
  )
  return {
    id: 'portkey',
    title: `@portkey-ai/gateway ${version} as it comes: no guardrails, no limits, no log`,
    port,
    pids: [running.pid],
    path: '/v1/chat/completions',
    headers: {
      authorization: 'Bearer bench',
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${upstreamPort}/v1`,
    },
    expected: {},
    stop: () => running.stop(),
  }
}

function installed(): string | undefined {
  try {
    return findPackageJSON('@portkey-ai/gateway', import.meta.url)
  } catch {
    return undefined
  }
}
