// Owns what an idle stream costs in memory: `npm run bench:streams -- [STREAMS] [NODE FLAGS]` opens that many (10,000) through
// one real process with everything on, as it is published, and through the floor, and says what the kernel says they hold, when
// they have just been opened and when they have been idle for so long that V8 gave back what nobody used; once more with the
// flag for young objects that the image gives. A stream takes two descriptors of the process, so where fewer may be open there
// are fewer streams, and the figures for all are worked out.
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
const imageYoung = '--max-semi-space-size=16'
const connectionsMax = 65_535
/** Listeners, log, store and what else the process has open. */
const ownDescriptors = 60
const openingAtOnce = 100
const settleMs = 3_000
/** V8 collects with care for memory 100 s after the last collection of all, and looks every 8 s whether it is time. */
const restMs = 120_000
const probeEveryMs = 20

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

function passed(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

/** The longest that a probe had to wait while the process rested: a pause of its event loop, or of the machine. */
async function rest(probe: string): Promise<number> {
  let longestMs = 0
  const endMs = performance.now() + restMs
  while (performance.now() < endMs) {
    const askedMs = performance.now()
    await (await fetch(probe)).arrayBuffer()
    longestMs = Math.max(longestMs, performance.now() - askedMs)
    await passed(probeEveryMs)
  }
  return longestMs
}

type Held = {
  readonly title: string
  readonly beforeMiB: number
  readonly eachKiB: number
  /** All that were wanted, just opened and after a rest. */
  readonly openedMiB: number
  readonly restedMiB: number
  readonly openedMs: number
  readonly longestMs: number | undefined
}

async function measure(
  title: string,
  pid: number,
  port: number,
  count: number,
  probe: string | undefined,
): Promise<Held> {
  const beforeMiB = residentMiB(pid)
  const allMiB = (withMiB: number): number => beforeMiB + ((withMiB - beforeMiB) * wanted) / count
  const startMs = performance.now()
  const streams = await openAll(port, count)
  const openedMs = performance.now() - startMs
  await passed(settleMs)
  const withMiB = residentMiB(pid)
  const longestMs = probe === undefined ? undefined : await rest(probe)
  if (probe === undefined) await passed(restMs)
  const restedMiB = allMiB(residentMiB(pid))
  for (const socket of streams) socket.destroy()
  await passed(settleMs)
  const eachKiB = ((withMiB - beforeMiB) * 1024) / count
  return { title, beforeMiB, eachKiB, openedMiB: allMiB(withMiB), restedMiB, openedMs, longestMs }
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
    return await measure(made.title, proxy.pid, ports.data, count, `http://127.0.0.1:${ports.admin}/livez`)
  } finally {
    await proxy.stop()
  }
}

async function measureFloor(upstreamPort: number, count: number): Promise<Held> {
  const floor = await startFloor(upstreamPort, connectionsMax)
  try {
    return await measure(floor.title, floor.pids[0] as number, floor.port, count, undefined)
  } finally {
    await floor.stop()
  }
}

function rowOf({ title, beforeMiB, openedMiB, eachKiB, restedMiB, openedMs, longestMs }: Held): string {
  const wait = longestMs === undefined ? '' : `${longestMs.toFixed(0)} ms`
  const cells = [title, mib(beforeMiB), mib(openedMiB), `${eachKiB.toFixed(1)} KiB`, mib(restedMiB)]
  return `| ${[...cells, `${(openedMs / 1000).toFixed(1)} s`, wait].join(' | ')} |`
}

function mib(amount: number): string {
  return `${amount.toFixed(0)} MiB`
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
  const titleYoung = `the same, \`node ${imageYoung}\`, as in the image`
  const young = await measureGatewright(dir, upstream.port, count, { title: titleYoung, main, flags: [imageYoung] })
  const lines = [
    '# What idle streams hold in memory',
    '',
    `Written by \`npm run bench:streams\` on ${new Date().toISOString().slice(0, 10)}: Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'} (${cpus().length}).`,
    `${count} streams are opened, a hundred at a time, each with a prompt of ${Buffer.byteLength(stream200.body)} bytes; each has said one event when`,
    `what is resident is read, ${settleMs / 1000} s after the last was opened and again ${restMs / 60_000} minutes later; the figures are for ${wanted}.`,
    `MALLOC_ARENA_MAX is ${arenas}${arenas === '1' ? ', as in the image' : ''}. The first line is the least that node:http and undici take, with nothing`,
    'looked at: they keep a parser of 10 KiB for each connection, which Gatewright does without while an answer is silent. The last',
    'has the flag for young objects that the image gives it; without one the proxy bounds them itself.',
    '',
    '| | without streams | just opened | each | after a rest | opened in | longest wait of a probe meanwhile |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...[floor, gatewright, young].map(rowOf),
    '',
    `Wanted: less than 400 MB (${budgetMiB.toFixed(0)} MiB) for ten thousand idle streams. What is given back during the rest is room that V8`,
    'had for young objects and for compiling, and what was left of opening: it collects by itself 100 s after the last collection.',
    'How much the floor takes before depends on the memory of the machine, or of the container where that has a limit.',
    '',
  ]
  if (process.argv.length === 2) writeFileSync(join(import.meta.dirname, 'STREAMS.md'), lines.join('\n'))
  process.stdout.write(`${lines.join('\n')}\n`)
  // What is given back later had to be there at first.
  const most = Math.max(...[gatewright, young].flatMap(({ openedMiB, restedMiB }) => [openedMiB, restedMiB]))
  process.exitCode = most < budgetMiB ? 0 : 1
} finally {
  await upstream.stop()
  rmSync(dir, { recursive: true, force: true })
}
