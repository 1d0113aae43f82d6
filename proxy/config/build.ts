// The composition root: makes a Runtime from a compiled configuration and from what outlives a reload (the audit log,
// the limit store, upstreams that did not change). It knows every folder below it and does nothing itself.
import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import { openLog, type AuditLog } from '../audit/log.ts'
import { openKeyFile, type AuditKey } from '../audit/key.ts'
import type { Clock } from '../lib/clock.ts'
import { keyedDigest } from '../lib/keyed-digest.ts'
import type { ResolveSecret } from '../lib/secret.ts'
import { openLimiter } from '../limits/open-limiter.ts'
import { openStore, type Store } from '../limits/store.ts'
import type { Inquirer } from '../pipeline/inquirer.ts'
import type { Metrics } from '../pipeline/metrics.ts'
import { hostsOf } from '../pipeline/origin.ts'
import { acceptsSockets, denialOf, type RouteOptions } from '../pipeline/options.ts'
import type { Audit, Inspection, Route, Runtime } from '../pipeline/runtime.ts'
import { openShedding, type Shedding } from './shedding.ts'
import { openReplays, type Replays } from '../pipeline/replays.ts'
import type { ToolPins } from '../pipeline/tool-pins.ts'
import { protocols } from '../protocol/protocols.ts'
import { openUpstream, type Upstream } from '../upstream/upstream.ts'
import type { UpstreamEvent } from '../upstream/answer.ts'
import type { UpstreamOptions, UpstreamsOptions } from '../upstream/options.ts'
import type { CompiledConfig } from './compile.ts'
import { detectorUpstreams } from './detectors.ts'
import { inquirersOf, inspectionOf } from './inspections.ts'
import { openPins, type OpenPins } from './pins.ts'
import { routeWithTargets } from './route-targets.ts'
import { openVaults, type Vaults } from './vaults.ts'

export type Surroundings = {
  readonly clock: Clock
  readonly random: () => number
  readonly metrics: Metrics
  readonly log: Logger
  readonly resolveSecret: ResolveSecret
}

/** What is opened once and lives on through reloads. */
export type Standing = {
  readonly audit: AuditLog
  readonly auditKey: AuditKey
  readonly store: Store
  readonly vaults: Vaults
  readonly replays: Replays
  readonly shedding: Shedding | undefined
  /** Id → a mark of the options and the secret it was opened with, and the upstream. */
  readonly upstreams: ReadonlyMap<string, { readonly mark: string; readonly upstream: Upstream }>
  readonly pins: OpenPins
}

export type Built = {
  readonly runtime: Runtime
  /** With the upstreams of the new Runtime. Those it leaves out are its caller's to close, when nobody uses them. */
  readonly standing: Standing
}

/** Opens what outlives reloads. Throws with a message for people when the log or its key cannot be opened. */
export async function openStanding(config: CompiledConfig, around: Surroundings): Promise<Standing> {
  const store = openLimitStore(config, around)
  try {
    const auditKey = await openKeyFile(config.audit.keyFile)
    const audit = await openAuditLog(config, auditKey, around)
    return {
      audit,
      auditKey,
      store,
      vaults: openVaults(config, auditKey, around),
      replays: openReplays(around.clock),
      shedding: openShedding(config.server, around),
      upstreams: new Map(),
      pins: new Map(),
    }
  } catch (error) {
    store.close()
    throw error
  }
}

function openLimitStore(config: CompiledConfig, { clock, metrics, log, resolveSecret }: Surroundings): Store {
  return openStore(config.store, {
    clock,
    resolveSecret,
    onEvent: (event) => {
      if (event.kind === 'error') metrics.storeError(event.reason)
      if (event.kind === 'lost') log.warn({ count: event.count }, 'requests could not be settled in the limit store')
      if (event.kind === 'state') log.warn({ up: event.up }, event.up ? 'limit store is back' : 'limit store went away')
    },
  })
}

function openAuditLog(config: CompiledConfig, key: AuditKey, { clock, metrics, log }: Surroundings): Promise<AuditLog> {
  return openLog({
    ...config.audit,
    key,
    clock,
    onFault: (error) => {
      metrics.auditFailure()
      log.error({ err: error }, 'audit log fault')
    },
  })
}

/** Nothing of `standing` is changed: when this throws (a secret is missing), the old Runtime goes on as it is. */
export function build(config: CompiledConfig, standing: Standing, around: Surroundings): Built {
  const upstreams = openUpstreams(config, standing, around)
  const pins = openPins(config.document.upstreams, standing.pins, standing.auditKey.publicKey)
  const audit = auditOf(config, standing)
  const runtime: Runtime = {
    hash: config.hash,
    routes: routesOf(
      config,
      (id) => upstreams.get(id)?.upstream,
      (id) => pins.get(id)?.pins,
      inquirersOf(config.catalogue, (id) => upstreams.get(id)?.upstream),
    ),
    authenticator: config.authenticator,
    limiter: openLimiter(config.limits, standing.store),
    prices: pricesAsked(config),
    policy: config.policy,
    policyHeaders: config.policyHeaders,
    audit,
    vaults: standing.vaults.store,
    metrics: around.metrics,
    log: around.log,
    clock: around.clock,
    limits: runtimeLimits(config),
    slowMs: config.slowMs,
    hosts: hostsOf(config.server.listen.host, config.server.publicNames, config.server.corsOrigins),
    random: around.random,
    replays: standing.replays,
    shedder: standing.shedding?.shedder,
  }
  // An upstream that was opened anew begins closed, whatever the gauge still says of the one before.
  for (const [id, { upstream }] of upstreams) around.metrics.breaker(id, upstream.state())
  return { runtime, standing: { ...standing, upstreams, pins } }
}

/** Those of external detectors, too. */
function upstreamsOf({ document }: CompiledConfig): UpstreamsOptions {
  return { ...document.upstreams, ...detectorUpstreams(document.detectors ?? []) }
}

type OpenUpstreams = Map<string, { readonly mark: string; readonly upstream: Upstream }>

/** An upstream whose options and secret are the same keeps its connections and the state of its breaker. */
function openUpstreams(config: CompiledConfig, standing: Standing, around: Surroundings): OpenUpstreams {
  const open: OpenUpstreams = new Map()
  try {
    for (const [id, options] of Object.entries(upstreamsOf(config))) {
      const mark = markOf(options, around)
      const before = standing.upstreams.get(id)
      open.set(id, before?.mark === mark ? before : { mark, upstream: openAnew(id, options, before?.upstream, around) })
    }
  } catch (error) {
    for (const [id, { upstream }] of open) if (standing.upstreams.get(id)?.upstream !== upstream) void upstream.close()
    throw error
  }
  return open
}

/** What an operator has done to its breaker by hand stays done, unless the configuration now says what is to be. */
function openAnew(id: string, options: UpstreamOptions, before: Upstream | undefined, around: Surroundings): Upstream {
  const upstream = openUpstream(id, options, upstreamDeps(around))
  if (before !== undefined && options.breaker?.mode === undefined && before.mode() !== 'auto')
    upstream.override(before.mode())
  return upstream
}

/** A digest, so that the secrets are not kept a second time. */
function markOf(options: UpstreamOptions, { resolveSecret }: Surroundings): string {
  const { credential, credentials = credential === undefined ? [] : [credential] } = options
  const secrets = credentials.map((one) => resolveSecret('bearer' in one ? one.bearer : one.value))
  return createHash('sha256')
    .update(JSON.stringify([options, secrets]))
    .digest('base64')
}

function upstreamDeps({ clock, random, resolveSecret, metrics, log }: Surroundings) {
  const onEvent = (event: UpstreamEvent): void => {
    switch (event.type) {
      case 'attempt':
        metrics.attempt(event.upstream, event.attempt)
        break
      case 'end':
        metrics.upstreamEnd(event.upstream, event.durationMs)
        break
      case 'breaker':
        metrics.breaker(event.upstream, event.state)
        log.warn({ upstream: event.upstream, state: event.state }, 'breaker changed state')
        break
      case 'retry':
        metrics.retry(event.upstream)
        break
      case 'quota':
        metrics.upstreamQuota(event.upstream)
        log.warn({ upstream: event.upstream, credential: event.credential }, 'the quota at the upstream is used up')
        break
      case 'queue-refused':
        metrics.queueRefused(event.upstream, event.why)
        break
      case 'limit':
        metrics.concurrencyLimit(event.upstream, event.limit)
        break
      case 'rest':
        metrics.credentialRest(event.upstream, event.credential)
        log.warn(
          { upstream: event.upstream, credential: event.credential, status: event.status },
          'credential is left alone for a while',
        )
        break
    }
  }
  return { clock, random, resolve: resolveSecret, onEvent }
}

function auditOf(config: CompiledConfig, { audit, auditKey, vaults }: Standing): Audit {
  const digest = keyedDigest(auditKey.derive('digest'))
  return {
    log: audit,
    strict: config.audit.durability === 'strict',
    onFailure: config.audit.onFailure,
    digest: (bytes) => digest(bytes).toString('base64url'),
    tokenKey: vaults.tokenKey,
    sessionCode: keyedDigest(auditKey.derive('session')),
  }
}

/** Longest path first, so that the first that covers a path is the most specific one. */
export function routesOf(
  config: CompiledConfig,
  upstreamOf: (id: string) => Upstream | undefined,
  pinsOf: (id: string) => ToolPins | undefined,
  inquirers: readonly Inquirer[],
): Route[] {
  return config.document.routes
    .map((route) =>
      routeWithTargets(route, config.document, (one) =>
        routeOf(one, config, { upstream: upstreamOf(one.upstream), pins: pinsOf(one.upstream), inquirers }),
      ),
    )
    .sort((a, b) => b.path.length - a.path.length)
}

/** Nobody is told what something costs who does not ask. */
function pricesAsked({ document, limits, prices }: CompiledConfig): Runtime['prices'] {
  const counted = limits.some(({ quotas }) => quotas.some(({ unit }) => unit === 'cost'))
  return counted || (document.prices ?? []).length > 0 ? prices : undefined
}

export function runtimeLimits({ server }: CompiledConfig): Runtime['limits'] {
  return {
    bodyBytesMax: server.bodyBytesMax,
    jsonDepthMax: server.jsonDepthMax,
    jsonKeysMax: 10_000,
    eventBytesMax: 1024 * 1024,
  }
}

function routeOf(
  options: RouteOptions,
  config: CompiledConfig,
  {
    upstream,
    pins,
    inquirers,
  }: Pick<Route, 'pins'> & { upstream: Upstream | undefined; inquirers: readonly Inquirer[] },
): Route {
  const protocol = config.document.upstreams[options.upstream]?.protocol
  if (upstream === undefined || protocol === undefined) throw new Error(`route ${options.id} has no upstream`)
  const adapter = protocols.get(protocol)
  if (adapter === undefined) throw new Error(`protocol ${protocol} has no adapter`)
  const needs = config.policy.needs(options.id)
  const denial = denialOf(options)
  const inspected = (direction: 'request' | 'response', findings: ReadonlySet<string>): Inspection =>
    inspectionOf({ direction, upstream: options.upstream, route: options.id }, config, findings, inquirers)
  return {
    id: options.id,
    path: options.path === '/' ? '' : options.path,
    protocol: adapter,
    upstream,
    upstreamPath: upstream.basePath,
    denyStatus: denial.status,
    denyPreset: denial.preset,
    posture: options.posture,
    ...(options.priority === undefined ? undefined : { priority: options.priority }),
    websocket: acceptsSockets(options),
    needs,
    request: inspected('request', needs.findings),
    answer: inspected('response', needs.answer ? needs.findings : new Set()),
    restoresTokens: config.redaction.restoresTo(options.upstream),
    limitsBody: config.limits.some((limit) => limit.phase === 'body' && (limit.filters.routes?.(options.id) ?? true)),
    pins,
  }
}
