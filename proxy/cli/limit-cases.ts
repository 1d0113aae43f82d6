// Owns how `gatewright test` asks limits about a case: as if its action came again and again, all in one moment.
import type { CompiledConfig } from '../config/compile.ts'
import { tryLimits, type DryLimits } from '../limits/dry-limits.ts'
import type { Query } from '../policy/query.ts'

export function limitsOn({ limits }: CompiledConfig, { action, principal, ...query }: Query): Promise<DryLimits> {
  const { type, tool, model, maxTokens } = action
  const subject = {
    principal: principal.id,
    roles: principal.roles,
    ip: query.client.ip,
    route: query.route,
    upstream: query.upstream,
    ...(principal.org === undefined ? undefined : { org: principal.org }),
    ...(principal.team === undefined ? undefined : { team: principal.team }),
  }
  const demand = {
    actions: [type],
    tools: type === 'tool.call' && tool !== undefined ? [tool] : [],
    // A case has no prompt.
    inputTokens: 0,
    answers: 1,
    ...(model === undefined ? undefined : { model }),
    ...(maxTokens === undefined ? undefined : { outputTokensMax: maxTokens }),
  }
  return tryLimits(limits, subject, demand, query.timeMs)
}
