// Faults of the proxy's own process.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Called } from '../../support/chaos-calls.ts'
import { probe, type ProxyProcess } from '../../support/proxy-process.ts'
import type { Fault } from './fault.ts'

/** One process under fault, and who calls through it. */
export type Ground = {
  readonly proxy: ProxyProcess
  readonly configFile: string
  /** Some agents with calls of all kinds, a denied one among them. */
  readonly call: () => Promise<Called[]>
  /** That many streams, which stay where they are after their first word. */
  readonly holdStreams: (count: number) => Promise<HeldStreams>
}

export type HeldStreams = {
  readonly ended: Promise<Called[]>
  /** At the model's end. */
  readonly responses: readonly ServerResponse[]
  finish(response: ServerResponse): void
}

export type ProcessFault = Fault & {
  readonly suffer: (ground: Ground) => Promise<Called[]>
  /** A command that must be there. */
  readonly needs?: string
  /** It ends the process. */
  readonly final?: true
}

/** Reloads: half of them with a configuration that is refused. */
const reloads = 12
const streams = 200
const idleConnections = 60
const connectionsAtDescriptorsLimit = 8

export const processes: readonly ProcessFault[] = [
  {
    id: 'descriptors',
    what: 'no file or socket can be opened any more, while more connections come than there may be',
    suffer: async (ground) => {
      const { proxy } = ground
      const open = readdirSync(`/proc/${proxy.pid}/fd`).length
      limitDescriptors(proxy, open + connectionsAtDescriptorsLimit)
      const idle = Array.from({ length: idleConnections }, () => idleConnection(proxy))
      const made = await ground.call()
      limitDescriptors(proxy, 1024)
      for (const socket of idle) socket.destroy()
      return made
    },
    needs: 'prlimit',
    ends: ['broken'],
    also: ['complete', 'refused'],
  },
  {
    id: 'stopped',
    what: 'the process is stopped for longer than the answers may take, and goes on',
    suffer: async (ground) => {
      const { proxy } = ground
      const held = await ground.holdStreams(20)
      proxy.signal('SIGSTOP')
      while (stateOf(proxy) !== 'T') await new Promise(setImmediate)
      const called = ground.call()
      for (const response of held.responses) held.finish(response)
      await new Promise((over) => setTimeout(over, 700))
      proxy.signal('SIGCONT')
      return [...(await held.ended), ...(await called)]
    },
    ends: ['complete'],
    also: ['refused', 'told'],
  },
  {
    id: 'reloads',
    what: `SIGHUP ${reloads} times under load, every other time with a configuration that is refused`,
    suffer: async (ground) => {
      const { proxy, configFile } = ground
      const good = readFileSync(configFile, 'utf8')
      const calls = [ground.call(), ground.call()]
      for (let at = 0; at < reloads; at++) {
        const before = await reloadsOf(proxy)
        writeFileSync(configFile, at % 2 === 0 ? `${good}nonsense: [\n` : `${good}\n# ${at}\n`)
        proxy.signal('SIGHUP')
        while ((await reloadsOf(proxy)) === before);
        if (at % 4 === 0) calls.push(ground.call())
      }
      return (await Promise.all(calls)).flat()
    },
    ends: ['complete'],
  },
  {
    id: 'terminated',
    what: `SIGTERM under ${streams} streams, of which half end before the deadline`,
    suffer: async ({ proxy, holdStreams }) => {
      const held = await holdStreams(streams)
      proxy.signal('SIGTERM')
      await untilRefused(proxy)
      for (const response of held.responses.slice(0, streams / 2)) held.finish(response)
      return held.ended
    },
    ends: ['complete', 'told'],
    final: true,
  },
]

function limitDescriptors({ pid }: ProxyProcess, count: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${count}:`])
}

function idleConnection({ url }: ProxyProcess): Socket {
  return connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined)
}

/** Nobody new is let in, so it has begun to end. */
async function untilRefused(proxy: ProxyProcess): Promise<void> {
  for (;;) {
    const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1')
    const refused = await once(socket, 'connect').then(
      () => false,
      () => true,
    )
    socket.destroy()
    if (refused) return
  }
}

function stateOf({ pid }: ProxyProcess): string | undefined {
  return /\) (\S) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
}

async function reloadsOf({ adminUrl }: ProxyProcess): Promise<number> {
  const { body } = await probe(`${adminUrl}/metrics`)
  return [...body.matchAll(/^gatewright_config_reloads_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  )
}
