// Owns what an idle stream costs in memory: `npm run bench:streams -- [STREAMS] [NODE FLAGS]` opens that many (10,000) through
// one real process with everything on, as it is published, and prints what the kernel says it holds. A stream takes two descriptors of the
// process, so where fewer may be open there are fewer streams, and the figure for all is worked out.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { forkServer, freePort, startCommand } from './children.ts'
import { compile } from './contenders/gatewright.ts'
import { agentKey, gatewrightConfig, type Ports } from './gatewright-config.ts'
import { stream200 } from './scenarios/stream-200.ts'

const wanted = Number(process.argv[2] ?? 10_000)
const nodeFlags = process.argv.slice(3)
const budgetMiB = 400
/** Listeners, log, store and what else the process has open. */
const ownDescriptors = 60
const openingAtOnce = 100
const settleMs = 3_000

function descriptorsMax(): number {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return Number(soft)
}

function residentMiB(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kibibytes) / 1024
}

/** Everything on, and nothing that would end a stream of which nothing is heard. */
function configOf(ports: Ports, dir: string): object {
  const config = gatewrightConfig(ports, dir) as { upstreams: { openai: object } }
  const openai = {
    ...config.upstreams.openai,
    connections: 65_535,
    timeouts: { connect: '60s', firstByte: '10m', idle: '1h', total: '1h' },
  }
  return { ...config, upstreams: { ...config.upstreams, openai } }
}

/** Resolves when the first event of the stream is there. */
async function openStream(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const head = `POST /openai/v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${agentKey}\r\n`
  const body = Buffer.from(stream200.body)
  socket.write(`${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`)
  socket.write(body)
  let said = ''
  while (!said.includes('data: ')) {
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    said += bytes.toString('latin1')
    if (!said.startsWith('HTTP/1.1 200 ')) throw new Error(`no stream but ${said.slice(0, 300)}`)
  }
  return socket
}

async function openAll(port: number, count: number): Promise<Socket[]> {
  const streams: Socket[] = []
  let left = count
  const opener = async (): Promise<void> => {
    while (left-- > 0) streams.push(await openStream(port))
  }
  await Promise.all(Array.from({ length: openingAtOnce }, opener))
  return streams
}

function settled(): Promise<void> {
  return new Promise((done) => setTimeout(done, settleMs))
}

const count = Math.min(wanted, Math.floor((descriptorsMax() - ownDescriptors) / 2))
const dir = mkdtempSync(join(tmpdir(), 'gatewright-streams-'))
const upstream = await forkServer('idle-upstream.ts')
const ports = { data: await freePort(), admin: await freePort(), upstream: upstream.port }
const configFile = join(dir, 'gatewright.yaml')
writeFileSync(configFile, stringify(configOf(ports, dir)))
const command = [...nodeFlags, await compile(dir), 'serve', '--config', configFile]
const proxy = await startCommand(process.execPath, command, ports.data, async () => {
  return (await fetch(`http://127.0.0.1:${ports.admin}/readyz`)).ok
})
try {
  const beforeMiB = residentMiB(proxy.pid)
  const startMs = performance.now()
  const streams = await openAll(ports.data, count)
  const openedMs = performance.now() - startMs
  await settled()
  const withMiB = residentMiB(proxy.pid)
  const eachKiB = ((withMiB - beforeMiB) * 1024) / count
  const wantedMiB = beforeMiB + (eachKiB * wanted) / 1024
  const lines = [
    `${beforeMiB.toFixed(0)} MiB without streams`,
    `${withMiB.toFixed(0)} MiB with ${count} idle streams, opened in ${(openedMs / 1000).toFixed(1)} s`,
    `${eachKiB.toFixed(1)} KiB each; ${wanted} are ${wantedMiB.toFixed(0)} MiB of ${budgetMiB}`,
  ]
  for (const socket of streams) socket.destroy()
  await settled()
  lines.push(`${residentMiB(proxy.pid).toFixed(0)} MiB after they ended`)
  process.stdout.write(`${lines.join('\n')}\n`)
  process.exitCode = wantedMiB < budgetMiB ? 0 : 1
} finally {
  await proxy.stop()
  await upstream.stop()
  rmSync(dir, { recursive: true, force: true })
}
