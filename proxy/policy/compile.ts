// Owns the way from options to a policy: every rule compiled and checked against what the configuration knows, all
// problems found in one go. A policy with an error in it is never handed out.
import { createHash } from 'node:crypto'
import { canonicalise } from '../lib/canonical.ts'
import { didYouMean } from '../lib/nearest.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { actionTypes, actionsWith, isExchangeAttribute, type Attribute } from './actions.ts'
import { compileCatalogue } from './catalogue.ts'
import { Engine, type Policy } from './evaluate.ts'
import { backgroundOf } from './facts.ts'
import { compileGlob } from './glob.ts'
import type { Known } from './known.ts'
import { lintPolicy } from './lint.ts'
import type { CompileContext, Condition, Matcher } from './matcher.ts'
import { matcherKeys, matchers } from './matchers.ts'
import { hintFor } from './matchers/patterns.ts'
import type { Conditions, PolicyOptions, RuleOptions } from './options.ts'
import type { ActionType } from './query.ts'
import type { Rule, RuleCondition } from './rule.ts'

export type { Policy }

export type Compilation = { readonly policy?: Policy; readonly problems: readonly Problem[] }

/** `prefix` is where the policy's keys stand in the document. The options must have passed the schema. */
export function compilePolicy(options: PolicyOptions, known: Known, prefix: Path = []): Compilation {
  const problems: Problem[] = []
  const headers = new Set((options.policyHeaders ?? []).map((name) => name.toLowerCase()))
  const tools = options.tools ?? []
  checkCatalogue(tools, known, problems, prefix)
  const rules = (options.rules ?? []).map((rule, position) => {
    const at = [...prefix, 'rules', position]
    return compileRule(rule, position, { known, tools, headers }, problems, at)
  })
  checkDuplicates(options.rules ?? [], problems, prefix)
  lintPolicy({ options, rules, known, prefix }, problems)
  if (problems.some(({ severity }) => severity === 'error')) return { problems }
  const background = backgroundOf(compileCatalogue(tools), known.entities)
  const settings = {
    defaultEffect: options.defaultEffect ?? 'deny',
    mode: options.mode ?? 'enforce',
    hash: hashOf(options),
    headers,
  } as const
  return { policy: new Engine(rules, known.routes, background, settings), problems }
}

type Names = Pick<CompileContext, 'known' | 'tools' | 'headers'>

function compileRule(options: RuleOptions, position: number, names: Names, problems: Problem[], at: Path): Rule {
  const conditions: RuleCondition[] = []
  for (const key of matcherKeys) {
    const condition = compileCondition(key, options, names, problems, at)
    if (condition !== undefined) conditions.push({ ...condition, key })
  }
  const reads = new Set<Attribute>(conditions.flatMap((condition) => [...condition.reads]))
  return {
    id: options.id,
    effect: options.effect,
    mode: options.mode ?? 'enforce',
    reason: options.reason,
    position,
    actions: judgedActions(options, conditions, problems, at),
    conditions,
    reads,
    entities: new Set(conditions.flatMap((condition) => [...(condition.entities ?? [])])),
  }
}

function compileCondition(
  key: keyof Conditions,
  options: RuleOptions,
  names: Names,
  problems: Problem[],
  at: Path,
): Condition | undefined {
  const value = options[key]
  if (value === undefined) return undefined
  const here = [...at, key]
  const context: CompileContext = {
    ...names,
    report(inner, message, more = {}) {
      const severity = more.warning === true ? 'warning' : 'error'
      const place = { path: [...here, ...inner], ...(more.offset === undefined ? {} : { offset: more.offset }) }
      problems.push({ ...place, message, severity, ...(more.hint === undefined ? {} : { hint: more.hint }) })
    },
  }
  if (isEmpty(value))
    context.report([], `\`${key}\` is empty, so the rule can never match`, { hint: 'leave it out to match everything' })
  // The table pairs each key with the matcher of its own type, which an index by a variable key cannot express.
  const matcher = matchers[key] as Matcher<typeof key>
  return matcher.compile(value, context)
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === ''
  const inner = Object.values(value)
  return (
    inner.length === 0 || (!Array.isArray(value) && inner.some((entry) => Array.isArray(entry) && entry.length === 0))
  )
}

/** The listed actions that the conditions leave possible; a rule for which that is none can never match. */
function judgedActions(
  options: RuleOptions,
  conditions: readonly RuleCondition[],
  problems: Problem[],
  at: Path,
): ReadonlySet<ActionType> {
  const listed =
    options.actions === undefined ? undefined : listedActions(options.actions, problems, [...at, 'actions'])
  let possible: readonly ActionType[] = listed ?? actionTypes
  for (const { key, reads } of conditions) {
    // What an expression cannot see is unknown, and with listed actions that is the operator's word against the
    // expression's; without them the expression says which actions are meant.
    const needed =
      key === 'when' && listed !== undefined ? [] : reads.filter((attribute) => !isExchangeAttribute(attribute))
    const having = possible.filter((type) => needed.every((attribute) => actionsWith(attribute).includes(type)))
    if (having.length === 0 && possible.length > 0) {
      const looksAt = needed.map((attribute) => `\`${attribute}\``).join(' and ')
      const judged = listed === undefined ? 'the actions that the other conditions leave' : possible.join(', ')
      problems.push({
        path: [...at, key],
        message: `the rule can never match: ${judged} has no ${looksAt}`,
        hint: whereHint(needed),
        severity: 'error',
      })
    }
    possible = having
  }
  if (listed !== undefined) checkExpressionScope(possible, conditions, options, problems, at)
  return new Set(possible)
}

function whereHint(needed: readonly Attribute[]): string {
  return needed
    .map((attribute) => `\`${attribute}\` is an attribute of ${actionsWith(attribute).join(', ')}`)
    .join('; ')
}

function listedActions(names: readonly string[], problems: Problem[], at: Path): readonly ActionType[] {
  names.forEach((name, index) => {
    if (matchingActions(name).length > 0) return
    const hint = didYouMean(name, actionTypes).hint ?? `known: ${actionTypes.join(', ')}`
    problems.push({ path: [...at, index], message: `there is no action "${name}"`, hint, severity: 'error' })
  })
  return [...new Set(names.flatMap(matchingActions))]
}

function matchingActions(pattern: string): readonly ActionType[] {
  const glob = compileGlob(pattern, '')
  return typeof glob === 'function' ? actionTypes.filter((type) => glob(type)) : []
}

/** With listed actions, an expression over what none of them has is an error, and over what some lack a warning. */
function checkExpressionScope(
  possible: readonly ActionType[],
  conditions: readonly RuleCondition[],
  options: RuleOptions,
  problems: Problem[],
  at: Path,
): void {
  const expression = conditions.find(({ key }) => key === 'when')
  if (expression === undefined || possible.length === 0) return
  for (const attribute of expression.reads) {
    const lacking = possible.filter((type) => !actionsWith(attribute).includes(type))
    if (lacking.length === 0) continue
    const all = lacking.length === possible.length
    const counted = options.effect === 'allow' ? 'does not match' : 'counts as a match'
    const message = all
      ? `the expression can never be evaluated: ${lacking.join(', ')} has no \`${attribute}\``
      : `${lacking.join(', ')} has no \`${attribute}\`; where the expression cannot be evaluated this rule ${counted}`
    problems.push({ path: [...at, 'when'], message, hint: whereHint([attribute]), severity: all ? 'error' : 'warning' })
  }
}

function checkCatalogue(
  tools: NonNullable<PolicyOptions['tools']>,
  known: Known,
  problems: Problem[],
  prefix: Path,
): void {
  tools.forEach((tool, index) => {
    const at = [...prefix, 'tools', index]
    const glob = compileGlob(tool.name, '/')
    if (typeof glob !== 'function')
      problems.push({
        path: [...at, 'name'],
        message: `"${tool.name}" is not a pattern: ${glob.error}`,
        severity: 'error',
      })
    // A name, not a pattern: the catalogue compares it as it stands.
    const ids = known.upstreams.map(({ id }) => id)
    if (tool.upstream === undefined || ids.includes(tool.upstream)) return
    problems.push({
      path: [...at, 'upstream'],
      message: `there is no upstream "${tool.upstream}"`,
      hint: hintFor(tool.upstream, ids, 'upstream'),
      severity: 'error',
    })
  })
}

function checkDuplicates(rules: readonly RuleOptions[], problems: Problem[], prefix: Path): void {
  const first = new Map<string, number>()
  rules.forEach(({ id }, index) => {
    const earlier = first.get(id)
    if (earlier === undefined) return first.set(id, index)
    const message = `there are two rules with the id "${id}"`
    return problems.push({
      path: [...prefix, 'rules', index, 'id'],
      message,
      hint: `the other is rule ${earlier + 1}`,
      severity: 'error',
    })
  })
}

/** SHA-256 in hex over the canonical options: the same for every spelling of the same policy. */
function hashOf({ tools, defaultEffect, mode, rules, policyHeaders }: PolicyOptions): string {
  return createHash('sha256').update(canonicalise({ tools, defaultEffect, mode, rules, policyHeaders })).digest('hex')
}
