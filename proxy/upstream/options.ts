// Owns what operators may write under `upstreams`: types and JSON Schema. Meaning is given by settings.ts; the
// environment conditions (`ifEnv`, `unlessEnv`) are resolved by config.
import { secretRefSchema, type SecretRef } from '../lib/secret.ts'
import { durationPattern } from '../lib/units.ts'

export const upstreamProtocols = ['openai', 'anthropic', 'gemini', 'ollama', 'mcp', 'http'] as const
export type UpstreamProtocol = (typeof upstreamProtocols)[number]

export type CredentialOptions = { readonly bearer: SecretRef } | { readonly header: string; readonly value: SecretRef }

export type TimeoutOptions = {
  readonly connect?: string
  readonly firstByte?: string
  readonly idle?: string
  readonly total?: string
}

export type BreakerOptions = {
  readonly consecutive?: number
  readonly ratio?: number
  readonly minimum?: number
  readonly window?: string
  readonly open?: string
  readonly openMax?: string
}

export type RetryOptions = { readonly attempts?: number; readonly budget?: number; readonly unsafe?: boolean }

export type UpstreamOptions = {
  readonly protocol: UpstreamProtocol
  readonly url: string
  readonly credential?: CredentialOptions
  readonly timeouts?: TimeoutOptions
  readonly breaker?: BreakerOptions
  readonly retry?: RetryOptions
  readonly egress?: readonly string[]
  readonly connections?: number
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
  description: 'When to stop sending to an upstream that fails.',
  properties: {
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
        'Retries as a share of requests over 10s, beyond one a second; 0 turns retries off; 0.2 when absent.',
    },
    unsafe: {
      type: 'boolean',
      description: 'Also repeat requests that are not idempotent after they were written; false when absent.',
    },
  },
} as const

const credentialSchema = {
  description: 'What this upstream asks for; added to each request, never shown.',
  oneOf: [
    { type: 'object', required: ['bearer'], additionalProperties: false, properties: { bearer: secretRefSchema } },
    {
      type: 'object',
      required: ['header', 'value'],
      additionalProperties: false,
      properties: {
        header: { type: 'string', pattern: '^[A-Za-z0-9-]{1,64}$', description: 'Name of the header, e.g. x-api-key.' },
        value: secretRefSchema,
      },
    },
  ],
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
      timeouts: timeoutsSchema,
      breaker: breakerSchema,
      retry: retrySchema,
      egress: {
        type: 'array',
        minItems: 1,
        items: { type: 'string' },
        description: 'Addresses (CIDR) that may be reached, and no others.',
      },
      connections: {
        type: 'integer',
        minimum: 1,
        maximum: 65_535,
        description: 'Connections at the same time, each carrying one exchange; 256 when absent.',
      },
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
