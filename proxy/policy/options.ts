// Owns what an operator may write about policy: the types and the JSON Schema of `rules`, `tools`, `defaultEffect`,
// `mode` and `policyHeaders`. What the words mean is the compiler's business.
import type { Effect } from './decision.ts'

export type Mode = 'enforce' | 'shadow'

export type PrincipalPatterns = {
  readonly ids?: readonly string[]
  readonly orgs?: readonly string[]
  readonly teams?: readonly string[]
  readonly roles?: readonly string[]
}

export type Window = {
  readonly from: string
  readonly to: string
  readonly tz?: string
  readonly days?: readonly string[]
}

/** The conditions of a rule. All that are given must hold; within one, any entry is enough. */
export type Conditions = {
  readonly models?: readonly string[]
  readonly tools?: readonly string[]
  readonly tags?: readonly string[]
  readonly upstreams?: readonly string[]
  readonly routes?: readonly string[]
  readonly methods?: readonly string[]
  readonly paths?: readonly string[]
  readonly principals?: PrincipalPatterns
  readonly findings?: readonly string[]
  readonly from?: readonly string[]
  readonly between?: Window
  readonly when?: string
}

export type RuleOptions = Conditions & {
  readonly id: string
  readonly effect: Effect
  readonly actions?: readonly string[]
  readonly mode?: Mode
  readonly reason?: string
}

export type ToolOptions = { readonly name: string; readonly tags: readonly string[]; readonly upstream?: string }

export type PolicyOptions = {
  readonly tools?: readonly ToolOptions[]
  readonly defaultEffect?: 'allow' | 'deny'
  readonly mode?: Mode
  readonly rules?: readonly RuleOptions[]
  readonly policyHeaders?: readonly string[]
}

export const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

const idPattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'
const modeSchema = { enum: ['enforce', 'shadow'] }

function patterns(description: string) {
  return {
    description,
    type: 'array',
    minItems: 1,
    maxItems: 1000,
    items: { type: 'string', minLength: 1, maxLength: 512 },
  }
}

const windowSchema = {
  description: 'Only within this time of day; `from` is inclusive, `to` exclusive, and a window may pass midnight.',
  type: 'object',
  required: ['from', 'to'],
  additionalProperties: false,
  properties: {
    from: { description: 'First minute, HH:MM.', type: 'string', pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' },
    to: {
      description: 'First minute after, HH:MM; 24:00 is the end of the day.',
      type: 'string',
      pattern: '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$',
    },
    tz: { description: 'IANA time zone; UTC when absent.', type: 'string', minLength: 1, maxLength: 64 },
    days: {
      description: 'Days on which the window begins; every day when absent.',
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { enum: days },
    },
  },
}

const principalsSchema = {
  description: 'Who asks; every key that is given must match.',
  type: 'object',
  minProperties: 1,
  additionalProperties: false,
  properties: {
    ids: patterns('Principal ids or globs.'),
    orgs: patterns('Organisations or globs.'),
    teams: patterns('Teams or globs.'),
    roles: patterns('Roles or globs; one of them is enough.'),
  },
}

const ruleSchema = {
  type: 'object',
  required: ['id', 'effect'],
  additionalProperties: false,
  properties: {
    id: { description: 'Unique name, shown in decisions, logs and metrics.', type: 'string', pattern: idPattern },
    effect: { description: 'What a match does; deny beats approve beats allow.', enum: ['allow', 'deny', 'approve'] },
    actions: patterns('Which actions the rule judges; absent: all that have what its conditions look at.'),
    models: patterns('Model names or globs; `*` also crosses `/`.'),
    tools: patterns('Tool names or globs; `*` stays within one `/` segment, `**` crosses.'),
    tags: patterns('Tags of the tool catalogue, or globs over them.'),
    upstreams: patterns('Upstream ids or globs.'),
    routes: patterns('Route ids or globs.'),
    methods: patterns('HTTP methods of calls to http upstreams.'),
    paths: patterns('Path globs of calls to http upstreams; `*` stays within a segment, `**` crosses.'),
    principals: principalsSchema,
    findings: patterns('Entities or groups of which at least one was found in the content.'),
    from: patterns('Client addresses or CIDR ranges.'),
    between: windowSchema,
    when: { description: 'One CEL expression that gives a bool.', type: 'string', minLength: 1, maxLength: 4096 },
    mode: { description: 'shadow: recorded but not enforced.', ...modeSchema },
    reason: { description: 'Shown to the client when the rule decides.', type: 'string', minLength: 1, maxLength: 500 },
  },
}

const toolSchema = {
  type: 'object',
  required: ['name', 'tags'],
  additionalProperties: false,
  properties: {
    name: { description: 'Tool name or glob.', type: 'string', minLength: 1, maxLength: 512 },
    tags: patterns('Tags for every tool that the name matches.'),
    upstream: { description: 'Only for calls to this upstream.', type: 'string' },
  },
}

/** Schemas of the document's own keys, for config/ to join with those of other folders. */
export const policySchemas = {
  tools: { description: 'Catalogue of tools: names to tags.', type: 'array', maxItems: 5000, items: toolSchema },
  defaultEffect: { description: 'What happens when no rule matches; deny when absent.', enum: ['allow', 'deny'] },
  mode: { description: 'shadow: decide and record, block nothing; enforce when absent.', ...modeSchema },
  rules: { description: 'The rules, in any order.', type: 'array', maxItems: 5000, items: ruleSchema },
  policyHeaders: {
    description: 'Request headers that rules may see as `headers`.',
    type: 'array',
    maxItems: 64,
    items: { type: 'string', pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$" },
  },
} as const
