// `kill -9` under load, over and over on one strict log: whatever the upstream saw must have its intent record, no
// exchange may have two outcomes, and the log must never look tampered with.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { verifyLog } from '../../proxy/audit/verify.ts'
import { auditLines, type AuditLine } from '../support/audit-lines.ts'
import { configText, spawnProxy, untilStatus, type Starting } from '../support/proxy-process.ts'

/** A round costs about half a second of one core, nearly all of it loading the program; KILL_ROUNDS makes it fewer. */
const rounds = Number(process.env['KILL_ROUNDS'] ?? 200)
const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000)
const clients = 6
/** How many processes load while one runs. */
const ahead = 2

t.setTimeout(600_000)

t.test(`kill -9, ${rounds} times`, async (t) => {
  t.comment(`seed ${seed} (KILL_SEED), ${rounds} rounds (KILL_ROUNDS)`)
  const startedMs = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-kill-'))
  const upstream = await recordingUpstream()
  const configFile = join(folder, 'gatewright.yaml')
  const auditDir = join(folder, 'audit')
  writeFileSync(configFile, configText(folder, policy(upstream.url)))
  t.teardown(async () => {
    await upstream.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const random = randomFrom(seed)
  const loading: Starting[] = []
  const next = (): Starting => {
    while (loading.length <= ahead) loading.push(spawnProxy(configFile, { held: true }))
    return loading.shift() as Starting
  }
  t.teardown(() => Promise.all(loading.map(({ process: held }) => held.kill())))

  const sent: Sent[] = []
  const statuses = new Map<string, number>()
  for (let round = 1; round <= rounds; round += 1) {
    const end = await playRound(next(), round, random, upstream, sent)
    if (end.signal !== 'SIGKILL') t.fail(`round ${round} ended by itself with ${end.code}`)
    if (round % 10 !== 0 && round !== rounds) continue
    const { status, first } = await verifyLog(auditDir)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    if (status === 'tampered') t.fail(`round ${round}: ${first?.message ?? ''}`)
  }
  t.notOk(statuses.has('tampered'), `verified after every tenth kill: ${JSON.stringify([...statuses])}`)
  const unpaired = checkRecords(t, auditDir, sent, upstream.seen)

  const last = next()
  last.go()
  await untilStatus(`${(await last.addresses).adminUrl}/readyz`, 200)
  t.same(await last.process.stop(), { code: 0, signal: null }, 'after all that it starts and stops cleanly')
  const verified = verifyByCommand(auditDir)
  t.same(
    verified,
    { exit: unpaired === 0 ? 0 : 2, unpaired, findings: [] },
    'audit verify counts the same, and its exit code says so',
  )
  t.comment(
    `${sent.length} requests, ${upstream.seen.size} seen upstream, ${Math.round(performance.now() - startedMs)} ms`,
  )
})

const root = resolve(import.meta.dirname, '..', '..')

function verifyByCommand(dir: string): { exit: number | null; unpaired: number; findings: unknown[] } {
  const command = [join(root, 'proxy', 'main.ts'), 'audit', 'verify', dir, '-o', 'json']
  const { status, stdout } = spawnSync(process.execPath, command, { encoding: 'utf8' })
  const { unpaired, logs } = JSON.parse(stdout) as { unpaired: number; logs: { findings: unknown[] }[] }
  return { exit: status, unpaired, findings: logs.flatMap(({ findings }) => findings) }
}

function policy(url: string): Record<string, unknown> {
  return {
    upstreams: { tool: { protocol: 'http', url } },
    routes: [{ id: 'tool', path: '/tool', upstream: 'tool' }],
    principals: [{ id: 'agent' }],
    anonymous: 'agent',
    defaultEffect: 'deny',
    rules: [{ id: 'reading', effect: 'allow', actions: ['tool.call'], methods: ['GET'] }],
  }
}

type Sent = {
  readonly path: string
  readonly round: number
  readonly client: number
  readonly method: 'GET' | 'DELETE'
  /** Status of an answer that arrived whole. */
  status?: number
}

type Upstream = Awaited<ReturnType<typeof recordingUpstream>>

/** Every third answer waits for the next request, so that exchanges are under way whenever the proxy is killed. */
async function recordingUpstream() {
  const seen = new Set<string>()
  let onSeen = (): void => {}
  let held: ServerResponse | undefined
  const server = createServer((asked, answer) => {
    seen.add(asked.url ?? '')
    held?.end('late')
    held = undefined
    if (seen.size % 3 === 0) held = answer
    else answer.end('here')
    onSeen()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    onSeen: (listener: () => void) => void (onSeen = listener),
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

/** Kills during the start, at the n-th request upstream or at the n-th answer, as the seed says. */
async function playRound(starting: Starting, round: number, random: () => number, upstream: Upstream, sent: Sent[]) {
  const { process: proxy } = starting
  const [kind, count, startMs] = [random(), 1 + Math.floor(random() * 30), random() * 80]
  starting.go()
  if (kind < 0.1) {
    const timer = setTimeout(() => proxy.signal('SIGKILL'), startMs)
    const end = await proxy.exited
    clearTimeout(timer)
    return end
  }
  const { url } = await starting.addresses
  let left = count
  const countDown = (): void => {
    left -= 1
    if (left === 0) proxy.signal('SIGKILL')
  }
  upstream.onSeen(kind < 0.55 ? countDown : () => {})
  const agent = new Agent({ keepAlive: true })
  let number = 0
  const play = async (client: number): Promise<void> => {
    for (;;) {
      number += 1
      const method = random() < 0.15 ? 'DELETE' : 'GET'
      const one: Sent = { path: `/echo/r${round}-c${client}-n${number}`, round, client, method }
      sent.push(one)
      const status = await ask(`${url}/tool${one.path}`, method, agent)
      if (status === undefined) return
      one.status = status
      if (kind >= 0.55) countDown()
    }
  }
  await Promise.all([...Array(clients).keys()].map(play))
  agent.destroy()
  return proxy.exited
}

/** Undefined: no whole answer came. */
function ask(url: string, method: string, agent: Agent): Promise<number | undefined> {
  return new Promise((done) => {
    const asking = request(url, { method, agent }, (answer) => {
      answer.resume()
      answer.once('end', () => done(answer.complete ? answer.statusCode : undefined))
      answer.once('error', () => done(undefined))
    })
    asking.once('error', () => done(undefined))
    asking.end()
  })
}

/** Returns how many intents have no outcome. */
function checkRecords(t: Test, auditDir: string, sent: readonly Sent[], seen: ReadonlySet<string>): number {
  const lines = auditLines(auditDir)
  const byPath = (kind: string): Map<string, AuditLine[]> =>
    Map.groupBy(
      lines.filter((line) => line.kind === kind),
      (line) => String(line['path']),
    )
  const intents = byPath('intent')
  const outcomes = byPath('outcome')
  const moreThanOne = (records: Map<string, AuditLine[]>): string[] =>
    [...records].filter(([, of]) => of.length > 1).map(([path]) => path)

  t.same(
    [...seen].filter((path) => !intents.has(path)),
    [],
    'whatever the upstream saw has its intent record',
  )
  t.same(moreThanOne(intents), [], 'no exchange has two intents')
  t.same(moreThanOne(outcomes), [], 'no exchange has two outcomes')
  t.same(
    sent.filter(({ method, path }) => method === 'DELETE' && seen.has(path)),
    [],
    'nothing denied was sent',
  )
  t.same(
    [...outcomes].filter(
      ([path, [outcome]]) => intents.get(path)?.[0]?.['request'] !== outcome?.['request'] && intents.has(path),
    ),
    [],
    'intent and outcome name the same exchange',
  )
  t.same(missingOutcomes(sent, outcomes), [], 'only what was under way at a kill is without outcome')
  const unpaired = [...intents.keys()].filter((path) => !outcomes.has(path)).length
  t.comment(`${lines.length} records, ${intents.size} intents, ${unpaired} of them without outcome`)
  t.ok(intents.size > rounds, 'there was load')
  return unpaired
}

/**
 * An allowed exchange is answered only after its intent is durable, and records are written in order. So once a client
 * has the answer to an allowed request, all that it asked before has its outcome.
 */
function missingOutcomes(sent: readonly Sent[], outcomes: ReadonlyMap<string, unknown>): string[] {
  const missing: string[] = []
  for (const asked of Map.groupBy(sent, ({ round, client }) => `${round} ${client}`).values()) {
    const lastAllowed = asked.findLastIndex(({ status }) => status === 200)
    for (const { path } of asked.slice(0, Math.max(0, lastAllowed))) if (!outcomes.has(path)) missing.push(path)
  }
  return missing
}

/** mulberry32: the same seed, the same kills. */
function randomFrom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
