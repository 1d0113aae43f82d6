// Owns the step from a document to everything that can be worked out without opening a file, a socket or a database:
// what `check` runs, and what a reload must pass before anything is swapped.
import { compileAudit, type AuditSettings } from '../audit/options.ts'
import type { Catalogue } from '../detect/catalogue.ts'
import { compileDetectors } from '../detect/custom.ts'
import { compileRedaction, type Redaction } from '../detect/redaction.ts'
import { compileVault, type VaultPlan } from '../detect/vault-options.ts'
import { compileIdentity, type KnownPrincipals } from '../identity/compile.ts'
import type { Authenticator } from '../identity/authenticate.ts'
import type { Problem } from '../lib/problem.ts'
import { parseDuration } from '../lib/units.ts'
import { compileLimits, compilePrices, type LimitPlan } from '../limits/compile.ts'
import { compileStore, type StorePlan } from '../limits/compile-store.ts'
import type { Prices } from '../limits/prices.ts'
import { compileServer, weightedUpstreams, type ServerSettings } from '../pipeline/options.ts'
import { compilePolicy, type Policy } from '../policy/compile.ts'
import { compileGlob, compileGlobAgainst } from '../policy/glob.ts'
import type { Known } from '../policy/known.ts'
import { compileUpstream } from '../upstream/settings.ts'
import { connectionProblems } from './detectors.ts'
import type { Loaded } from './load.ts'
import type { LocatedProblem } from './locate.ts'
import { restoreProblems } from './restore-problems.ts'
import { routeProblems } from './route-problems.ts'
import type { Document } from './schema.ts'
import { streamProblems } from './stream-problems.ts'

export type CompiledConfig = {
  readonly document: Document
  readonly hash: string
  readonly server: ServerSettings
  readonly authenticator: Authenticator
  readonly limits: LimitPlan
  readonly prices: Prices
  readonly store: StorePlan
  readonly vault: VaultPlan
  readonly policy: Policy
  readonly redaction: Redaction
  /** What can be detected here. */
  readonly catalogue: Catalogue
  readonly audit: AuditSettings
  /** Lower case. */
  readonly policyHeaders: ReadonlySet<string>
  readonly slowMs: number
}

export type CompileResult =
  | { readonly ok: true; readonly config: CompiledConfig; readonly warnings: readonly LocatedProblem[] }
  | { readonly ok: false; readonly problems: readonly LocatedProblem[] }

export function compileConfig(loaded: Loaded, nowMs: number): CompileResult {
  const { document, written } = loaded
  const problems: Problem[] = []
  const note = <T extends { readonly problems: readonly Problem[] }>(compiled: T): T => {
    problems.push(...compiled.problems)
    return compiled
  }
  const server = note(compileServer(document.server, ['server']))
  const identity = note(compileIdentity(document, [], { nowMs }))
  for (const [id, upstream] of Object.entries(document.upstreams)) note(compileUpstream(upstream, ['upstreams', id]))
  const names = namesIn(written)
  const { prices } = note(compilePrices(document.prices ?? [], ['prices'], compileGlob))
  const { ids, orgs, teams, roles } = identity.known
  const references = { ...names, principals: ids, orgs, teams, roles, patterns: compileGlobAgainst }
  const limits = note(compileLimits(inMode(document, document.limits), ['limits'], references, prices))
  const store = note(compileStore(document.store, ['store']))
  const vault = note(compileVault(document.vault, ['vault'], document.store?.redis?.url !== undefined))
  const { catalogue } = note(compileDetectors(document.detectors ?? [], ['detectors']))
  problems.push(...connectionProblems(document.detectors ?? [], ['detectors']))
  const redaction = note(compileRedaction(inMode(document, document.redaction), ['redaction'], names, catalogue))
  const audit = note(compileAudit(document.audit, ['audit']))
  const policy = note(compilePolicy(document, knownTo(written, identity.known, catalogue), []))
  const looking = { policy: policy.policy, redaction: redaction.redaction, catalogue }
  for (const problemsOf of [routeProblems, restoreProblems, streamProblems])
    problems.push(...problemsOf(document, looking))

  const located = [...problems.map(loaded.locate), ...problemsSwitchedOff(loaded)]
  const failed = located.some((problem) => problem.severity === 'error')
  if (
    failed ||
    policy.policy === undefined ||
    redaction.redaction === undefined ||
    audit.settings === undefined ||
    store.plan === undefined
  ) {
    return { ok: false, problems: located }
  }
  const config = {
    document,
    hash: loaded.hash,
    server: server.settings,
    authenticator: identity.authenticator,
    limits: limits.plan,
    prices,
    store: store.plan,
    vault: vault.plan,
    policy: policy.policy,
    redaction: redaction.redaction,
    catalogue,
    audit: audit.settings,
    policyHeaders: new Set((document.policyHeaders ?? []).map((name) => name.toLowerCase())),
    slowMs: parseDuration(document.log.slow) ?? 0,
  }
  return { ok: true, config, warnings: located }
}

/** What is wrong with upstreams that the environment switches off: they would be found out when it switches them on. */
function problemsSwitchedOff({ disabled, written, locateWritten }: Loaded): LocatedProblem[] {
  return disabled.upstreams.flatMap((id) => {
    const upstream = written.upstreams[id]
    const problems = upstream === undefined ? [] : compileUpstream(upstream, ['upstreams', id]).problems
    return problems.flatMap((problem) => locateWritten(problem) ?? [])
  })
}

/** What a switched-off upstream or route is called is still a name that rules may use. */
function namesIn(written: Loaded['written']): { upstreams: Set<string>; routes: Set<string> } {
  return {
    upstreams: new Set(Object.keys(written.upstreams)),
    routes: new Set(written.routes.map((route) => route.id)),
  }
}

function knownTo({ upstreams, routes }: Loaded['written'], principals: KnownPrincipals, catalogue: Catalogue): Known {
  const protocolOf = (upstream: string): string => upstreams[upstream]?.protocol ?? 'http'
  return {
    routes: routes.map((route) => ({
      id: route.id,
      upstream: route.upstream,
      protocol: protocolOf(route.upstream),
      fallback: weightedUpstreams(route)
        .slice(1)
        .map(({ upstream }) => upstream),
    })),
    upstreams: Object.entries(upstreams).map(([id, { protocol }]) => ({ id, protocol })),
    principals: {
      ids: [...principals.ids],
      orgs: [...principals.orgs],
      teams: [...principals.teams],
      roles: [...principals.roles],
    },
    entities: catalogue.groups,
  }
}

/**
 * `mode: shadow` of the document holds for every rule and limit: what would have been replaced, blocked or refused is only
 * recorded.
 */
function inMode<T extends object>({ mode }: Document, rules: readonly T[] = []): readonly (T & { mode?: 'shadow' })[] {
  return mode === 'shadow' ? rules.map((rule) => ({ ...rule, mode })) : rules
}
