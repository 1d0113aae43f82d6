// Owns what an idle stream costs in memory: `npm run bench:streams -- [STREAMS] [NODE FLAGS]` opens that many (10,000) through
// one real process with everything on, as it is published, and through the floor, and says what the kernel says they hold; once more
// with less room for young objects, which is what an operator may give a process that is to hold many streams. A stream
// takes two descriptors of the process, so where fewer may be open there are fewer streams, and the figure for all is worked out.
// All run with one malloc arena, as in the image, unless MALLOC_ARENA_MAX says otherwise. Without arguments it writes
// bench/STREAMS.md.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { forkServer, freePort, startCommand } from './children.ts'
import { startFloor } from './contenders/floor.ts'
import { compile } from './contenders/gatewright.ts'
import { agentKey, gatewrightConfig, type Ports } from './gatewright-config.ts'
import { stream200 } from './scenarios/stream-200.ts'

const wanted = Number(process.argv[2] ?? 10_000)
const nodeFlags = process.argv.slice(3)
/** 400 MB. */
const budgetMiB = 400e6 / 2 ** 20
const lessYoung = '--max-semi-space-size=8'
const connectionsMax = 65_535
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
    connections: connectionsMax,
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

type Held = {
  readonly title: string
  readonly beforeMiB: number
  readonly withMiB: number
  readonly eachKiB: number
  readonly allMiB: number
  readonly openedMs: number
}

async function measure(title: string, pid: number, port: number, count: number): Promise<Held> {
  const beforeMiB = residentMiB(pid)
  const startMs = performance.now()
  const streams = await openAll(port, count)
  const openedMs = performance.now() - startMs
  await settled()
  const withMiB = residentMiB(pid)
  for (const socket of streams) socket.destroy()
  await settled()
  const eachKiB = ((withMiB - beforeMiB) * 1024) / count
  return { title, beforeMiB, withMiB, eachKiB, allMiB: beforeMiB + (eachKiB * wanted) / 1024, openedMs }
}

type Contender = { readonly title: string; readonly main: string; readonly flags: readonly string[] }

async function measureGatewright(dir: string, upstreamPort: number, count: number, made: Contender): Promise<Held> {
  const ports = { data: await freePort(), admin: await freePort(), upstream: upstreamPort }
  const configFile = join(dir, 'gatewright.yaml')
  writeFileSync(configFile, stringify(configOf(ports, dir)))
  const command = [...nodeFlags, ...made.flags, made.main, 'serve', '--config', configFile]
  const proxy = await startCommand(process.execPath, command, ports.data, async () => {
    return (await fetch(`http://127.0.0.1:${ports.admin}/readyz`)).ok
  })
  try {
    return await measure(made.title, proxy.pid, ports.data, count)
  } finally {
    await proxy.stop()
  }
}

async function measureFloor(upstreamPort: number, count: number): Promise<Held> {
  const floor = await startFloor(upstreamPort, connectionsMax)
  try {
    return await measure(floor.title, floor.pids[0] as number, floor.port, count)
  } finally {
    await floor.stop()
  }
}

process.env['MALLOC_ARENA_MAX'] ??= '1'
const arenas = process.env['MALLOC_ARENA_MAX']
const count = Math.min(wanted, Math.floor((descriptorsMax() - ownDescriptors) / 2))
const dir = mkdtempSync(join(tmpdir(), 'gatewright-streams-'))
const upstream = await forkServer('idle-upstream.ts')
try {
  const floor = await measureFloor(upstream.port, count)
  const main = await compile(dir)
  const title = 'Gatewright, everything on, compiled'
  const gatewright = await measureGatewright(dir, upstream.port, count, { title, main, flags: [] })
  const titleYoung = `the same, \`node ${lessYoung}\``
  const young = await measureGatewright(dir, upstream.port, count, { title: titleYoung, main, flags: [lessYoung] })
  const lines = [
    '# What idle streams hold in memory',
    '',
    `Written by \`npm run bench:streams\` on ${new Date().toISOString().slice(0, 10)}: Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'} (${cpus().length}).`,
    `${count} streams are opened, a hundred at a time, each with a prompt of ${Buffer.byteLength(stream200.body)} bytes; each has said one event when`,
    `what is resident is read. MALLOC_ARENA_MAX is ${arenas}${arenas === '1' ? ', as in the image' : ''}. The first line is the least that node:http and undici take,`,
    'with nothing looked at: they keep a parser of 10 KiB for each connection, which Gatewright does without while an answer is',
    'silent. The last is with less room for young objects.',
    '',
    `| | without streams | with ${count} | each | ${wanted} | opened in |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...[floor, gatewright, young].map(
      ({ title, beforeMiB, withMiB, eachKiB, allMiB, openedMs }) =>
        `| ${title} | ${beforeMiB.toFixed(0)} MiB | ${withMiB.toFixed(0)} MiB | ${eachKiB.toFixed(1)} KiB | ${allMiB.toFixed(0)} MiB | ${(openedMs / 1000).toFixed(1)} s |`,
    ),
    '',
    `Wanted: less than 400 MB (${budgetMiB.toFixed(0)} MiB) for ten thousand.`,
    '',
  ]
  if (process.argv.length === 2) writeFileSync(join(import.meta.dirname, 'STREAMS.md'), lines.join('\n'))
  process.stdout.write(`${lines.join('\n')}\n`)
  process.exitCode = gatewright.allMiB < budgetMiB ? 0 : 1
} finally {
  await upstream.stop()
  rmSync(dir, { recursive: true, force: true })
}
