// Owns the `redaction:` section as operators write it.

/** Mildest first: when several rules name one entity, the last of these wins. */
export const redactionActions = ['tag', 'mask', 'token', 'hash', 'remove', 'block'] as const
export type RedactionAction = (typeof redactionActions)[number]

export type Direction = 'request' | 'response'

/** Where a token of a request becomes its value again in the answer: in what is said, in the arguments of tool calls. */
export const restorePlaces = ['response.text', 'tool.args'] as const
export type RestorePlace = (typeof restorePlaces)[number]

/** `auto`: in the value's own form only where that is asked for, `preserve`: wherever there is one, `word`: never. */
export const tokenFormats = ['auto', 'word', 'preserve'] as const
export type TokenFormat = (typeof tokenFormats)[number]

export type RedactionRuleOptions = {
  readonly id: string
  readonly direction: Direction | 'both'
  readonly upstreams?: readonly string[]
  readonly routes?: readonly string[]
  readonly detect: readonly string[]
  readonly action: RedactionAction
  readonly mode?: 'enforce' | 'shadow'
  readonly restore?: readonly RestorePlace[]
  readonly restoreTo?: readonly string[]
  readonly format?: TokenFormat
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
      restore: {
        description: 'Where tokens of requests become values again in answers; absent: everywhere, []: nowhere.',
        type: 'array',
        uniqueItems: true,
        items: { enum: restorePlaces },
      },
      restoreTo: {
        description:
          'Upstreams of tools (http, mcp) that get the values of tokens in what they are sent; absent: none.',
        ...names,
      },
      format: {
        description:
          'Form of tokens: auto takes the form of the value where a schema in the request asks for it, word never, preserve always.',
        enum: tokenFormats,
      },
    },
  },
} as const
