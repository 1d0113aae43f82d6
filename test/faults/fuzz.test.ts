// Damaged requests of every format against the real process, with upstreams whose answers are damaged alike: nothing
// crashes or fails inside, every exchange has its one record, and memory stays as it is. FUZZ_SECONDS is how long,
// FUZZ_SEED repeats a run (but for what depends on the order of events).
import * as fc from 'fast-check'
import { createReadStream, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { gatewright } from '../support/command.ts'
import { answerOf, fuzzCase, playOf, type Case } from '../support/fuzz-case.ts'
import { converse } from '../support/fuzz-wire.ts'
import { configText, metric, probe, startProxy, type ProxyProcess } from '../support/proxy-process.ts'
import { jsonAnswer, scriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts'

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 4)
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000_000)
/** Conversations under way at the same time, each lane with a seed of its own. */
const lanes = 12
/** Memory is compared between the ends of these. */
const phases = 3
const heapGrowthBytesMax = 24 * 1024 ** 2
const residentGrowthBytesMax = 96 * 1024 ** 2

t.setTimeout((seconds + 120) * 1_000)

t.test(`${seconds} seconds of damaged requests and answers`, async (t) => {
  t.comment(`seed ${seed} (FUZZ_SEED), ${seconds} s (FUZZ_SECONDS)`)
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-fuzz-'))
  const upstream = await scriptedUpstream()
  const configFile = join(folder, 'gatewright.yaml')
  writeFileSync(configFile, configText(folder, policy(upstream.url)))
  const preload = join(import.meta.dirname, '..', 'support', 'collect-on-signal.ts')
  const proxy = await startProxy(configFile, { env: { NODE_OPTIONS: `--expose-gc --import ${preload}` } })
  t.teardown(async () => {
    await proxy.kill()
    await upstream.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const fuzz = new Fuzz(proxy, upstream)
  const memory: Memory[] = []
  for (let phase = 0; phase < phases; phase += 1) {
    await Promise.all(Array.from({ length: lanes }, (_, lane) => fuzz.run(t, phase * lanes + lane)))
    await untilIdle(proxy)
    memory.push(await memoryOf(proxy, phase + 1))
  }

  for (const { line, made } of fuzz.failures()) t.fail(`the log says "${String(line['msg'])}"`, { line, made })
  t.equal(proxy.errors(), '', 'nothing on standard error')
  checkMemory(t, memory)
  upstream.always(jsonAnswer(200, { ok: true }))
  t.equal((await probe(`${proxy.url}/rested/customers/42`)).status, 200, 'a clean request is served')
  await untilIdle(proxy)
  const counted = await requestsTotal(proxy)
  t.same(await proxy.stop(), { code: 0, signal: null }, 'and the process stops as it should')
  await checkRecords(t, join(folder, 'audit'), fuzz.ids, counted)
  t.comment(`${fuzz.conversations} conversations, ${counted} exchanges, statuses ${fuzz.statusText()}`)
})

class Fuzz {
  /** Of answers that a client has seen, each once. */
  readonly ids = new Set<string>()
  conversations = 0
  readonly #statuses = new Map<number, number>()
  readonly #proxy: ProxyProcess
  readonly #port: number
  readonly #playing = new Map<string, Case>()
  /** The last ones, to name the case that a line of the log is about. */
  readonly #recent = new Map<string, Case>()

  constructor(proxy: ProxyProcess, upstream: ScriptedUpstream) {
    this.#proxy = proxy
    this.#port = Number(new URL(proxy.url).port)
    upstream.always(async (scene) => {
      upstream.requests.length = 0
      const made = this.#playing.get(scene.request.header('x-fuzz') ?? '')
      if (made === undefined) return scene.write(jsonAnswer(200, { ok: true }))
      const { pieces, end } = answerOf(made)
      for (const piece of pieces) if (!scene.socket.destroyed) await scene.write(piece)
      if (end === 'end') scene.end()
      if (end === 'reset') scene.reset()
    })
  }

  async run(t: Test, lane: number): Promise<void> {
    const result = await fc.check(
      fc.asyncProperty(fuzzCase, (made) => this.#survives(made)),
      {
        seed: seed + lane,
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: (seconds * 1_000) / phases,
        markInterruptAsFailure: false,
      },
    )
    // On a machine so busy that the lane's first conversation outlasts its time, nothing failed: there was no run.
    const { counterexample } = result
    if (counterexample !== null) t.fail(`lane ${lane}: ${String(result.errorInstance)}`, { made: counterexample })
  }

  async #survives(made: Case): Promise<void> {
    this.conversations += 1
    const mark = String(this.conversations)
    this.#playing.set(mark, made)
    const { heard, hung } = await converse(this.#port, playOf(made, mark))
    this.#playing.delete(mark)
    for (const { status, id } of heard) {
      this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
      if (id === undefined) continue
      if (this.ids.has(id)) throw new Error(`request id ${id} came twice`)
      this.ids.add(id)
      this.#remember(id, made)
    }
    if (hung) throw new Error('the conversation hangs')
    if (heard.some(({ status }) => status === 500 && made.answer.status !== 500)) throw new Error('answered with 500')
    if (this.#ended()) throw new Error('the process ended')
  }

  #remember(id: string, made: Case): void {
    this.#recent.set(id, made)
    if (this.#recent.size > 2_000) for (const oldest of this.#recent.keys()) if (this.#recent.delete(oldest)) break
  }

  #ended(): boolean {
    try {
      return !process.kill(this.#proxy.pid, 0)
    } catch {
      return true
    }
  }

  /** Error lines, with the case where it is still known. */
  failures(): { line: Record<string, unknown>; made: Case | undefined }[] {
    const errors = this.#proxy.logged.filter(
      ({ level }) => level === 'error' || level === 'fatal' || Number(level) >= 50,
    )
    return errors.slice(0, 10).map((line) => ({ line, made: this.#recent.get(String(line['request'])) }))
  }

  statusText(): string {
    const sorted = [...this.#statuses].sort(([a], [b]) => a - b)
    return sorted.map(([status, count]) => `${status}: ${count}`).join(', ')
  }
}

type Memory = { readonly heapBytes: number; readonly residentBytes: number }

async function memoryOf(proxy: ProxyProcess, collections: number): Promise<Memory> {
  proxy.signal('SIGUSR2')
  const line = await proxy.line((logged) => logged['collections'] === collections)
  return { heapBytes: Number(line['heapBytes']), residentBytes: proxy.residentBytes() }
}

function checkMemory(t: Test, memory: readonly Memory[]): void {
  const [first, last] = [memory[0], memory.at(-1)]
  if (first === undefined || last === undefined) return
  t.ok(last.heapBytes - first.heapBytes < heapGrowthBytesMax, 'the heap after the last third is that after the first')
  t.ok(last.residentBytes - first.residentBytes < residentGrowthBytesMax, 'and so is what the process holds')
  const mebibytes = (bytes: number): number => Math.round(bytes / 1024 ** 2)
  for (const { heapBytes, residentBytes } of memory)
    t.comment(`heap ${mebibytes(heapBytes)} MiB, resident ${mebibytes(residentBytes)} MiB`)
}

async function untilIdle(proxy: ProxyProcess): Promise<void> {
  while ((await metric(proxy.adminUrl, 'gatewright_inflight_requests')) !== 0);
}

async function requestsTotal(proxy: ProxyProcess): Promise<number> {
  const { body } = await probe(`${proxy.adminUrl}/metrics`)
  const samples = body.split('\n').filter((line) => line.startsWith('gatewright_requests_total{'))
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

/** Read line by line: ten minutes leave more than fits into memory. */
async function checkRecords(t: Test, dir: string, ids: ReadonlySet<string>, counted: number): Promise<void> {
  const ended = new Set<string>()
  const intents = new Set<string>()
  let outcomes = 0
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => /\d{20}\.jsonl$/.test(name))
  for (const name of files.sort()) {
    for await (const line of createInterface({ input: createReadStream(join(dir, name)) })) {
      const { kind, request } = JSON.parse(line) as { kind: string; request: string }
      if (kind === 'intent') intents.add(request)
      if (kind !== 'outcome') continue
      outcomes += 1
      ended.add(request)
    }
  }
  t.equal(ended.size, outcomes, 'no exchange has two outcomes')
  t.equal(outcomes, counted, 'the metrics count as many exchanges as the log has outcomes')
  t.same([...intents].filter((id) => !ended.has(id)).slice(0, 5), [], 'every intent has its outcome')
  t.same([...ids].filter((id) => !ended.has(id)).slice(0, 5), [], 'every answer has its outcome')
  const verified = await gatewright(['audit', 'verify', dir])
  t.equal(verified.code, 0, 'the log verifies', { said: verified.stdout + verified.stderr })
}

function policy(url: string): Record<string, unknown> {
  const upstream = (protocol: string, path = '', more: object = {}): object => ({
    protocol,
    url: url + path,
    breaker: { consecutive: 1_000_000_000, ratio: 1, minimum: 1_000_000_000 },
    retry: { attempts: 1 },
    timeouts: { connect: '2s', firstByte: '2s', idle: '2s', total: '5s' },
    ...more,
  })
  const models = ['openai', 'anthropic', 'gemini', 'ollama']
  return {
    server: {
      limits: { body: '512KiB', headerBytes: '16KiB' },
      // Whatever a shutdown would wait for in vain makes the test time out.
      timeouts: { headers: '1s', body: '1s', keepAlive: '1s', clientWrite: '2s', drain: '10m' },
      cors: { origins: ['https://app.example'] },
    },
    log: { level: 'warn', slow: '1h' },
    upstreams: {
      ...Object.fromEntries(models.map((name) => [name, upstream(name)])),
      crm: upstream('http', '', { retry: { attempts: 2, unsafe: true } }),
      notes: upstream('mcp', '/mcp', { pinTools: true }),
      // Nothing is on its account when the others are cooling down after a 429.
      rested: upstream('http'),
    },
    routes: [
      ...models.map((name) => ({ id: name, path: `/${name}`, upstream: name })),
      { id: 'opaque', path: '/opaque', upstream: 'openai', posture: 'opaque' },
      { id: 'crm', path: '/tools/crm', upstream: 'crm' },
      { id: 'notes', path: '/mcp', upstream: 'notes' },
      { id: 'rested', path: '/rested', upstream: 'rested' },
    ],
    principals: [{ id: 'agent', org: 'acme', roles: ['researcher'] }],
    anonymous: 'agent',
    policyHeaders: ['x-change-id'],
    tools: [{ name: '*delete_*', tags: ['destructive'] }],
    defaultEffect: 'allow',
    rules: [
      { id: 'long', effect: 'allow', actions: ['model.call'], when: 'maxTokens > 100000' },
      { id: 'wipes', effect: 'deny', actions: ['tool.call'], tools: ['wipe*'], when: '!(args.dry_run == true)' },
      { id: 'destructive', effect: 'deny', actions: ['tool.call', 'tool.offer'], tags: ['destructive'] },
      { id: 'mail', effect: 'deny', actions: ['tool.call'], when: 'has(args.to) && args.to.endsWith("@evil.example")' },
      { id: 'change', effect: 'deny', methods: ['PUT'], when: '!headers["x-change-id"].matches("^CHG-[0-9]+$")' },
      { id: 'big', effect: 'approve', actions: ['tool.call'], when: 'has(args.amount) && args.amount > 1000' },
    ],
    redaction: [
      { id: 'out', direction: 'request', upstreams: models, detect: ['pii', 'secrets'], action: 'token' },
      { id: 'tools', direction: 'both', upstreams: ['crm', 'notes'], detect: ['pii', 'secrets'], action: 'mask' },
      { id: 'back', direction: 'response', upstreams: models, detect: ['secrets', 'payment-card'], action: 'mask' },
    ],
    limits: [
      { id: 'all', by: ['principal'], requests: '900000k/h', concurrency: 64 },
      { id: 'model', by: ['principal', 'model'], requests: '100/s' },
    ],
    audit: { durability: 'strict', onFailure: 'deny' },
  }
}
