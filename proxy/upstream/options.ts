// Owns what operators may write under `upstreams`: types and JSON Schema. Meaning is given by settings.ts; the
// environment conditions (`ifEnv`, `unlessEnv`) are resolved by config.
import { secretRefSchema, type SecretRef } from '../lib/secret.ts'
import { durationPattern } from '../lib/units.ts'
import { breakerModes, type BreakerMode } from './breakers.ts'

export const upstreamProtocols = ['openai', 'anthropic', 'gemini', 'ollama', 'mcp', 'http'] as const
export type UpstreamProtocol = (typeof upstreamProtocols)[number]

export type CredentialOptions = { readonly bearer: SecretRef } | { readonly header: string; readonly value: SecretRef }

/** One of several; without an id the record calls it by its place. */
export type ListedCredentialOptions = CredentialOptions & { readonly id?: string }

export type HedgeOptions = { readonly after: string }

export type TimeoutOptions = {
  readonly connect?: string
  readonly firstByte?: string
  readonly idle?: string
  readonly total?: string
}

export type BreakerOptions = {
  readonly mode?: BreakerMode
  readonly consecutive?: number
  readonly ratio?: number
  readonly minimum?: number
  readonly window?: string
  readonly open?: string
  readonly openMax?: string
}

export type RetryOptions = {
  readonly attempts?: number
  readonly budget?: number
  readonly unsafe?: boolean
  readonly idempotent?: readonly string[]
  readonly idempotencyKey?: boolean
}

export type ConcurrencyOptions = {
  readonly max?: number
  readonly adaptive?: boolean
  readonly queue?: number
  readonly queueTimeout?: string
}

export type UpstreamOptions = {
  readonly protocol: UpstreamProtocol
  readonly url: string
  readonly credential?: CredentialOptions
  readonly credentials?: readonly ListedCredentialOptions[]
  readonly timeouts?: TimeoutOptions
  readonly breaker?: BreakerOptions
  readonly retry?: RetryOptions
  readonly hedge?: HedgeOptions
  readonly models?: { readonly [asked: string]: string }
  readonly streamUsage?: boolean
  readonly egress?: readonly string[]
  readonly connections?: number
  readonly concurrency?: ConcurrencyOptions
  readonly pinTools?: boolean | { readonly manifest: string }
  readonly ifEnv?: string
  readonly unlessEnv?: string
}

export type UpstreamsOptions = { readonly [id: string]: UpstreamOptions }

function duration(description: string) {
  return { type: 'string', pattern: durationPattern, description } as const
}

const timeoutsSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'How long each step of an exchange with this upstream may take.',
  properties: {
    connect: duration('Name lookup, TCP and TLS together, and waiting for a free connection; 3s when absent.'),
    firstByte: duration('From the request being sent to the head of the answer; 120s when absent.'),
    idle: duration('Between two pieces of the answer while it is being read; 60s when absent.'),
    total: duration('The whole exchange with all its attempts, streams included; 15m when absent.'),
  },
} as const

const breakerSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'When to stop sending to an upstream that cannot be reached, or to one of its models that fails.',
  properties: {
    mode: {
      enum: breakerModes,
      description:
        'auto when absent; forced-open lets nothing pass, disabled everything, until the admin API says otherwise; for all models.',
    },
    consecutive: {
      type: 'integer',
      minimum: 1,
      description: 'Failures in a row that open the breaker; 5 when absent.',
    },
    ratio: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      description: 'Share of failures within the window that opens the breaker; 0.5 when absent.',
    },
    minimum: {
      type: 'integer',
      minimum: 1,
      description: 'Outcomes in the window before the ratio counts; 20 when absent.',
    },
    window: duration('How far back the ratio looks; 10s when absent.'),
    open: duration('How long the breaker stays open the first time; doubles with each further trip; 5s when absent.'),
    openMax: duration('The longest the breaker stays open; 60s when absent.'),
  },
} as const

const retrySchema = {
  type: 'object',
  additionalProperties: false,
  description: 'When to try again.',
  properties: {
    attempts: {
      type: 'integer',
      minimum: 1,
      maximum: 5,
      description: 'Attempts in all; 1 turns retries off; 2 when absent.',
    },
    budget: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      description:
        'Retries as a share of the requests of 10s, or one a second if that is more; 0 turns them off; 0.2 when absent.',
    },
    unsafe: {
      type: 'boolean',
      description: 'Also repeat requests that are not idempotent after they were written; false when absent.',
    },
    idempotent: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', minLength: 1 },
      description: 'What may be done twice: paths of an http upstream, tools of an mcp one; globs.',
      examples: [['/search', '/reports/*']],
    },
    idempotencyKey: {
      type: 'boolean',
      description:
        'The upstream honours Idempotency-Key: each request carries one, so it may be repeated; false when absent.',
    },
  },
} as const

const bearerProperties = { bearer: secretRefSchema } as const
const headerProperties = {
  header: { type: 'string', pattern: '^[A-Za-z0-9-]{1,64}$', description: 'Name of the header, e.g. x-api-key.' },
  value: secretRefSchema,
} as const
const credentialId = {
  id: {
    type: 'string',
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
    description: 'Its name in record and metrics; its place in the list when absent.',
  },
} as const

function credentialOf(bearer: object, header: object) {
  return {
    oneOf: [
      { type: 'object', required: ['bearer'], additionalProperties: false, properties: bearer },
      { type: 'object', required: ['header', 'value'], additionalProperties: false, properties: header },
    ],
  } as const
}

const credentialSchema = {
  description: 'What this upstream asks for; added to each request, never shown.',
  ...credentialOf(bearerProperties, headerProperties),
} as const

const credentialsSchema = {
  type: 'array',
  minItems: 1,
  maxItems: 32,
  description: 'Several credentials: one is used until the upstream limits or refuses it, then the next.',
  items: credentialOf({ ...credentialId, ...bearerProperties }, { ...credentialId, ...headerProperties }),
} as const

const hedgeSchema = {
  type: 'object',
  required: ['after'],
  additionalProperties: false,
  description:
    'Ask a second time, for embeddings and GET only, when there is no answer yet; the slower one is cancelled.',
  properties: { after: duration('How long to wait for the first.') },
} as const

const concurrencySchema = {
  type: 'object',
  additionalProperties: false,
  description: 'How much this upstream is given to do at the same time; what comes on top waits in a queue.',
  properties: {
    max: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description: 'Requests at the same time, each until its answer is complete; as many as connections when absent.',
    },
    adaptive: {
      type: 'boolean',
      description: 'Find out how many by the time to the first byte, up to max; false when absent.',
    },
    queue: {
      type: 'integer',
      minimum: 0,
      maximum: 100_000,
      description: 'How many more may wait; beyond them is 503; 100 when absent.',
    },
    queueTimeout: duration('How long one may wait; then it is 503; 1s when absent.'),
  },
} as const

const environmentName = { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$' } as const

export const upstreamsSchema = {
  type: 'object',
  description: 'Where requests may go: name to upstream.',
  propertyNames: { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' },
  additionalProperties: {
    type: 'object',
    required: ['protocol', 'url'],
    additionalProperties: false,
    properties: {
      protocol: { enum: upstreamProtocols, description: 'The wire format this upstream speaks.' },
      url: {
        type: 'string',
        minLength: 1,
        description: 'Where it is; its own path goes before the path of each request.',
      },
      credential: credentialSchema,
      credentials: credentialsSchema,
      timeouts: timeoutsSchema,
      breaker: breakerSchema,
      retry: retrySchema,
      hedge: hedgeSchema,
      models: {
        type: 'object',
        minProperties: 1,
        additionalProperties: { type: 'string', minLength: 1 },
        description:
          'What models are called here: name that is asked for to name that is sent; rules see what is asked for.',
      },
      streamUsage: {
        type: 'boolean',
        description:
          'Only for openai: limits that count tokens ask its streams for their usage (stream_options); true when absent.',
      },
      egress: {
        type: 'array',
        minItems: 1,
        items: { type: 'string' },
        description:
          'Addresses (CIDR) that may be reached, and no others. An address written in url, or localhost, is always meant.',
      },
      connections: {
        type: 'integer',
        minimum: 1,
        maximum: 65_535,
        description: 'Connections at the same time, each carrying one exchange; 256 when absent.',
      },
      concurrency: concurrencySchema,
      pinTools: {
        description:
          'Only for mcp: refuse tools that changed since they were first seen, or since a manifest was signed.',
        oneOf: [
          { type: 'boolean' },
          {
            type: 'object',
            required: ['manifest'],
            additionalProperties: false,
            properties: {
              manifest: { type: 'string', minLength: 1, description: 'File that gatewright tools pin has written.' },
            },
          },
        ],
      },
      ifEnv: { ...environmentName, description: 'The upstream exists only when this environment variable is set.' },
      unlessEnv: {
        ...environmentName,
        description: 'The upstream exists only when this environment variable is not set.',
      },
    },
  },
} as const
