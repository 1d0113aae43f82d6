// Owns the `redaction:` section as operators write it.
import { allowSchema } from './detector-options.ts'

/** Mildest first: when several rules name one entity, the last of these wins. */
export const redactionActions = ['tag', 'mask', 'token', 'hash', 'remove', 'block'] as const
export type RedactionAction = (typeof redactionActions)[number]

export type Direction = 'request' | 'response'

/** `target`: path and query of a request to a tool. */
export const redactionPlaces = ['body', 'target', 'headers'] as const
export type RedactionPlace = (typeof redactionPlaces)[number]

/** What becomes of values that stand as a JSON number, or as a key of an object. */
export const formActions = ['redact', 'block', 'leave'] as const
export type FormAction = (typeof formActions)[number]

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
  readonly in?: readonly RedactionPlace[]
  readonly numbers?: FormAction
  readonly keys?: FormAction
  readonly allow?: readonly string[]
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
      in: {
        description:
          'Where to look: body, target (path and query of tool calls), headers; body and target when absent.',
        type: 'array',
        minItems: 1,
        uniqueItems: true,
        items: { enum: redactionPlaces },
      },
      numbers: {
        description: 'Values that are JSON numbers: redact makes them strings, leave only records; redact when absent.',
        enum: formActions,
      },
      keys: { description: 'Values that are keys of JSON objects; redact when absent.', enum: formActions },
      allow: allowSchema,
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
