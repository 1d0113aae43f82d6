// Every fault of links and upstreams at once, each on a route of its own of one real process, and beside them a route
// without any. Whatever is done to them, the invariants hold; the table of faults is in the README beside.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ChaosAgent, type Call, type Called } from '../support/chaos-calls.ts'
import { checkEndings, checkLog, untilIdle } from '../support/chaos-checks.ts'
import { ChaosModel } from '../support/chaos-model.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { configText, metric, startProxy, type ProxyProcess } from '../support/proxy-process.ts'
import { clientLinks } from './catalogue/client-links.ts'
import type { LinkFault } from './catalogue/fault.ts'
import { upstreamLinks } from './catalogue/upstream-links.ts'
import { upstreams } from './catalogue/upstreams.ts'

t.setTimeout(120_000)

const calm: LinkFault = { id: 'calm', what: 'nothing', ends: ['complete'] }
const atUpstream: readonly LinkFault[] = [...upstreamLinks, ...upstreams, calm]
const agentsEach = 2

/** One route: its model, the link that the fault is on, and what its agents call. */
type Scene = { readonly fault: LinkFault; readonly model: ChaosModel; readonly link: FaultProxy; readonly port: number }

t.test('faults of links and upstreams', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-chaos-'))
  const scenes = await Promise.all(atUpstream.map(sceneOf))
  const proxy = await startProxy(configOf(folder, scenes))
  const clientScenes = await Promise.all(clientLinks.map((fault) => clientSceneOf(fault, proxy)))
  t.teardown(async () => {
    await proxy.kill()
    await Promise.all([...scenes, ...clientScenes].map(({ link }) => link.close()))
    await Promise.all(scenes.map(({ model }) => model.close()))
    rmSync(folder, { recursive: true, force: true })
  })
  const [first] = await run(proxy, scenes.slice(-1))
  t.same(new Set(first?.map(({ ending }) => ending)), new Set(['complete', 'refused']), 'without faults only denials')
  await untilIdle(proxy)
  const calmFiles = openFiles(proxy)

  const runs = await run(proxy, scenes)
  const clientRuns = await runBehind(clientScenes)
  for (const [at, made] of [...runs, ...clientRuns].entries()) checkEndings(t, faultAt(at), made)
  checkReached(t, scenes, [...(first === undefined ? [] : [first]), ...runs])
  t.comment(`calls on the route without faults: ${msOf(first)} alone, ${msOf(runs.at(-1))} beside the others`)

  await checkRetries(t, proxy)
  for (const { link } of [...scenes, ...clientScenes]) link.resetAll()
  await untilIdle(proxy)
  await untilFiles(proxy, calmFiles)
  t.pass('files and sockets are those of before')
  t.same(await proxy.stop(), { code: 0, signal: null })
  t.equal(proxy.errors(), '')
  await checkLog(t, join(folder, 'audit'), [...(first ?? []), ...runs.flat(), ...clientRuns.flat()])
})

function faultAt(at: number): LinkFault {
  return [...atUpstream, ...clientLinks][at] as LinkFault
}

async function sceneOf(fault: LinkFault): Promise<Scene> {
  const model = await new ChaosModel().listen()
  model.mood = fault.mood
  const link = await new FaultProxy(model.port).listen()
  const { port } = link
  link.set(fault.links ?? {})
  if (fault.down === true) await link.close()
  return { fault, model, link, port }
}

async function clientSceneOf(fault: LinkFault, proxy: ProxyProcess): Promise<Pick<Scene, 'fault' | 'link'>> {
  const link = await new FaultProxy(Number(new URL(proxy.url).port)).listen()
  link.set(fault.links ?? {})
  return { fault, link }
}

function configOf(folder: string, scenes: readonly Scene[]): string {
  const file = join(folder, 'gatewright.yaml')
  const breaker = { consecutive: 5, open: '200ms', openMax: '400ms' }
  const retry = { attempts: 2, budget: 0.2 }
  const short = { connect: '400ms', firstByte: '600ms', idle: '400ms', total: '3s' }
  const long = { connect: '10s', firstByte: '20s', idle: '20s', total: '60s' }
  writeFileSync(
    file,
    configText(folder, {
      server: { timeouts: { headers: '5s', body: '1500ms', keepAlive: '10s' } },
      log: { level: 'warn', slow: '1h' },
      upstreams: Object.fromEntries(
        scenes.map(({ fault, port }) => [
          fault.id,
          {
            protocol: 'openai',
            url: `http://127.0.0.1:${port}`,
            breaker,
            timeouts: fault.silent ? short : long,
            retry,
          },
        ]),
      ),
      routes: scenes.map(({ fault: { id } }) => ({ id, path: `/${id}`, upstream: id })),
      principals: [{ id: 'agent' }],
      anonymous: 'agent',
      defaultEffect: 'allow',
      rules: [{ id: 'never', effect: 'deny', actions: ['model.call'], models: ['forbidden'] }],
      redaction: [{ id: 'both', direction: 'both', detect: ['pii'], action: 'mask' }],
    }),
  )
  return file
}

let mark = 0

/** Whole answers, streams, and a call that is denied, which must never arrive. */
function callsOf(): Call[] {
  const kinds: readonly Omit<Call, 'mark'>[] = [{}, { stream: true }, { model: 'forbidden' }, {}, { stream: true }, {}]
  return kinds.map((kind) => ({ ...kind, mark: `${kind.model ?? 'call'} ${++mark}` }))
}

function run(proxy: ProxyProcess, scenes: readonly Scene[]): Promise<Called[][]> {
  return Promise.all(scenes.map(({ fault }) => agents(`${proxy.url}/${fault.id}`)))
}

/** Through the faulty link to the route that is well. */
function runBehind(scenes: readonly Pick<Scene, 'fault' | 'link'>[]): Promise<Called[][]> {
  return Promise.all(scenes.map(({ link }) => agents(`http://127.0.0.1:${link.port}/${calm.id}`)))
}

async function agents(url: string): Promise<Called[]> {
  const made = await Promise.all(
    Array.from({ length: agentsEach }, async () => {
      const agent = new ChaosAgent(url)
      const called = await agent.all(callsOf())
      await agent.close()
      return called
    }),
  )
  return made.flat()
}

/** What was denied reached no upstream, nothing reached it more than twice, and what it never saw was not answered. */
function checkReached(t: Test, scenes: readonly Scene[], runs: readonly (readonly Called[])[]): void {
  const seen = new Map(scenes.flatMap(({ model }) => [...model.seen]))
  t.same(
    [...seen.keys()].filter((name) => name.startsWith('forbidden')),
    [],
    'no denied call reached an upstream',
  )
  t.ok(Math.max(...seen.values()) <= 2, 'no call was made more than twice')
  const answered = runs.flat().filter(({ ending }) => ending === 'complete')
  t.same(
    answered.filter((called) => !seen.has(called.mark)),
    [],
    'every whole answer came from a model',
  )
}

async function checkRetries(t: Test, { adminUrl }: ProxyProcess): Promise<void> {
  const retries = await sumOf(adminUrl, 'gatewright_retries_total')
  const requests = await sumOf(adminUrl, 'gatewright_requests_total')
  t.comment(`${requests} requests, ${retries} retries`)
  t.ok(retries <= requests * 0.2, 'at most a fifth of the requests was tried again')
}

/** The admin listener's own connection, which asked last, may still be there. */
async function untilFiles(proxy: ProxyProcess, before: number): Promise<void> {
  while (openFiles(proxy) > before + 1) await metric(proxy.adminUrl, 'gatewright_inflight_requests')
}

function openFiles({ pid }: ProxyProcess): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

async function sumOf(adminUrl: string, name: string): Promise<number> {
  const body = await (await fetch(`${adminUrl}/metrics`)).text()
  const samples = body.split('\n').filter((line) => line.startsWith(`${name}{`))
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

function msOf(made: readonly Called[] | undefined): string {
  const sorted = (made ?? []).map(({ ms }) => ms).sort((a, b) => a - b)
  return `p50 ${Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0)} ms, slowest ${Math.round(sorted.at(-1) ?? 0)} ms`
}
