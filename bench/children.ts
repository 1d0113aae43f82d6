// Owns the processes of a run: how they are started and told to end.
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Order, Report } from './load.ts'

export type Running = {
  readonly pid: number
  readonly port: number
  stop(): Promise<void>
}

/** A file of this folder that announces the port it serves on. */
export async function forkServer(name: string, ...args: readonly string[]): Promise<Running> {
  const child = fork(join(import.meta.dirname, name), [...args], { stdio: 'inherit' })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { pid: child.pid ?? 0, port, stop: () => end(child) }
}

export type LoadProcess = { readonly pid: number; send(order: Order): Promise<Report>; stop(): Promise<void> }

export function forkLoad(): LoadProcess {
  const child = fork(join(import.meta.dirname, 'load.ts'), [], { stdio: 'inherit' })
  return {
    pid: child.pid ?? 0,
    async send(order) {
      child.send(order)
      const [report] = (await once(child, 'message')) as [Report]
      return report
    },
    stop: () => end(child),
  }
}

/** What the process writes is kept for the error that says it did not start. `ready` is asked until it is true. */
export async function startCommand(
  command: string,
  args: readonly string[],
  port: number,
  ready: () => Promise<boolean>,
): Promise<Running> {
  const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  const keep = (bytes: Buffer): void => {
    said = (said + bytes.toString()).slice(-4000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  child.on('error', (error) => keep(Buffer.from(error.message)))
  const deadlineMs = performance.now() + 20_000
  while (!(await ready().catch(() => false))) {
    if (child.exitCode !== null || child.pid === undefined || performance.now() > deadlineMs) {
      child.kill('SIGKILL')
      throw new Error(`${command} ${args.join(' ')} did not start:\n${said}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { pid: child.pid ?? 0, port, stop: () => end(child) }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
