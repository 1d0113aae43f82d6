// Owns the `detectors:` section as operators write it: words and patterns of their own, and detectors that another
// process runs. How that process is reached (credential, breaker, egress) is the upstreams' business.
import { durationPattern } from '../lib/units.ts'
import { validatorNames, type ValidatorName } from './validators.ts'

export const externalProtocols = ['presidio'] as const

export type DetectorOptions = {
  readonly id: string
  readonly group?: 'pii' | 'secrets'
  readonly allow?: readonly string[]
  readonly words?: readonly string[]
  readonly caseSensitive?: boolean
  readonly pattern?: string
  readonly context?: readonly string[]
  readonly contextBefore?: number
  readonly validator?: ValidatorName
  readonly url?: string
  readonly protocol?: (typeof externalProtocols)[number]
  /** Presidio's names, or those with the names that they have here. */
  readonly entities?: readonly string[] | Readonly<Record<string, string>>
  readonly language?: string
  readonly scoreThreshold?: number
  readonly timeout?: string
  readonly batch?: number
  readonly onError?: 'deny' | 'allow'
  readonly onStream?: 'deny' | 'hold' | 'skip'
}

export type DetectorsOptions = readonly DetectorOptions[]

export const allowSchema = {
  description: 'Values that are let be: a value, a glob, or @example.com for every address of a domain.',
  type: 'array',
  maxItems: 1000,
  items: { type: 'string', minLength: 1, maxLength: 256 },
} as const

const entityName = { type: 'string', pattern: '^[a-z][a-z0-9-]{0,39}$' } as const
const presidioName = '^[A-Z][A-Z0-9_]{0,63}$'

export const detectorProperties = {
  id: { ...entityName, description: 'Name of what it finds, in rules and records; of an external one, its group.' },
  group: { description: 'The group that it belongs to; pii when absent.', enum: ['pii', 'secrets'] },
  allow: allowSchema,
  words: {
    description: 'Words and names to find, whole and in any case.',
    type: 'array',
    minItems: 1,
    maxItems: 2000,
    items: { type: 'string', minLength: 1, maxLength: 100, pattern: '[^\\s]' },
  },
  caseSensitive: { description: 'Words are found only as they are written; false when absent.', type: 'boolean' },
  pattern: {
    description: 'A regular expression in the syntax of RE2; *, + and {n,} repeat at most 128 times.',
    type: 'string',
    minLength: 1,
  },
  context: {
    description: 'Words of which one must stand before a match of the pattern.',
    type: 'array',
    minItems: 1,
    maxItems: 100,
    items: { type: 'string', minLength: 1, maxLength: 60 },
  },
  contextBefore: {
    description: 'How many characters before a match the words of context count in; 40 when absent.',
    type: 'integer',
    minimum: 1,
    maximum: 90,
  },
  validator: { description: 'Check digits that a match of the pattern must have.', enum: validatorNames },
  url: { description: 'Where the external detector is, e.g. http://127.0.0.1:5002.', type: 'string', minLength: 1 },
  protocol: { description: 'What the external detector speaks.', enum: externalProtocols },
  entities: {
    description:
      'Entities to ask for, as the external detector calls them, with names of your own for them if you like.',
    oneOf: [
      { type: 'array', minItems: 1, uniqueItems: true, items: { type: 'string', pattern: presidioName } },
      {
        type: 'object',
        minProperties: 1,
        propertyNames: { pattern: presidioName },
        additionalProperties: entityName,
      },
    ],
  },
  language: {
    description: 'Language of the texts; en when absent.',
    type: 'string',
    pattern: '^[a-z]{2,3}(-[A-Za-z]+)?$',
  },
  scoreThreshold: {
    description: 'Findings below this score do not count; 0.5 when absent.',
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
  timeout: {
    description: 'How long one question may take; 500ms when absent.',
    type: 'string',
    pattern: durationPattern,
  },
  batch: {
    description: 'Texts in one question, for analyzers that take lists; 1 when absent.',
    type: 'integer',
    minimum: 1,
    maximum: 500,
  },
  onError: {
    description: 'What happens when it does not answer: deny the exchange, or allow and record it; deny when absent.',
    enum: ['deny', 'allow'],
  },
  onStream: {
    description: 'Streamed answers that it must look into: deny, hold until they are over, or skip it and record that.',
    enum: ['deny', 'hold', 'skip'],
  },
} as const
