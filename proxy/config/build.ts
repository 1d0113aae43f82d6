// The composition root: makes a Runtime from a compiled configuration and from what outlives a reload (the audit log,
// the limit store, upstreams that did not change). It knows every folder below it and does nothing itself.
import { openLog, type AuditLog } from '../audit/log.ts'
import { openKeyFile, type AuditKey } from '../audit/key.ts'
import { keyedDigest } from '../lib/keyed-digest.ts'
import { openLimiter } from '../limits/open-limiter.ts'
import { openStore, type Store } from '../limits/store.ts'
import type { Inquirer } from '../pipeline/inquirer.ts'
import { hostsOf } from '../pipeline/origin.ts'
import { acceptsSockets, denialOf, type RouteOptions } from '../pipeline/options.ts'
import type { Audit, Inspection, Route, Runtime } from '../pipeline/runtime.ts'
import { openReplays, type Replays } from '../pipeline/replays.ts'
import type { ToolPins } from '../pipeline/tool-pins.ts'
import { protocols } from '../protocol/protocols.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { CompiledConfig } from './compile.ts'
import { inquirersOf, inspectionOf } from './inspections.ts'
import { openPins, type OpenPins } from './pins.ts'
import { routeWithTargets } from './route-targets.ts'
import { secretMarks, type SecretMarks } from './secrets.ts'
import { openShedding, type Shedding } from './shedding.ts'
import type { Surroundings } from './surroundings.ts'
import { openUpstreams, type OpenUpstreams } from './upstreams.ts'
import { openVaults, type Vaults } from './vaults.ts'

/** What is opened once and lives on through reloads. */
export type Standing = {
  readonly audit: AuditLog
  readonly auditKey: AuditKey
  readonly store: Store
  readonly vaults: Vaults
  readonly replays: Replays
  readonly shedding: Shedding | undefined
  readonly upstreams: OpenUpstreams
  readonly pins: OpenPins
  /** Of the secrets that all of this but upstreams was opened with. */
  readonly secrets: SecretMarks
}

/** Sections that are opened once: taking half of a change over would be a lie. */
export const fixedSections = ['server', 'audit', 'store', 'vault', 'demo'] as const

export type Built = {
  readonly runtime: Runtime
  /** With the upstreams of the new Runtime. Those it leaves out are its caller's to close, when nobody uses them. */
  readonly standing: Standing
}

/** Opens what outlives reloads. Throws with a message for people when the log or its key cannot be opened. */
export async function openStanding(config: CompiledConfig, around: Surroundings): Promise<Standing> {
  const secrets = secretMarks(config.document, fixedSections, around.resolveSecret)
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
      secrets,
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
      if (event.kind === 'overrun') metrics.limitOverrun(event.limit)
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
    onRecord: (kind) => metrics.auditRecord(kind),
    onLost: (count) => {
      metrics.auditFailure()
      // Once for all of them: there may be thousands a second.
      if (count === 1) log.error('the queue of the audit log is full; records are lost')
    },
  })
}

/** Nothing of `standing` is changed: when this throws (a secret is missing), the old Runtime goes on as it is. */
export function build(config: CompiledConfig, standing: Standing, around: Surroundings): Built {
  const upstreams = openUpstreams(config, standing.upstreams, around)
  const pins = openPins(config.document.upstreams, standing.pins, standing.auditKey.publicKey)
  const audit = auditOf(config, standing)
  const runtime: Runtime = {
    ...settledBy(config),
    routes: routesOf(
      config,
      (id) => upstreams.get(id)?.upstream,
      (id) => pins.get(id)?.pins,
      inquirersOf(config.catalogue, (id) => upstreams.get(id)?.upstream),
    ),
    limiter: openLimiter(config.limits, standing.store),
    prices: pricesAsked(config),
    audit,
    vaults: standing.vaults.store,
    metrics: around.metrics,
    log: around.log,
    clock: around.clock,
    random: around.random,
    replays: standing.replays,
    shedder: standing.shedding?.shedder,
  }
  return { runtime, standing: { ...standing, upstreams, pins } }
}

function auditOf(config: CompiledConfig, { audit, auditKey, vaults }: Standing): Audit {
  return {
    log: audit,
    strict: config.audit.durability === 'strict',
    onFailure: config.audit.onFailure,
    digest: keyedDigest(auditKey.derive('digest')),
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

type Settled = Pick<Runtime, 'hash' | 'authenticator' | 'policy' | 'policyHeaders' | 'limits' | 'slowMs' | 'hosts'>

/** What of a Runtime the configuration settles, whether it can act or only decides. */
export function settledBy({ hash, authenticator, policy, policyHeaders, slowMs, server }: CompiledConfig): Settled {
  const { bodyBytesMax, jsonDepthMax, listen, publicNames, corsOrigins } = server
  return {
    hash,
    authenticator,
    policy,
    policyHeaders,
    slowMs,
    limits: { bodyBytesMax, jsonDepthMax, jsonKeysMax: 10_000, eventBytesMax: 1024 * 1024 },
    hosts: hostsOf(listen.host, publicNames, corsOrigins),
  }
}

/** Formats in which a model is named that has a price. */
const billed: ReadonlySet<string> = new Set(['openai', 'anthropic', 'gemini', 'ollama'])

function limitsBody(route: string, { limits }: CompiledConfig): boolean {
  return limits.some(({ phase, filters }) => phase === 'body' && (filters.routes?.(route) ?? true))
}

type AskedFindings = Pick<Route['needs'], 'findings' | 'enforcedFindings'>

const noFindings: AskedFindings = { findings: new Set(), enforcedFindings: new Set() }

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
  const inspected = (direction: 'request' | 'response', asked: AskedFindings): Inspection =>
    inspectionOf({ direction, upstream: options.upstream, route: options.id }, config, asked, inquirers)
  const request = inspected('request', needs)
  const answer = inspected('response', needs.answer ? needs : noFindings)
  const plans = [request.plan, request.target, request.headers, answer.plan, answer.headers]
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
    request,
    answer,
    redacts: plans.some((plan) => plan !== undefined),
    issuesTokens: plans.some((plan) => plan?.issuesTokens === true),
    restoresTokens: config.redaction.restoresTo(options.upstream),
    limitsBody: limitsBody(options.id, config) || (pricesAsked(config) !== undefined && billed.has(protocol)),
    pins,
  }
}
