// Builds policies and queries for tests: a small configuration with one upstream of each kind.
import type { Known } from '../../../proxy/policy/known.ts'
import { compilePolicy } from '../../../proxy/policy/compile.ts'
import type { Policy } from '../../../proxy/policy/evaluate.ts'
import type { PolicyOptions, RuleOptions } from '../../../proxy/policy/options.ts'
import type { Action, Query } from '../../../proxy/policy/query.ts'
import type { Problem } from '../../../proxy/lib/problem.ts'

export const known: Known = {
  routes: [
    { id: 'openai', upstream: 'openai', protocol: 'openai' },
    { id: 'claude', upstream: 'anthropic', protocol: 'anthropic', fallback: ['openai'] },
    { id: 'crm', upstream: 'crm', protocol: 'http' },
    { id: 'github', upstream: 'github', protocol: 'mcp' },
  ],
  upstreams: [
    { id: 'openai', protocol: 'openai' },
    { id: 'anthropic', protocol: 'anthropic' },
    { id: 'crm', protocol: 'http' },
    { id: 'github', protocol: 'mcp' },
  ],
  principals: {
    ids: ['research-agent', 'intern', 'ops'],
    orgs: ['acme'],
    teams: ['growth'],
    roles: ['researcher', 'intern'],
  },
  entities: new Map([
    ['email', 'pii'],
    ['us-ssn', 'pii'],
    ['jwt', 'secrets'],
    ['private-key', 'secrets'],
  ]),
}

export function problemsOf(options: PolicyOptions): readonly Problem[] {
  return compilePolicy(options, known).problems
}

export function policyOf(options: PolicyOptions): Policy {
  const { policy, problems } = compilePolicy(options, known)
  if (policy === undefined) throw new Error(JSON.stringify(problems))
  return policy
}

export function rulesOf(...rules: RuleOptions[]): Policy {
  return policyOf({ rules })
}

const routeOf: Record<Action['type'], string> = {
  'model.call': 'openai',
  'tool.call': 'github',
  'tool.offer': 'github',
  'resource.read': 'github',
  'prompt.get': 'github',
}

/** A query by the research agent at noon UTC on a Saturday; the route follows from the action. */
export function queryOf(action: Action, more: Partial<Omit<Query, 'action'>> = {}): Query {
  const route = action.via === 'http' ? 'crm' : action.via === 'model' ? 'openai' : routeOf[action.type]
  return {
    action,
    principal: { id: 'research-agent', org: 'acme', team: 'growth', roles: ['researcher'] },
    route,
    upstream: route,
    client: { ip: '10.1.2.3' },
    headers: {},
    timeMs: Date.parse('2026-11-21T12:00:00Z'),
    ...more,
  }
}
