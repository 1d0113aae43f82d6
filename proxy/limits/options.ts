// Owns what operators may write under `limits`, `prices` and `store`: types and JSON Schema. Meaning is given by compile.ts.
import { durationPattern } from '../lib/units.ts'
import { secretRefSchema, type SecretRef } from '../lib/secret.ts'
import { limitRatePattern, windowNames, type WindowName } from './window.ts'

export const dimensions = ['principal', 'org', 'team', 'role', 'ip', 'route', 'upstream', 'model', 'tool'] as const
export type Dimension = (typeof dimensions)[number]
export type OnStoreError = 'local' | 'deny' | 'allow'

/** What is counted. */
export const units = ['requests', 'toolCalls', 'bytes', 'tokens', 'inputTokens', 'outputTokens', 'cost'] as const
export type Unit = (typeof units)[number]

export const filters = [
  'principals',
  'orgs',
  'teams',
  'roles',
  'routes',
  'upstreams',
  'models',
  'tools',
  'actions',
] as const
export type Filter = (typeof filters)[number]

export type LimitOptions = {
  readonly id: string
  readonly by: readonly Dimension[]
  readonly concurrency?: number
  readonly window?: WindowName
  readonly timezone?: string
  readonly burst?: number
  readonly assumedTokens?: number
  readonly maxTokens?: number
  readonly onNoMaximum?: 'bound' | 'estimate'
  readonly onUnknownPrice?: 'deny' | 'estimate'
  readonly mode?: 'enforce' | 'shadow'
  readonly onStoreError?: OnStoreError
} & { readonly [U in Unit]?: string } & { readonly [F in Filter]?: readonly string[] }

/** US dollars for a million tokens, as operators write them. */
export type PriceOptions = {
  readonly model: string
  readonly input: number
  readonly output: number
  readonly cacheRead?: number
  readonly cacheWrite?: number
}

export type RedisOptions = {
  readonly url?: string
  readonly sentinels?: {
    readonly name: string
    readonly nodes: readonly string[]
    readonly password?: SecretRef
  }
  readonly cluster?: { readonly nodes: readonly string[] }
  readonly tls?: boolean
  readonly username?: string
  readonly password?: SecretRef
  readonly timeout?: string
  readonly prefix?: string
}

export type StoreOptions = {
  readonly redis?: RedisOptions
  readonly replicas?: number
}

function names(description: string): object {
  return { type: 'array', minItems: 1, uniqueItems: true, items: { type: 'string' }, description }
}

function rate(description: string): object {
  return { type: 'string', pattern: limitRatePattern, description }
}

const price = { type: 'number', minimum: 0, maximum: 100_000 } as const

export const limitsSchema = {
  type: 'array',
  description: 'Quotas; a request must pass every one that applies to it.',
  items: {
    type: 'object',
    required: ['id', 'by'],
    additionalProperties: false,
    properties: {
      id: {
        type: 'string',
        pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
        description: 'Name of the limit, shown in refusals, RateLimit headers, metrics and the audit log.',
      },
      by: {
        type: 'array',
        minItems: 1,
        uniqueItems: true,
        items: { enum: dimensions },
        description:
          'What is counted separately; several make one count for each combination. An IPv6 address counts as its /64; principals without the org or team share one count.',
      },
      requests: rate('Requests, e.g. 600/m, 20/10s, 50/d or 1000/month.'),
      tokens: rate('Tokens, input and output together; reserved before the call and put right after it.'),
      inputTokens: rate('Tokens of the input, cached ones included.'),
      outputTokens: rate('Tokens of the output.'),
      cost: rate('US dollars, by the list prices and those under prices.'),
      bytes: rate(
        'Bytes of requests and answers, e.g. 100M/d; an answer counts once it is over, and a request that does not announce its length counts as server.limits.body until it is here.',
      ),
      toolCalls: rate('Calls to http and mcp upstreams that are tool calls.'),
      window: {
        enum: windowNames,
        description:
          'first: from the first request on; sliding: at no time more within its length; calendar: as the clock says. Absent: calendar for days and months, else first.',
      },
      timezone: { type: 'string', default: 'UTC', description: 'IANA zone in which the calendar is read.' },
      burst: {
        type: 'integer',
        minimum: 1,
        maximum: 1_000_000_000,
        description: 'Paces instead of counting by window: so much at once, filled again evenly at the rate.',
      },
      concurrency: {
        type: 'integer',
        minimum: 1,
        maximum: 1_000_000,
        description:
          'Requests in flight at the same time, counted in each process on its own, also with Redis; beside them as many MCP streams and WebSockets that stay open.',
      },
      assumedTokens: {
        type: 'integer',
        minimum: 1,
        maximum: 10_000_000,
        default: 4096,
        description: 'Output tokens that are reserved where a request names no maximum.',
      },
      maxTokens: {
        type: 'integer',
        minimum: 1,
        maximum: 10_000_000,
        description: 'Most output tokens of one answer; a request for more is sent on with this.',
      },
      onNoMaximum: {
        enum: ['bound', 'estimate'],
        default: 'estimate',
        description:
          'Requests that name no maximum: send them on with assumedTokens as theirs (bound), or only reserve so much (estimate), and a longer answer takes more than there was room for.',
      },
      onUnknownPrice: {
        enum: ['deny', 'estimate'],
        default: 'deny',
        description: 'Models without a price: refuse them, or count them as the dearest of all.',
      },
      mode: {
        enum: ['enforce', 'shadow'],
        default: 'enforce',
        description: 'shadow: counted and recorded, never refused.',
      },
      onStoreError: {
        enum: ['local', 'deny', 'allow'],
        default: 'local',
        description:
          'Without Redis: count in this process (local), refuse (deny) or let pass (allow); local and allow are flagged as open.',
      },
      principals: names('Applies only to these principals, names or globs; absent: to all.'),
      orgs: names('Applies only to principals of these orgs.'),
      teams: names('Applies only to principals of these teams.'),
      roles: names('Applies only to principals with one of these roles.'),
      routes: names('Applies only on these routes; absent: on all.'),
      upstreams: names('Applies only to requests for these upstreams; absent: for all.'),
      models: names('Applies only to these models, names or globs.'),
      tools: names('Applies only to calls of these tools, names or globs.'),
      actions: {
        type: 'array',
        minItems: 1,
        uniqueItems: true,
        items: { enum: ['model.call', 'tool.call', 'resource.read', 'prompt.get'] },
        description: 'Applies only to requests that are one of these.',
      },
    },
  },
} as const

export const pricesSchema = {
  type: 'array',
  description: 'What models cost, in US dollars for a million tokens; before the built-in list, the first match holds.',
  items: {
    type: 'object',
    required: ['model', 'input', 'output'],
    additionalProperties: false,
    properties: {
      model: { type: 'string', minLength: 1, maxLength: 256, description: 'Name or glob.' },
      input: { ...price, description: 'Input.' },
      output: { ...price, description: 'Output.' },
      cacheRead: { ...price, description: 'Input that a cache held; as other input where absent.' },
      cacheWrite: { ...price, description: 'Input that is put into a cache; as other input where absent.' },
    },
  },
} as const

const nodes = {
  type: 'array',
  minItems: 1,
  maxItems: 64,
  uniqueItems: true,
  items: { type: 'string', pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}$' },
  description: 'host:port of each.',
} as const

export const storeSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'Where limits are counted; absent: in the memory of this process.',
  properties: {
    replicas: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      default: 1,
      description: 'How many gateways share Redis: without it each counts its part of every limit that says local.',
    },
    redis: {
      type: 'object',
      additionalProperties: false,
      description: 'Redis 6 or later (or compatible) that several gateways share: one of url, sentinels, cluster.',
      properties: {
        url: { type: 'string', description: 'redis:// or rediss:// (TLS) with host, port and database number.' },
        sentinels: {
          type: 'object',
          required: ['name', 'nodes'],
          additionalProperties: false,
          description: 'Sentinels that know which server is the primary.',
          properties: {
            name: { type: 'string', minLength: 1, maxLength: 128, description: 'Name of the primary.' },
            nodes,
            password: { ...secretRefSchema, description: 'Reference to the password of the sentinels.' },
          },
        },
        cluster: {
          type: 'object',
          required: ['nodes'],
          additionalProperties: false,
          description: 'A Redis Cluster; all counts lie in one slot, so it gives failover and not more room.',
          properties: { nodes },
        },
        tls: { type: 'boolean', default: false, description: 'TLS to the servers of sentinels or cluster.' },
        username: { type: 'string', description: 'ACL user.' },
        password: { ...secretRefSchema, description: 'Reference to the password.' },
        timeout: {
          type: 'string',
          pattern: durationPattern,
          default: '50ms',
          description: 'How long one question to Redis may take, at most 1s; a request asks at most once.',
        },
        prefix: {
          type: 'string',
          pattern: '^[\\x21-\\x7a\\x7c\\x7e]{1,64}$',
          default: 'gatewright:',
          description: 'Begins every key, so that several installations can share one database.',
        },
      },
    },
  },
} as const
