// Owns the JSON Schema of policy test files.
import { actionTypes } from './actions.ts'

const text = { type: 'string' }
const texts = { type: 'array', items: text }
const counts = { type: 'object', additionalProperties: { type: 'integer', minimum: 0 } }
const headers = { type: 'object', additionalProperties: text }
const effect = { enum: ['allow', 'deny', 'approve'] }

const actionSchema = {
  type: 'object',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { enum: actionTypes },
    model: text,
    operation: text,
    stream: { type: 'boolean' },
    maxTokens: { type: 'integer', minimum: 0 },
    messages: { type: 'integer', minimum: 0 },
    tools: texts,
    tool: text,
    via: { enum: ['mcp', 'model', 'http'] },
    args: {},
    method: text,
    path: text,
    description: text,
    uri: text,
    name: text,
  },
}

const requestSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { route: text, upstream: text, method: text, path: text, headers, body: {} },
}

const expectSchema = {
  type: 'object',
  minProperties: 1,
  additionalProperties: false,
  properties: {
    effect: { description: 'What is enforced.', ...effect },
    rule: { description: 'The rule that decides; null for the default.', type: ['string', 'null'] },
    code: text,
    shadow: {
      description: 'What would be enforced were shadow rules enforced; null for no difference.',
      enum: [...effect.enum, null],
    },
    redactions: { description: 'How many values of which entity are redacted.', ...counts },
    limits: { description: 'Ids of the limits that count it.', ...texts },
    passes: {
      description: 'How many such requests pass at once; 10000 where nothing stops them.',
      type: 'integer',
      minimum: 0,
    },
    limit: { description: 'The limit that stops the next; null where none does.', type: ['string', 'null'] },
  },
}

const caseSchema = {
  type: 'object',
  required: ['name', 'expect'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1 },
    principal: {
      description: 'Who asks; what is configured under the id holds for what is not said here. Text is an id.',
      type: ['object', 'string'],
      additionalProperties: false,
      properties: { id: text, org: text, team: text, roles: texts },
    },
    action: actionSchema,
    request: requestSchema,
    route: text,
    upstream: text,
    from: { description: 'Client address.', type: 'string' },
    time: { description: 'When, in RFC 3339.', type: 'string' },
    headers,
    findings: {
      description: 'Entities found, with how many of each; unknown: not inspected.',
      anyOf: [counts, { const: 'unknown' }],
    },
    expect: expectSchema,
  },
  oneOf: [{ required: ['action'] }, { required: ['request'] }],
}

export const suiteSchema = {
  type: 'object',
  required: ['policy', 'cases'],
  additionalProperties: false,
  properties: {
    policy: { description: 'The policy under test, relative to this file.', type: 'string', minLength: 1 },
    cases: { type: 'array', minItems: 1, items: caseSchema },
  },
}
