// Owns policy tests (`*.test.yaml`) as plain data: their shape, how one case runs, and which rules no case reached. A
// case that is a whole request is judged by whoever can read requests; that is handed in.
import ipaddr from 'ipaddr.js'
import type { ErrorObject, ValidateFunction } from 'ajv'
import { openAjv } from '../lib/late-packages.ts'
import type { Json } from '../lib/json.ts'
import { didYouMean } from '../lib/nearest.ts'
import type { Problem } from '../lib/problem.ts'
import { actionsOf } from './actions.ts'
import type { Decision, Effect } from './decision.ts'
import type { Policy } from './evaluate.ts'
import type { KnownRoute } from './known.ts'
import type { Action, Query, Subject } from './query.ts'
import { suiteSchema } from './suite-schema.ts'

export type CaseRequest = {
  readonly route?: string
  readonly upstream?: string
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Json
}

export type Case = {
  readonly name: string
  /** Text is an id. */
  readonly principal?: string | Partial<Subject>
  readonly action?: Action
  readonly request?: CaseRequest
  readonly route?: string
  readonly upstream?: string
  /** Client address; 127.0.0.1 when absent. */
  readonly from?: string
  /** RFC 3339; noon UTC of 1 January 2026, a Thursday, when absent. */
  readonly time?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Absent: inspected, and nothing found. `unknown`: not inspected. */
  readonly findings?: Readonly<Record<string, number>> | 'unknown'
  readonly expect: {
    readonly effect?: Effect
    /** null: no rule, but the default. */
    readonly rule?: string | null
    readonly code?: string
    /** The effect were shadow rules enforced; null: no different. */
    readonly shadow?: Effect | null
    readonly redactions?: Readonly<Record<string, number>>
    /** Ids of the limits that count it, in any order. */
    readonly limits?: readonly string[]
    /** How many such requests pass at once, and which limit stops the next; null: none does. */
    readonly passes?: number
    readonly limit?: string | null
  }
}

export type Suite = { readonly policy: string; readonly cases: readonly Case[] }

/** What a case says beyond its action or request. */
export type Circumstances = Pick<Query, 'principal' | 'client' | 'headers' | 'timeMs'>

export type SuiteDeps = {
  /** The principal that is configured under an id. */
  findPrincipal?(id: string): Subject | undefined
  /** `failure`: one sentence, where what is written is no request. */
  judgeRequest(request: CaseRequest, circumstances: Circumstances): Promise<JudgedRequest | { failure: string }>
  /** What limits would do to the same request again and again. */
  askLimits?(query: Query): Promise<AskedLimits>
}

/** The decision over a whole request (the first that does not allow, else the last) and what was redacted, by entity. */
export type JudgedRequest = {
  readonly decision: Decision
  readonly redactions: Readonly<Record<string, number>>
}

export type AskedLimits = { readonly applies: readonly string[]; readonly passes: number; readonly stops?: string }

export type CaseResult = {
  readonly name: string
  readonly passed: boolean
  /** One sentence for each expectation that was not met. */
  readonly failures: readonly string[]
  /** Absent when the case could not be run. */
  readonly decision?: Decision
  /** The query that was judged, for explain; absent for requests. */
  readonly query?: Query
}

let compiled: ValidateFunction<Suite> | undefined

/** `json` is the parsed file. */
export function parseSuite(json: unknown): { readonly suite?: Suite; readonly problems: readonly Problem[] } {
  const validate = (compiled ??= openAjv({ allErrors: true, verbose: true, allowUnionTypes: true }).compile<Suite>(
    suiteSchema,
  ))
  if (validate(json)) return { suite: json, problems: [] }
  // Which of the alternatives fails, and how, is said by the choice between them.
  const errors = (validate.errors ?? []).filter(({ schemaPath }) => !schemaPath.includes('/oneOf/'))
  const problems = errors.map((error): Problem => {
    const steps = error.instancePath.split('/').slice(1)
    const path = steps.map((step) =>
      /^[0-9]+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~'),
    )
    const extra: unknown = error.params.additionalProperty
    if (typeof extra === 'string') {
      const hint = didYouMean(extra, Object.keys((error.parentSchema?.['properties'] ?? {}) as object))
      return { path: [...path, extra], message: `unknown key "${extra}"`, severity: 'error', atKey: true, ...hint }
    }
    return { path, message: sentenceOf(error), severity: 'error', ...slipOf(error) }
  })
  return { problems }
}

function slipOf({ keyword, params, data }: ErrorObject): { hint?: string } {
  return keyword === 'enum' && typeof data === 'string' ? didYouMean(data, params['allowedValues'] as string[]) : {}
}

function sentenceOf({ keyword, params, message = 'is not valid' }: ErrorObject): string {
  if (keyword === 'oneOf') return 'a case has either "action" or "request"'
  if (keyword === 'required') return `missing key "${String(params['missingProperty'])}"`
  if (keyword === 'enum') return `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`
  if (keyword === 'minItems') return 'must not be empty'
  if (keyword === 'type') return `must be ${kinds[String(params['type'])] ?? String(params['type'])}`
  return message
}

const kinds: Readonly<Record<string, string>> = {
  'object,string': 'a map or an id',
  object: 'a map',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  boolean: 'true or false',
}

export async function runCase(policy: Policy, test: Case, deps: SuiteDeps): Promise<CaseResult> {
  const flaw = flawOf(test, policy)
  if (flaw !== undefined) return failed(test, flaw)
  const circumstances = circumstancesOf(test, policy, deps)
  if (test.request !== undefined) {
    const place = {
      ...(test.route === undefined ? {} : { route: test.route }),
      ...(test.upstream === undefined ? {} : { upstream: test.upstream }),
    }
    if (limitKeys.some((key) => test.expect[key] !== undefined))
      return failed(test, 'limits are asked about actions, not about requests')
    const judged = await deps.judgeRequest({ ...place, ...test.request }, circumstances)
    return 'failure' in judged ? failed(test, judged.failure) : verdict(test, judged.decision, judged.redactions)
  }
  if (test.action === undefined) return failed(test, 'a case needs an action or a request')
  const place = placeOf(test, test.action, policy)
  if ('failure' in place) return failed(test, place.failure)
  const { findings = {} } = test
  const via = test.action.via ?? place.via
  const query: Query = {
    ...circumstances,
    action: { ...test.action, ...(via === undefined ? {} : { via }) },
    route: place.route,
    upstream: place.upstream,
    ...(findings === 'unknown' ? {} : { findings }),
  }
  const asksLimits = limitKeys.some((key) => test.expect[key] !== undefined)
  const limits = asksLimits ? await deps.askLimits?.(query) : undefined
  return { ...verdict(test, policy.evaluate(query), undefined, limits), query }
}

/** What stands there and is nothing would be unknown to the rules, and the case might pass for that. */
function flawOf({ time, from, route, upstream }: Case, { routes }: Policy): string | undefined {
  if (time !== undefined && !(dateTime.test(time) && Number.isFinite(Date.parse(time))))
    return `"${time}" is not a time; write for example 2026-01-31T12:00:00Z`
  if (from !== undefined && !ipaddr.isValid(from)) return `"${from}" is not an address`
  if (route !== undefined && !routes.some(({ id }) => id === route)) return `there is no route "${route}"`
  const leadsTo = ({ id, upstream: own, fallback = [] }: KnownRoute) =>
    (route === undefined || id === route) && (own === upstream || fallback.includes(upstream ?? ''))
  // A policy without routes is a part of a configuration: what it will lead to is not known.
  if (upstream === undefined || routes.length === 0 || routes.some(leadsTo)) return undefined
  return `no route ${route === undefined ? '' : `"${route}" `}leads to "${upstream}"`
}

/** With its offset: without one it would be another time on another machine. */
const dateTime = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/

const limitKeys = ['limits', 'passes', 'limit'] as const

/** Rules by whether at least one case matched them, in document order. */
export function coverage(
  policy: Policy,
  results: readonly CaseResult[],
): { readonly covered: readonly string[]; readonly uncovered: readonly string[] } {
  const matched = new Set(results.flatMap((result) => (result.decision?.matched ?? []).map(({ rule }) => rule)))
  const ids = policy.rules.map(({ id }) => id)
  return { covered: ids.filter((id) => matched.has(id)), uncovered: ids.filter((id) => !matched.has(id)) }
}

function circumstancesOf(test: Case, policy: Policy, deps: SuiteDeps): Circumstances {
  const said = typeof test.principal === 'string' ? { id: test.principal } : (test.principal ?? {})
  const { id = 'test' } = said
  const principal: Subject = { id, roles: [], ...deps.findPrincipal?.(id), ...said }
  const headers = Object.entries(test.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const)
  return {
    principal,
    client: { ip: test.from ?? '127.0.0.1' },
    headers: Object.fromEntries(headers.filter(([name]) => policy.headers.has(name))),
    timeMs: Date.parse(test.time ?? '2026-01-01T12:00:00Z'),
  }
}

type Place = { readonly route: string; readonly upstream: string; readonly via?: NonNullable<Action['via']> }

/** Where the action happens: as the case says, or the one place of the configuration where it can. */
function placeOf(test: Case, action: Action, policy: Policy): Place | { readonly failure: string } {
  const fitting = policy.routes.filter((route) => fits(route, test, action))
  const [first] = fitting
  const viaOf = (protocol: string) => (protocol === 'http' || protocol === 'mcp' ? protocol : 'model')
  const isTool = action.type === 'tool.call' || action.type === 'tool.offer'
  if (first === undefined) return { route: test.route ?? 'test', upstream: test.upstream ?? 'test' }
  // Where the place makes no difference any will do.
  const matters = policy.rules.some(
    (rule) => rule.actions.has(action.type) && (rule.reads.has('route') || rule.reads.has('upstream')),
  )
  if (fitting.length > 1 && matters) return { failure: `say which route: ${fitting.map(({ id }) => id).join(', ')}` }
  const via =
    isTool && fitting.every((route) => viaOf(route.protocol) === viaOf(first.protocol))
      ? { via: viaOf(first.protocol) }
      : {}
  return { route: first.id, upstream: test.upstream ?? first.upstream, ...via } as Place
}

function fits(route: KnownRoute, test: Case, action: Action): boolean {
  if (test.route !== undefined) return route.id === test.route
  if (
    test.upstream !== undefined &&
    test.upstream !== route.upstream &&
    route.fallback?.includes(test.upstream) !== true
  )
    return false
  if (actionsOf(route.protocol)?.includes(action.type) !== true) return false
  const http = action.via === 'http' || action.method !== undefined || action.path !== undefined
  if (http) return route.protocol === 'http' && (action.tool === undefined || action.tool === route.upstream)
  if (action.via === 'model') return route.protocol !== 'http' && route.protocol !== 'mcp'
  if (action.type !== 'tool.call' && action.type !== 'tool.offer') return true
  const owner = action.tool?.split('/')[0]
  if (action.tool?.includes('/') === true || action.via === 'mcp')
    return route.protocol === 'mcp' && owner === route.upstream
  return route.protocol === 'http' ? owner === route.upstream : route.protocol !== 'mcp'
}

function failed(test: Case, failure: string): CaseResult {
  return { name: test.name, passed: false, failures: [failure] }
}

function verdict(
  { name, expect }: Case,
  decision: Decision,
  redactions?: Readonly<Record<string, number>>,
  limits?: AskedLimits,
): CaseResult {
  const failures: string[] = []
  const compare = (what: string, wanted: string | null | undefined, got: string | null) => {
    if (wanted !== undefined && wanted !== got)
      failures.push(`${what}: expected ${wanted ?? 'none'}, got ${got ?? 'none'}`)
  }
  compare('effect', expect.effect, decision.effect)
  compare('rule', expect.rule, decision.rule ?? null)
  compare('code', expect.code, decision.code)
  compare('shadow', expect.shadow, decision.shadow?.effect ?? null)
  if (expect.redactions !== undefined) compare('redactions', list(expect.redactions), list(redactions ?? {}))
  if (limits !== undefined) {
    compare('limits', expect.limits && sorted(expect.limits), sorted(limits.applies))
    compare('passes', expect.passes === undefined ? undefined : String(expect.passes), String(limits.passes))
    compare('limit', expect.limit, limits.stops ?? null)
  }
  return { name, passed: failures.length === 0, failures, decision }
}

function sorted(ids: readonly string[]): string {
  return ids.length === 0 ? 'none' : [...ids].sort().join(', ')
}

function list(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).filter(([, count]) => count > 0)
  return entries.length === 0 ? 'none' : entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([entity, count]) => `${entity}=${count}`).join(', ') // prettier-ignore
}
