// Owns the cases of deciding: the thirty rules of the bench about a model call and about a tool call.
import type { CompiledConfig } from '../../proxy/config/compile.ts'
import type { Action, Query } from '../../proxy/policy/query.ts'
import type { Case } from './timing.ts'

export function policyCases({ policy }: CompiledConfig): Case[] {
  const about = (action: Action): Query => ({
    action,
    principal: { id: 'bench-agent', org: 'acme', team: 'growth', roles: ['researcher', 'agent'] },
    route: 'openai',
    upstream: 'openai',
    client: { ip: '127.0.0.1' },
    headers: {},
    findings: { email: 1 },
    timeMs: Date.now(),
  })
  const chat = about({
    type: 'model.call',
    model: 'gpt-4o-mini',
    operation: 'chat.completions',
    stream: false,
    maxTokens: 400,
    messages: 4,
    tools: [],
  })
  const tool = about({ type: 'tool.call', tool: 'get_invoice', via: 'model', args: { id: 7 } })
  return [
    { name: `evaluate, ${policy.rules.length} rules, model call`, run: () => policy.evaluate(chat) },
    { name: `evaluate, ${policy.rules.length} rules, tool call`, run: () => policy.evaluate(tool) },
  ]
}
