// Owns the life of one proxy: start, reload, shutdown. It holds the current configuration and sees to it that a bad one
// never replaces a good one.
import type { AddressInfo } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { breakersApi, type Breakers } from '../admin/breakers.ts'
import { AdminListener } from '../admin/listener.ts'
import { usageApi } from '../admin/usage.ts'
import { build, fixedSections, openStanding, type Standing } from '../config/build.ts'
import { compileConfig, type CompiledConfig } from '../config/compile.ts'
import { loadConfig, type Loaded } from '../config/load.ts'
import type { LocatedProblem } from '../config/locate.ts'
import { referencedFiles, rotatedSecrets, secretProblems, secretResolver } from '../config/secrets.ts'
import type { Surroundings } from '../config/surroundings.ts'
import { fingerprint, watchConfig, type Watcher } from '../config/watch.ts'
import { startDemo, type Demo } from '../demo/demo.ts'
import { systemClock, type Clock } from '../lib/clock.ts'
import type { ResolveSecret } from '../lib/secret.ts'
import { openMetrics, type Metrics } from '../pipeline/metrics.ts'
import { parseListen, type ListenAddress, type ServerSettings } from '../pipeline/options.ts'
import type { Runtime } from '../pipeline/runtime.ts'
import { UsageLog } from '../pipeline/usage-log.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { Listener, type ListenerOptions } from './listener.ts'

export type ServeOptions = {
  readonly paths: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Logger
  readonly version: string
  /** Reload when the files change. SIGHUP is the caller's to wire, to `reload()`. */
  readonly watch: boolean
  readonly clock?: Clock
  readonly random?: () => number
  /** Where relative paths of the configuration start. */
  readonly baseDir?: string
}

export type Reload =
  { readonly ok: true; readonly hash: string } | { readonly ok: false; readonly problems: readonly LocatedProblem[] }

export type Gateway = {
  readonly data: AddressInfo
  readonly admin: AddressInfo
  readonly demo: Demo | undefined
  readonly config: () => CompiledConfig
  readonly metrics: Metrics
  reload(): Reload
  /** Drains, closes the audit log with a checkpoint. Idempotent. Rejects when records are lost because the disk fails. */
  close(): Promise<void>
}

/** The configuration is refused: every problem with its place. */
export class ConfigRefused extends Error {
  readonly problems: readonly LocatedProblem[]

  constructor(problems: readonly LocatedProblem[]) {
    super('the configuration is refused')
    this.problems = problems
  }
}

export async function serve(options: ServeOptions): Promise<Gateway> {
  const clock = options.clock ?? systemClock
  const files = fingerprint(options.paths)
  const resolveSecret = secretResolver(options.env, options.baseDir ?? process.cwd())
  const { config, locate } = loadAndCompile(options, clock, resolveSecret)
  const secrets = fingerprint(secretPaths([config], options))
  const metrics = openMetrics()
  metrics.buildInfo.set({ version: options.version, node: process.version }, 1)
  const around: Surroundings = {
    clock,
    metrics,
    log: options.log,
    random: options.random ?? Math.random,
    resolveSecret,
  }
  refuseMissingSecrets({ config, locate }, around)
  const standing = await openStanding(config, around)
  const proxy = await firstBuild(options, around, config, standing)
  try {
    await proxy.start({ files, secrets })
  } catch (error) {
    await proxy.close()
    throw error
  }
  return proxy
}

/** What is already open keeps the process alive and the log locked, so it is closed when the rest cannot be made. */
async function firstBuild(
  options: ServeOptions,
  around: Surroundings,
  config: CompiledConfig,
  standing: Standing,
): Promise<Proxy> {
  try {
    return new Proxy(options, around, config, standing)
  } catch (error) {
    standing.store.close()
    standing.vaults.store.close()
    standing.shedding?.close()
    await standing.audit.close()
    throw error
  }
}

/** Fingerprints from before the files were read, so that a change between reading and watching is not missed. */
type Seen = { readonly files: string; readonly secrets: string }

type Candidate = { readonly config: CompiledConfig; readonly locate: Loaded['locate'] }

/** Everything that is wrong at once: where it does not compile, secrets that are missing are told with that. */
function loadAndCompile(options: ServeOptions, clock: Clock, resolveSecret: ResolveSecret): Candidate {
  const loaded = loadConfig([...options.paths], options.env)
  if (!loaded.ok) throw new ConfigRefused(loaded.problems)
  const compiled = compileConfig(loaded, clock.now())
  if (!compiled.ok) {
    const missing = secretProblems(loaded.document, resolveSecret, 'error').map(loaded.locate)
    throw new ConfigRefused([...compiled.problems, ...missing])
  }
  for (const { file, line, column, message } of compiled.warnings) options.log.warn({ file, line, column }, message)
  return { config: compiled.config, locate: loaded.locate }
}

/** Before anything is opened. */
function refuseMissingSecrets({ config, locate }: Candidate, { resolveSecret }: Surroundings): void {
  const missing = secretProblems(config.document, resolveSecret, 'error')
  if (missing.length > 0) throw new ConfigRefused(missing.map(locate))
}

class Proxy implements Gateway {
  readonly #options: ServeOptions
  readonly #around: Surroundings
  readonly #listener: Listener
  readonly #adminListener: AdminListener
  /** Replaced Runtimes that still have exchanges under way, with the upstreams that these may use. */
  readonly #retiring = new Map<Runtime, ReadonlySet<Upstream>>()
  #config: CompiledConfig
  #standing: Standing
  readonly #watchers: { files?: Watcher; secrets?: Watcher } = {}
  #secretPaths: readonly string[] = []
  #state: 'starting' | 'serving' | 'draining' | 'closed' = 'starting'
  #lastReload: 'taken-over' | 'refused' = 'taken-over'
  #closing: Promise<void> | undefined
  demo: Demo | undefined
  data!: AddressInfo
  admin!: AddressInfo

  constructor(options: ServeOptions, around: Surroundings, config: CompiledConfig, standing: Standing) {
    this.#options = options
    this.#around = around
    const built = build(config, standing, around)
    this.#config = config
    this.#standing = built.standing
    this.#listener = new Listener(built.runtime, listenerOptions(config.server), (retired) => this.#retired(retired))
    // The audit folder never changes while this runs; prices are only for records that name no cost.
    const usage = new UsageLog(config.audit.dir, config.prices)
    const api = { breakers: breakersApi(this.#breakers()), usage: usageApi(usage) }
    this.#adminListener = new AdminListener(this.#health(), around.metrics.registry, api)
    this.#takenOver(config)
  }

  get metrics(): Metrics {
    return this.#around.metrics
  }

  config(): CompiledConfig {
    return this.#config
  }

  /** Admin first, so that a probe sees "starting" instead of a closed port. */
  async start(seen: Seen): Promise<void> {
    const { server, document } = this.#config
    this.admin = await this.#adminListener.listen(server.admin.host, server.admin.port)
    if (document.demo !== undefined) this.demo = await startDemo(demoAddress(document.demo.listen))
    // The first requests should be counted with the others, but nobody waits long for a store that is not there.
    const { store, vaults } = this.#standing
    await Promise.all([store.ready(storeWaitMs), vaults.store.ready(storeWaitMs)])
    this.data = await this.#listener.listen()
    if (this.#options.watch) this.#watch(seen)
    this.#state = 'serving'
  }

  reload(): Reload {
    const { log, metrics, clock, resolveSecret } = this.#around
    try {
      const { config, locate } = loadAndCompile(this.#options, clock, resolveSecret)
      const fixed = fixedProblems(this.#config, config, locate)
      if (fixed.length > 0) throw new ConfigRefused(fixed)
      // Also when it is refused below: a secret that it misses may come.
      this.#watchSecrets(config)
      refuseMissingSecrets({ config, locate }, this.#around)
      const rotated = rotatedSecrets(config.document, this.#standing.secrets, resolveSecret)
      if (rotated.length > 0) throw new ConfigRefused(rotated.map(locate))
      const built = build(config, this.#standing, this.#around)
      this.#retiring.set(this.#listener.runtime, upstreamsHeldBy(this.#standing))
      if (config.document.log.level !== this.#config.document.log.level) log.level = config.document.log.level
      this.#config = config
      this.#standing = built.standing
      this.#listener.swap(built.runtime)
      this.#takenOver(config)
      metrics.reloaded()
      log.info({ config: config.hash }, 'configuration taken over')
      return { ok: true, hash: config.hash }
    } catch (error) {
      const problems = error instanceof ConfigRefused ? error.problems : [plainProblem(error)]
      this.#lastReload = 'refused'
      metrics.reloadRefused()
      for (const { file, line, column, message, hint } of problems)
        log.error({ file, line, column, hint }, `configuration refused: ${message}`)
      return { ok: false, problems }
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown()
    return this.#closing
  }

  async #shutDown(): Promise<void> {
    const served = this.#state !== 'starting'
    this.#state = 'draining'
    this.#watchers.files?.close()
    this.#watchers.secrets?.close()
    if (served) await this.#listener.drain(this.#config.server.drainMs)
    await Promise.all([...this.#standing.upstreams.values()].map(({ upstream }) => upstream.close()))
    await this.demo?.close()
    this.#standing.store.close()
    this.#standing.vaults.store.close()
    this.#standing.shedding?.close()
    try {
      await this.#standing.audit.close()
    } finally {
      await this.#adminListener.close()
      this.#state = 'closed'
    }
  }

  #watch(seen: Seen): void {
    this.#watchers.files = this.#watchFor(this.#options.paths, seen.files)
    this.#watchSecrets(this.#config, seen.secrets)
  }

  /** Which files hold secrets may change with the configuration; those of the one in force stay watched. */
  #watchSecrets(config: CompiledConfig, seen?: string): void {
    if (!this.#options.watch || this.#watchers.files === undefined) return
    const paths = secretPaths([this.#config, config], this.#options)
    if (paths.join('\0') === this.#secretPaths.join('\0')) return
    this.#secretPaths = paths
    this.#watchers.secrets?.close()
    this.#watchers.secrets = this.#watchFor(paths, seen ?? fingerprint(paths))
  }

  #watchFor(paths: readonly string[], baseline: string): Watcher {
    const { clock, log } = this.#around
    return watchConfig(paths, {
      clock,
      baseline,
      onChange: () => void this.reload(),
      onFault: (error) =>
        log.error(
          { err: error },
          'a folder of the configuration cannot be watched; changes are seen within half a minute',
        ),
    })
  }

  #retired(runtime: Runtime): void {
    const used = this.#retiring.get(runtime) ?? new Set()
    this.#retiring.delete(runtime)
    const inUse = [upstreamsHeldBy(this.#standing), ...this.#retiring.values()]
    for (const upstream of used) if (!inUse.some((upstreams) => upstreams.has(upstream))) void upstream.close()
  }

  #takenOver(config: CompiledConfig): void {
    this.#lastReload = 'taken-over'
    this.#around.metrics.configInForce(config.hash)
    this.#standing.audit.append('policy', {
      config: config.hash,
      policy: config.policy.hash,
      rules: config.document.rules?.length ?? 0,
    })
  }

  #health() {
    return {
      started: () => this.#state !== 'starting',
      unready: () => this.#unready(),
      stats: () => this.#stats(),
      refresh: () => {
        const { size, checkpointAgeMs } = this.#standing.audit.health()
        this.metrics.auditSize.set(size)
        this.metrics.auditCheckpointAge.set(checkpointAgeMs / 1000)
        this.metrics.upstreams(
          [...this.#standing.upstreams].map(([id, { upstream }]) => ({
            id,
            state: upstream.state(),
            limit: upstream.limit(),
          })),
        )
      },
    }
  }

  #breakers(): Breakers {
    return {
      all: () => new Map([...this.#standing.upstreams].map(([id, { upstream }]) => [id, upstream])),
      onChange: (upstream, mode, ip) => {
        this.#around.log.warn({ upstream, mode }, 'breaker was set by hand')
        this.#standing.audit.append('admin', { action: 'breaker', upstream, mode, ip })
      },
    }
  }

  #unready(): string[] {
    const reasons: string[] = []
    if (this.#state !== 'serving') reasons.push(this.#state)
    const audit = this.#standing.audit.health()
    if (!audit.ok) reasons.push(`audit log: ${audit.reason ?? 'failed'}`)
    return reasons
  }

  #stats(): Record<string, string | number | boolean> {
    const audit = this.#standing.audit.health()
    return {
      state: this.#state,
      config: this.#config.hash,
      lastReload: this.#lastReload,
      inflight: this.#listener.inflight,
      auditOk: audit.ok,
      auditSize: audit.size,
      uptimeSeconds: Math.round(process.uptime()),
    }
  }
}

const storeWaitMs = 500

function upstreamsHeldBy(standing: Standing): Set<Upstream> {
  return new Set([...standing.upstreams.values()].map(({ upstream }) => upstream))
}

function secretPaths(configs: readonly CompiledConfig[], { baseDir }: ServeOptions): string[] {
  const files = configs.flatMap(({ document }) => referencedFiles(document, baseDir ?? process.cwd()))
  return [...new Set(files)].sort()
}

function demoAddress(listen: string): ListenAddress {
  const address = parseListen(listen)
  if (address === undefined) throw new Error(`demo.listen: "${listen}" is not host:port`)
  return address
}

function listenerOptions(server: ServerSettings): ListenerOptions {
  return {
    host: server.listen.host,
    port: server.listen.port,
    headerBytesMax: server.headerBytesMax,
    connectionsMax: server.connectionsMax,
    headersTimeoutMs: server.headersTimeoutMs,
    keepAliveTimeoutMs: server.keepAliveMs,
    envelope: {
      headerCountMax: server.headerCountMax,
      targetBytesMax: server.urlBytesMax,
      publicNames: new Set(server.publicNames),
    },
    origins: new Set(server.corsOrigins),
    times: {
      bodyTimeoutMs: server.bodyTimeoutMs,
      bodyRateMin: server.bodyRateMin,
      writeTimeoutMs: server.clientWriteTimeoutMs,
    },
  }
}

function fixedProblems(before: CompiledConfig, after: CompiledConfig, locate: Loaded['locate']): LocatedProblem[] {
  const changed = fixedSections.filter((name) => !isDeepStrictEqual(before.document[name], after.document[name]))
  return changed.map((section) =>
    locate({
      path: [section],
      message: `the section "${section}" cannot change while the proxy runs`,
      hint: 'restart the proxy to take it over',
      severity: 'error',
    }),
  )
}

function plainProblem(error: unknown): LocatedProblem {
  const message = error instanceof Error ? error.message : String(error)
  return { file: '', line: 0, column: 0, length: 0, path: '', message, severity: 'error' }
}
