// Owns the configuration that Gatewright is measured with: everything on. One agent key, thirty rules (ten of them with
// an expression), redaction both ways, limits, strict audit.
import { createHash } from 'node:crypto'
import { join } from 'node:path'

export const agentKey = `gw_${'bench'.repeat(8)}`

export type Ports = { readonly data: number; readonly admin: number; readonly upstream: number }

/** The document; `dir` is where the audit log goes. */
export function gatewrightConfig(ports: Ports, dir: string): object {
  return {
    apiVersion: 'gatewright/v1',
    server: {
      listen: `127.0.0.1:${ports.data}`,
      admin: `127.0.0.1:${ports.admin}`,
      timeouts: { keepAlive: '60s' },
    },
    upstreams: {
      openai: { protocol: 'openai', url: `http://127.0.0.1:${ports.upstream}` },
      crm: { protocol: 'http', url: `http://127.0.0.1:${ports.upstream}` },
    },
    routes: [
      { id: 'openai', path: '/openai', upstream: 'openai' },
      { id: 'crm', path: '/tools/crm', upstream: 'crm' },
    ],
    principals: [
      {
        id: 'old-batch',
        org: 'globex',
        team: 'finance',
        roles: ['batch', 'intern', 'contractor'],
        keys: [{ sha256: '0'.repeat(64) }],
      },
      {
        id: 'bench-agent',
        org: 'acme',
        team: 'growth',
        roles: ['researcher', 'agent'],
        keys: [{ sha256: createHash('sha256').update(agentKey).digest('hex') }],
        from: ['127.0.0.0/8'],
      },
    ],
    tools: [{ name: 'delete_*', tags: ['destructive'] }],
    defaultEffect: 'deny',
    rules: [...allowing, ...denyingModels, ...denyingByExpression, ...denyingTools],
    redaction: [
      { id: 'out', direction: 'request', detect: ['pii', 'secrets'], action: 'token' },
      { id: 'back', direction: 'response', detect: ['pii', 'secrets'], action: 'mask' },
    ],
    // Never reached, so that every request goes the whole way.
    limits: [
      { id: 'per-key', by: ['principal'], requests: '100000000/m', concurrency: 100_000 },
      { id: 'per-org', by: ['org'], requests: '100000000/m' },
      { id: 'per-address', by: ['ip', 'route'], requests: '100000000/m' },
    ],
    audit: {
      dir: join(dir, 'audit'),
      key: { fromFile: join(dir, 'audit.key') },
      durability: 'strict',
      onFailure: 'deny',
    },
    log: { level: 'info' },
  }
}

const model = ['model.call']
const tool = ['tool.call']

const allowing = [
  {
    id: 'approved-models',
    effect: 'allow',
    actions: model,
    models: ['gpt-4o*', 'claude-*', 'o{1,3,4}*'],
    principals: { roles: ['researcher'] },
  },
  { id: 'small-questions', effect: 'allow', actions: model, when: 'maxTokens <= 1000 && !stream' },
  { id: 'agents-read', effect: 'allow', actions: tool, tools: ['get_*', 'list_*', 'search_*'] },
  { id: 'agents-http', effect: 'allow', actions: tool, methods: ['GET', 'HEAD'], paths: ['/v1/**'] },
]

const denyingModels = [
  { id: 'retired-models', effect: 'deny', actions: model, models: ['gpt-3.5*', 'text-davinci-*', 'claude-2*'] },
  { id: 'no-previews', effect: 'deny', actions: model, models: ['*-preview', '*-beta'] },
  { id: 'interns-small', effect: 'deny', actions: model, models: ['gpt-4o'], principals: { roles: ['intern'] } },
  { id: 'other-orgs', effect: 'deny', principals: { orgs: ['globex'] } },
  { id: 'team-freeze', effect: 'deny', principals: { teams: ['finance'] } },
  { id: 'retired-agents', effect: 'deny', principals: { ids: ['old-*'] } },
  { id: 'no-cards', effect: 'deny', actions: model, findings: ['payment-card'] },
  { id: 'no-private-keys', effect: 'deny', actions: model, findings: ['private-key', 'aws-access-key-id'] },
  { id: 'guest-network', effect: 'deny', from: ['192.0.2.0/24', '198.51.100.0/24', '2001:db8::/32'] },
  { id: 'closed-route', effect: 'deny', routes: ['crm'], methods: ['TRACE'] },
  { id: 'closed-upstream', effect: 'deny', upstreams: ['crm'], tags: ['destructive'] },
  {
    id: 'maintenance',
    effect: 'deny',
    principals: { roles: ['batch'] },
    between: { from: '02:00', to: '04:00', tz: 'Europe/Berlin', days: ['sun'] },
  },
]

const denyingByExpression = [
  { id: 'long-answers', effect: 'deny', actions: model, when: 'maxTokens > 4000' },
  { id: 'long-histories', effect: 'deny', actions: model, when: 'messages > 200' },
  { id: 'many-tools', effect: 'deny', actions: model, when: 'tools.size() > 64' },
  { id: 'many-findings', effect: 'deny', actions: model, when: 'findings.email > 20' },
  {
    id: 'contractors-stream',
    effect: 'deny',
    actions: model,
    when: 'stream && principal.roles.exists(r, r == "contractor")',
  },
  { id: 'mini-only', effect: 'deny', actions: model, when: 'principal.team == "finance" && !model.endsWith("-mini")' },
  { id: 'odd-operation', effect: 'deny', actions: model, when: '!operation.startsWith("chat")' },
  { id: 'dry-run', effect: 'deny', actions: tool, tags: ['destructive'], when: '!(args.dry_run == true)' },
  { id: 'big-transfer', effect: 'deny', actions: tool, tools: ['transfer_*'], when: 'double(args.amount) > 1000.0' },
]

const denyingTools = [
  { id: 'no-shell', effect: 'deny', actions: tool, tools: ['bash', 'shell', 'exec_*'] },
  { id: 'no-deletes', effect: 'deny', actions: tool, methods: ['DELETE'] },
  { id: 'no-admin-paths', effect: 'deny', actions: tool, paths: ['/admin/**', '/internal/**'] },
  { id: 'no-hidden-tools', effect: 'deny', actions: ['tool.offer'], tools: ['secret_*'] },
  { id: 'no-destructive-offers', effect: 'deny', actions: ['tool.offer'], tags: ['destructive'] },
]
