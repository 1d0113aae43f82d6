// Owns how Gatewright is started: by its own command line, as users start it, with everything on.
import { execFileSync } from 'node:child_process'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { freePort, startCommand } from '../children.ts'
import { agentKey, gatewrightConfig } from '../gatewright-config.ts'
import type { Contender } from './contender.ts'

const root = resolve(import.meta.dirname, '..', '..')

export type GatewrightOptions = {
  readonly upstreamPort: number
  /** An empty folder for configuration, audit log and key; removed again by `stop`. */
  readonly dir: string
  /** Measures the JavaScript that the package publishes instead of the source that Node strips. */
  readonly compiled: boolean
  readonly nodeFlags: readonly string[]
}

export async function startGatewright(options: GatewrightOptions): Promise<Contender> {
  const { dir, upstreamPort } = options
  const [data, admin] = [await freePort(), await freePort()]
  const config = join(dir, 'gatewright.yaml')
  await writeFile(config, stringify(gatewrightConfig({ data, admin, upstream: upstreamPort }, dir)))
  const main = options.compiled ? await compile(dir) : join(root, 'proxy', 'main.ts')
  const running = await startCommand(
    process.execPath,
    [...options.nodeFlags, main, 'serve', '--config', config],
    data,
    async () => (await fetch(`http://127.0.0.1:${admin}/readyz`)).ok,
  )
  return {
    id: 'gatewright',
    title: `Gatewright, everything on${options.compiled ? ', compiled' : ''}`,
    port: data,
    pids: [running.pid],
    path: '/openai/v1/chat/completions',
    headers: { authorization: `Bearer ${agentKey}` },
    expected: { 'x-gatewright-decision': /^allow$/, 'x-gatewright-redactions': /email=[12]/ },
    async stop() {
      await running.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** The path of the program, compiled below `dir` as the package has it. */
export async function compile(dir: string): Promise<string> {
  const out = join(dir, 'package')
  await mkdir(out)
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  execFileSync(tsc, ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(out, 'dist')], { stdio: 'inherit' })
  await symlink(join(root, 'node_modules'), join(out, 'node_modules'))
  await symlink(join(root, 'package.json'), join(out, 'package.json'))
  await symlink(join(root, 'policies'), join(out, 'policies'))
  return join(out, 'dist', 'main.js')
}
