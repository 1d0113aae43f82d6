// Owns what operators may write under `limits` and `store`: types and JSON Schema. Meaning is given by compile.ts.
import { durationPattern, ratePattern } from '../lib/units.ts'
import { secretRefSchema, type SecretRef } from '../lib/secret.ts'

export const dimensions = ['principal', 'org', 'team', 'ip', 'route', 'upstream', 'model'] as const
export type Dimension = (typeof dimensions)[number]
export type OnStoreError = 'local' | 'deny' | 'allow'

export type LimitOptions = {
  readonly id: string
  readonly by: readonly Dimension[]
  readonly requests?: string
  readonly concurrency?: number
  readonly tokens?: string
  readonly cost?: string
  readonly onStoreError?: OnStoreError
  readonly principals?: readonly string[]
  readonly routes?: readonly string[]
  readonly upstreams?: readonly string[]
}

export type StoreOptions = {
  readonly redis?: {
    readonly url: string
    readonly username?: string
    readonly password?: SecretRef
    readonly timeout?: string
    readonly prefix?: string
  }
}

const ids = { type: 'array', minItems: 1, uniqueItems: true, items: { type: 'string' } } as const

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
      requests: {
        type: 'string',
        pattern: ratePattern,
        description: 'Requests per fixed window that begins with the first request, e.g. 600/m or 20/10s.',
      },
      concurrency: {
        type: 'integer',
        minimum: 1,
        maximum: 1_000_000,
        description:
          'Requests in flight at the same time, counted in each process on its own, also with Redis; beside them as many MCP streams and WebSockets that stay open.',
      },
      tokens: { type: 'string', pattern: ratePattern, description: 'Tokens per window; not served by this version.' },
      cost: { type: 'string', pattern: ratePattern, description: 'Cost per window; not served by this version.' },
      onStoreError: {
        enum: ['local', 'deny', 'allow'],
        default: 'local',
        description:
          'Without Redis: count in this process (local), refuse (deny) or let pass (allow); local and allow are flagged as open.',
      },
      principals: { ...ids, description: 'Applies only to these principals; absent: to all.' },
      routes: { ...ids, description: 'Applies only on these routes; absent: on all.' },
      upstreams: { ...ids, description: 'Applies only to requests for these upstreams; absent: for all.' },
    },
  },
} as const

export const storeSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'Where limits are counted; absent: in the memory of this process.',
  properties: {
    redis: {
      type: 'object',
      required: ['url'],
      additionalProperties: false,
      description: 'One Redis 6 or later (or compatible) server that several gateways share; not a cluster.',
      properties: {
        url: { type: 'string', description: 'redis:// or rediss:// (TLS) with host, port and database number.' },
        username: { type: 'string', description: 'ACL user.' },
        password: { ...secretRefSchema, description: 'Reference to the password.' },
        timeout: {
          type: 'string',
          pattern: durationPattern,
          default: '50ms',
          description: 'How long one question to Redis may take, at most 1s; a request asks once or twice.',
        },
        prefix: {
          type: 'string',
          pattern: '^[\\x21-\\x7e]{1,64}$',
          default: 'gatewright:',
          description: 'Begins every key, so that several installations can share one database.',
        },
      },
    },
  },
} as const
