// Owns a run of the bench: which contenders meet which scenarios for how long, in turns, so that whatever else the
// machine does meets all of them alike. `--quick` is for a first look, `--profile` says where Gatewright's time goes.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { forkLoad, forkServer } from './children.ts'
import { occupancy, shareOfOthers } from './cpu.ts'
import type { Contender } from './contenders/contender.ts'
import { startFloor } from './contenders/floor.ts'
import { startGatewright } from './contenders/gatewright.ts'
import { startHaproxy } from './contenders/haproxy.ts'
import { startNginx } from './contenders/nginx.ts'
import { startPortkey } from './contenders/portkey.ts'
import { measure, verify, type Measurement } from './measure.ts'
import { profileText } from './profile.ts'
import { summarise, type Round, type Result } from './result.ts'
import { quietness, resultsMarkdown, resultsTable } from './report.ts'
import { burst200 } from './scenarios/burst-200.ts'
import { chat1k } from './scenarios/chat-1k.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { stream200 } from './scenarios/stream-200.ts'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    compiled: { type: 'boolean', default: false },
    floor: { type: 'boolean', default: false },
    scenario: { type: 'string' },
    connections: { type: 'string', default: '16' },
  },
})

/** The open loop runs at this share of what the floor can do at most, or at the scenario's of what Gatewright can, if that is less. */
const shareOfFloor = 0.3

/**
 * V8 goes on optimising for tens of thousands of requests (Gatewright has little left to compile after 40,000), so
 * warm-up counts those; the time is for who cannot reach them. A quick run is therefore kinder to small programs than a
 * whole one. Many short rounds rather than few long ones: the machine's own speed changes within seconds, and only what
 * is measured close together can be compared.
 */
const warmUpRequests = 50_000
const plan = flags.quick
  ? { rounds: 2, warmUpMsMax: 3_000, closedMs: 500, openMs: 1_000 }
  : { rounds: 15, warmUpMsMax: 40_000, closedMs: 500, openMs: 900 }

const scenarios = [chat1k, stream200, burst200].filter(
  ({ id }) => flags.scenario === undefined || id === flags.scenario,
)
const dir = await mkdtemp(join(tmpdir(), 'gatewright-bench-'))
const upstream = await forkServer('upstream.ts')
const load = forkLoad()
const running: Contender[] = []
try {
  if (flags.profile) await profile()
  else await compare()
} finally {
  for (const contender of running) await contender.stop()
  await load.stop()
  await upstream.stop()
  await rm(dir, { recursive: true, force: true })
}

async function compare(): Promise<void> {
  running.push(await startFloor(upstream.port))
  if (!flags.floor) running.push(await gatewright([]))
  for (const neighbour of [
    await startNginx(upstream.port, await subfolder('nginx')),
    await startHaproxy(upstream.port, await subfolder('haproxy')),
    await startPortkey(upstream.port),
  ]) {
    if (neighbour !== undefined) running.push(neighbour)
  }
  const pids = [process.pid, load.pid, upstream.pid, ...running.flatMap((contender) => contender.pids)]
  const before = occupancy(pids)
  const results: Result[] = []
  for (const scenario of scenarios) results.push(await compete(running, scenario))
  const others = shareOfOthers(before, occupancy(pids), availableParallelism())
  process.stdout.write(`${resultsTable(results)}\n\n${quietness(others)}\n`)
  if (flags.quick || flags.floor || flags.scenario !== undefined) return
  const file = join(import.meta.dirname, 'RESULTS.md')
  await writeFile(file, resultsMarkdown(results, others, ['npm run bench', ...process.argv.slice(2)].join(' -- ')))
  process.stdout.write(`\nwritten to bench/RESULTS.md\n`)
}

/** Warm-up finds out how much each can take; then all have their turns, each round in another order. */
async function compete(entered: readonly Contender[], scenario: Scenario): Promise<Result> {
  const connections = Math.max(Number(flags.connections), scenario.connectionsMin)
  // As many answers as at once, whatever one lasts.
  const lastsMs = scenario.pauseMs * scenario.answer.length
  const [closedMs, openMs] = [plan.closedMs + lastsMs, plan.openMs + lastsMs]
  const most = new Map<string, number>()
  const { contenders, unable } = await qualify(entered, scenario)
  for (const contender of contenders) {
    await warmUp(contender, scenario, connections)
    const { throughput } = await measure(load, contender, scenario, { connections }, closedMs)
    most.set(contender.id, throughput)
  }
  const mostOf = (id: string): number => most.get(id) ?? Number.POSITIVE_INFINITY
  const rate = Math.floor(Math.min(shareOfFloor * mostOf('floor'), scenario.shareOfMost * mostOf('gatewright')))
  const rounds: Round[] = []
  for (let n = 0; n < plan.rounds; n++) {
    const turns = n % 2 === 0 ? contenders : [...contenders].reverse()
    for (const contender of turns) {
      // A neighbour that such a rate would flood is only asked for its most.
      const keepsUp = mostOf(contender.id) / 2 >= rate
      const open = keepsUp ? await measure(load, contender, scenario, { rate }, openMs) : undefined
      const closed = await measure(load, contender, scenario, { connections }, closedMs)
      rounds.push({ contender: contender.id, open, closed })
      progress(scenario, contender.id, open, closed)
    }
  }
  return { ...summarise(scenario, contenders, rate, connections, rounds), unable }
}

/** Whoever does the work of the scenario. A neighbour that does not is left out and named; we and the floor have to. */
async function qualify(
  entered: readonly Contender[],
  scenario: Scenario,
): Promise<{ contenders: Contender[]; unable: string[] }> {
  const contenders: Contender[] = []
  const unable: string[] = []
  for (const contender of entered) {
    try {
      await verify(contender, scenario)
      contenders.push(contender)
    } catch (error) {
      if (!(error instanceof Error) || contender.id === 'floor' || contender.id === 'gatewright') throw error
      unable.push(error.message)
    }
  }
  return { contenders, unable }
}

async function warmUp(contender: Contender, scenario: Scenario, connections: number): Promise<void> {
  const startMs = performance.now()
  for (let requests = 0; requests < warmUpRequests && performance.now() - startMs < plan.warmUpMsMax;) {
    const { report } = await measure(load, contender, scenario, { connections }, 500)
    requests += report.completed
  }
}

function progress(scenario: Scenario, id: string, open: Measurement | undefined, closed: Measurement): void {
  const figures = [open, closed].map((m) =>
    m === undefined ? 'not at this rate' : `${m.cpuUs.toFixed(0)} µs CPU at ${m.throughput.toFixed(0)}/s`,
  )
  const errors = (open?.report.errors ?? 0) + closed.report.errors
  process.stderr.write(`${scenario.id}  ${id.padEnd(10)}  ${figures.join(', ')}, ${errors} errors\n`)
}

/** Only what Gatewright did between warm-up and the end counts. */
async function profile(): Promise<void> {
  const profiles = await subfolder('profiles')
  const contender = await gatewright(['--cpu-prof', '--cpu-prof-interval=250', `--cpu-prof-dir=${profiles}`])
  running.push(contender)
  const [scenario = chat1k] = scenarios
  await verify(contender, scenario)
  const connections = Math.max(4, scenario.connectionsMin)
  await warmUp(contender, scenario, connections)
  const fromUs = Number(process.hrtime.bigint() / 1000n)
  const { report, cpuUs } = await measure(load, contender, scenario, { connections }, 2 * plan.openMs)
  const toUs = Number(process.hrtime.bigint() / 1000n)
  running.splice(0)
  // Node writes the profile as it ends.
  await contender.stop()
  process.stdout.write(
    `${scenario.title}: ${report.completed} requests, ${cpuUs.toFixed(0)} µs CPU each, profiler included\n\n`,
  )
  process.stdout.write(await profileText(profiles, { fromUs, toUs, requests: report.completed }))
}

async function gatewright(nodeFlags: readonly string[]): Promise<Contender> {
  const { compiled } = flags
  return startGatewright({ upstreamPort: upstream.port, dir: await subfolder('gatewright'), compiled, nodeFlags })
}

async function subfolder(name: string): Promise<string> {
  const path = join(dir, name)
  await mkdir(path)
  return path
}
