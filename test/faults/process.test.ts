// Faults of the proxy's own process, each against a process of its own; the table of faults is in the README beside.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ChaosAgent, type Call, type Called } from '../support/chaos-calls.ts'
import { checkEndings, checkLog, untilIdle } from '../support/chaos-checks.ts'
import { beginStream, ChaosModel, endStream } from '../support/chaos-model.ts'
import { configText, metric, startProxy } from '../support/proxy-process.ts'
import { processes, type Ground, type HeldStreams, type ProcessFault } from './catalogue/processes.ts'

t.setTimeout(120_000)

const agentsEach = 4
let mark = 0

for (const fault of processes) t.test(fault.id, { skip: missing(fault) }, (t) => suffer(t, fault))

function missing({ needs }: ProcessFault): string | false {
  return needs === undefined || spawnSync(needs, ['--version']).error === undefined ? false : `${needs} is not there`
}

async function suffer(t: Test, fault: ProcessFault): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-process-'))
  const model = await new ChaosModel().listen()
  const configFile = join(folder, 'gatewright.yaml')
  writeFileSync(configFile, configOf(folder, model.port))
  const proxy = await startProxy(configFile)
  t.teardown(async () => {
    proxy.signal('SIGCONT')
    await proxy.kill()
    await model.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const call = (): Promise<Called[]> => callAll(`${proxy.url}/model`, agentsEach, callsOf)
  const before = await call()
  await untilIdle(proxy)
  model.dropIdle()
  const files = openFiles(proxy.pid)
  const ground: Ground = {
    proxy,
    configFile,
    call,
    holdStreams: (count) => holdStreams(model, `${proxy.url}/model`, count),
  }
  const during = await fault.suffer(ground)
  checkEndings(t, fault, during)
  const after = fault.final === true ? [] : await call()
  if (fault.final !== true) {
    t.same(new Set(after.map(({ ending }) => ending)), new Set(['complete', 'refused']), 'afterwards all is as before')
    t.same(
      after.filter(({ ending, mark }) => (ending === 'refused') !== mark.startsWith('forbidden')),
      [],
      'and what is denied is denied',
    )
    await untilIdle(proxy)
    model.dropIdle()
    while (openFiles(proxy.pid) > files + 1) await metric(proxy.adminUrl, 'gatewright_inflight_requests')
  }
  t.notOk(
    [...model.seen.keys()].some((seen) => seen.startsWith('forbidden')),
    'no denied call reached the upstream',
  )
  t.same(await (fault.final === true ? proxy.exited : proxy.stop()), { code: 0, signal: null })
  t.equal(proxy.errors(), '')
  await checkLog(t, join(folder, 'audit'), [...before, ...during, ...after])
}

function configOf(folder: string, port: number): string {
  return configText(folder, {
    server: { timeouts: { drain: '1500ms' } },
    log: { level: 'warn', slow: '1h' },
    upstreams: {
      model: {
        protocol: 'openai',
        url: `http://127.0.0.1:${port}`,
        // One that is stopped, or cannot open a socket, is not to be spared afterwards.
        breaker: { mode: 'disabled' },
        timeouts: { firstByte: '20s' },
      },
    },
    routes: [{ id: 'model', path: '/model', upstream: 'model' }],
    principals: [{ id: 'agent' }],
    anonymous: 'agent',
    defaultEffect: 'allow',
    rules: [{ id: 'never', effect: 'deny', actions: ['model.call'], models: ['forbidden'] }],
  })
}

function callsOf(): Call[] {
  const kinds: readonly Omit<Call, 'mark'>[] = [{}, { stream: true }, { model: 'forbidden' }, {}, { stream: true }]
  return kinds.map((kind) => ({ ...kind, mark: `${kind.model ?? 'call'} ${++mark}` }))
}

async function callAll(url: string, agents: number, calls: () => Call[]): Promise<Called[]> {
  const made = await Promise.all(
    Array.from({ length: agents }, async () => {
      const agent = new ChaosAgent(url)
      const called = await agent.all(calls())
      await agent.close()
      return called
    }),
  )
  return made.flat()
}

async function holdStreams(model: ChaosModel, url: string, count: number): Promise<HeldStreams> {
  const responses: ServerResponse[] = []
  let ended: Promise<Called[]> | undefined
  await new Promise<void>((all) => {
    model.mood = (_, response) => {
      beginStream(response)
      if (responses.push(response) === count) all()
      return true
    }
    ended = callAll(url, count, () => [{ stream: true, mark: `held ${++mark}` }])
  })
  model.mood = undefined
  return { ended: ended as Promise<Called[]>, responses, finish: endStream }
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
