// Owns the `redaction:` section as operators write it.

/** Mildest first: when several rules name one entity, the last of these wins. */
export const redactionActions = ['tag', 'mask', 'token', 'hash', 'remove', 'block'] as const
export type RedactionAction = (typeof redactionActions)[number]

export type Direction = 'request' | 'response'

export type RedactionRuleOptions = {
  readonly id: string
  readonly direction: Direction | 'both'
  readonly upstreams?: readonly string[]
  readonly routes?: readonly string[]
  readonly detect: readonly string[]
  readonly action: RedactionAction
  readonly mode?: 'enforce' | 'shadow'
}

export type RedactionOptions = readonly RedactionRuleOptions[]

const names = { type: 'array', minItems: 1, uniqueItems: true, items: { type: 'string', minLength: 1 } } as const

export const redactionSchema = {
  description: 'What to look for in texts, and what to do with it.',
  type: 'array',
  items: {
    type: 'object',
    required: ['id', 'direction', 'detect', 'action'],
    additionalProperties: false,
    properties: {
      id: {
        description: 'Name of the rule in records and refusals.',
        type: 'string',
        pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
      },
      direction: { description: 'Which way the text goes.', enum: ['request', 'response', 'both'] },
      upstreams: { description: 'Only texts to or from these upstreams; absent: all.', ...names },
      routes: { description: 'Only texts on these routes; absent: all.', ...names },
      detect: { description: 'Groups (pii, secrets) or single entities such as email or payment-card.', ...names },
      action: {
        description:
          'What happens to a value: token is given back in the answer, block refuses the exchange, tag only records.',
        enum: redactionActions,
      },
      mode: { description: 'shadow: record what would happen, change nothing.', enum: ['enforce', 'shadow'] },
    },
  },
} as const
