// Owns what operators may write under `principals` and `anonymous`: types and JSON Schema. Meaning is given by compile.ts.
import { prioritySchema, type Priority } from '../lib/priority.ts'

export type KeyOptions = { readonly sha256: string; readonly expires?: string }

export type PrincipalOptions = {
  readonly id: string
  readonly org?: string
  readonly team?: string
  readonly roles?: readonly string[]
  readonly keys?: readonly KeyOptions[]
  readonly from?: readonly string[]
  readonly priority?: Priority
}

export type IdentityOptions = {
  readonly principals?: readonly PrincipalOptions[]
  /** `deny` (default) or the id of a principal. */
  readonly anonymous?: string
}

const name = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$' } as const

export const principalsSchema = {
  type: 'array',
  description: 'Who may use the gateway.',
  items: {
    type: 'object',
    required: ['id'],
    additionalProperties: false,
    properties: {
      id: { ...name, description: 'Name of the principal in rules, limits and the audit log.' },
      org: { ...name, description: 'Organisation, for rules and limits.' },
      team: { ...name, description: 'Team, for rules and limits.' },
      roles: { type: 'array', uniqueItems: true, items: name, description: 'Roles that rules may ask for.' },
      keys: {
        type: 'array',
        description: 'Agent keys, each valid on its own, so that a new one can be handed out before the old one ends.',
        items: {
          type: 'object',
          required: ['sha256'],
          additionalProperties: false,
          properties: {
            sha256: {
              type: 'string',
              pattern: '^[0-9a-fA-F]{64}$',
              writeOnly: true,
              description: 'SHA-256 of the key in hex, as `gatewright keys generate` prints it.',
            },
            expires: { type: 'string', description: 'RFC 3339 time from which the key is refused.' },
          },
        },
      },
      from: {
        type: 'array',
        minItems: 1,
        items: { type: 'string' },
        description: 'Addresses (CIDR) the principal may connect from, judged by the socket; absent: any.',
      },
      priority: prioritySchema("this principal's requests"),
    },
  },
} as const

export const anonymousSchema = {
  type: 'string',
  default: 'deny',
  description:
    'Who asks when no key is sent: deny, or the id of a principal. A key that is sent must be valid, unless no principal has any key: then keys are ignored, for SDKs that always send one.',
} as const
