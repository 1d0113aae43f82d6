// Owns what is wrong between conditions and between rules: conditions that exclude each other, rules that another rule
// always overrules, and a default that quietly denies a whole kind of action.
import { didYouMean } from '../lib/nearest.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { actionsOf } from './actions.ts'
import { isLiteral } from './glob.ts'
import type { Known, KnownRoute } from './known.ts'
import { matcherKeys } from './matchers.ts'
import type { PolicyOptions, RuleOptions } from './options.ts'
import { mayApplyOn, type Rule } from './rule.ts'

type Subject = {
  readonly options: PolicyOptions
  readonly rules: readonly Rule[]
  readonly known: Known
  readonly prefix: Path
}

export function lintPolicy({ options, rules, known, prefix }: Subject, problems: Problem[]): void {
  for (const rule of rules) checkReach(rule, known, problems, [...prefix, 'rules', rule.position])
  checkOverruled(options.rules ?? [], rules, problems, prefix)
  checkToolNames(options, rules, known, problems, prefix)
  checkToolOwners(options, known, problems, prefix)
  checkModelCalls(options, rules, known, problems, prefix)
}

/** A rule that no route can bring anything to. A document without routes is a part of a configuration, so it is not asked. */
function checkReach(rule: Rule, known: Known, problems: Problem[], at: Path): void {
  const restricted = rule.conditions.filter(({ matching }) => matching !== undefined)
  // A condition that matches no name at all has been reported by its matcher.
  if (known.routes.length === 0 || restricted.some(({ matching }) => matching?.size === 0)) return
  const reached = known.routes.filter((route) => reaches(rule, route))
  const key = restricted[0]?.key
  if (key !== undefined && reached.length === 0) {
    const message = 'the rule can never match: no route satisfies both `routes` and `upstreams`'
    problems.push({
      path: [...at, key],
      message: restricted.length > 1 ? message : 'the rule can never match: no route leads there',
      severity: 'error',
    })
    return
  }
  const httpOnly = rule.conditions.find((condition) => condition.key === 'methods' || condition.key === 'paths')
  if (httpOnly !== undefined && !reached.some(({ protocol }) => protocol === 'http')) {
    problems.push({
      path: [...at, httpOnly.key],
      message: `\`${httpOnly.key}\` can never match: only calls to http upstreams have it, and no such route is meant`,
      severity: key === undefined ? 'warning' : 'error',
    })
  } else if (rule.actions.size > 0 && !reached.some((route) => gives(route, rule))) {
    problems.push({
      path: key === undefined ? at : [...at, key],
      message: `the rule can never match: none of its routes gives ${[...rule.actions].join(' or ')}`,
      severity: key === undefined ? 'warning' : 'error',
    })
  }
}

function reaches(rule: Rule, { id, upstream, fallback = [] }: KnownRoute): boolean {
  return mayApplyOn(rule, id, [upstream, ...fallback])
}

function gives(route: KnownRoute, rule: Rule): boolean {
  return actionsOf(route.protocol)?.some((type) => rule.actions.has(type)) ?? true
}

/** An allow or approve rule whose conditions include all those of an enforced deny rule never takes effect. */
function checkOverruled(
  options: readonly RuleOptions[],
  rules: readonly Rule[],
  problems: Problem[],
  prefix: Path,
): void {
  const denying = rules.filter((rule) => rule.effect === 'deny' && rule.mode === 'enforce')
  for (const rule of rules) {
    const own = options[rule.position]
    if (rule.effect === 'deny' || own === undefined) continue
    const stronger = denying.find((deny) => {
      const theirs = options[deny.position]
      return (
        theirs !== undefined &&
        rule.actions.size > 0 &&
        rule.actions.isSubsetOf(deny.actions) &&
        includesConditions(own, theirs)
      )
    })
    if (stronger === undefined) continue
    const message = `the rule never takes effect: the deny rule "${stronger.id}" matches whenever it does`
    problems.push({
      path: [...prefix, 'rules', rule.position],
      message,
      hint: 'narrow the deny rule or remove this one',
      severity: 'warning',
    })
  }
}

function includesConditions(own: RuleOptions, theirs: RuleOptions): boolean {
  return matcherKeys.every(
    (key) => theirs[key] === undefined || JSON.stringify(own[key]) === JSON.stringify(theirs[key]),
  )
}

/**
 * Over MCP a tool has its upstream's name before its own, so a pattern without one finds nothing there, and a rule that
 * was to stop such tools lets them pass. A name in full may well be meant for one upstream's tools only.
 */
function checkToolNames(
  options: PolicyOptions,
  rules: readonly Rule[],
  known: Known,
  problems: Problem[],
  prefix: Path,
): void {
  const overMcp = known.routes.filter(({ protocol }) => protocol === 'mcp')
  for (const rule of rules) {
    const tools = options.rules?.[rule.position]?.tools ?? []
    if (rule.effect === 'allow' || !rule.actions.has('tool.call') || tools.some(namesUpstream)) continue
    const glob = overMcp.some((route) => reaches(rule, route)) ? tools.find(isGlob) : undefined
    if (glob !== undefined) problems.push(unmetOverMcp([...prefix, 'rules', rule.position, 'tools'], glob))
  }
  const tagged = new Set((options.tools ?? []).flatMap(({ name, tags }) => (namesUpstream(name) ? tags : [])))
  for (const [position, { name, tags, upstream }] of (options.tools ?? []).entries()) {
    const reached = overMcp.some((route) => upstream === undefined || upstream === route.upstream)
    if (!reached || !isGlob(name) || namesUpstream(name) || tags.every((tag) => tagged.has(tag))) continue
    problems.push(unmetOverMcp([...prefix, 'tools', position, 'name'], name))
  }
}

function unmetOverMcp(path: Path, glob: string): Problem {
  const message = "no tool over MCP has such a name: there it has its upstream's before its own"
  return { path, message, hint: `add \`*/${glob}\`, or name the upstreams that are meant`, severity: 'warning' }
}

/** A name in full, `upstream/tool`, is one of MCP; of an upstream that is misspelt or speaks something else there is none. */
function checkToolOwners(options: PolicyOptions, known: Known, problems: Problem[], prefix: Path): void {
  if (known.routes.length === 0) return
  const overMcp = known.upstreams.flatMap(({ id, protocol }) => (protocol === 'mcp' ? [id] : []))
  const check = (name: string, path: Path): void => {
    const slash = name.indexOf('/')
    const owner = name.slice(0, slash)
    if (slash < 1 || !isLiteral(owner) || overMcp.includes(owner)) return
    const other = known.upstreams.find(({ id }) => id === owner)
    const hint = other?.protocol === 'http' ? `calls of it are of the tool "${owner}"` : didYouMean(owner, overMcp).hint
    // Of what is near no name here, another file or a model may well make a tool.
    if (other === undefined && hint === undefined) return
    const message = `no tool is called that: no upstream "${owner}" speaks MCP`
    problems.push({ path: [...prefix, ...path], message, ...(hint === undefined ? {} : { hint }), severity: 'warning' })
  }
  for (const [i, { tools = [] }] of (options.rules ?? []).entries())
    for (const [j, name] of tools.entries()) check(name, ['rules', i, 'tools', j])
  for (const [i, { name }] of (options.tools ?? []).entries()) check(name, ['tools', i, 'name'])
}

function namesUpstream(pattern: string): boolean {
  return pattern.includes('/') || pattern.includes('**')
}

function isGlob(pattern: string): boolean {
  return /[*?{]/.test(pattern)
}

function checkModelCalls(
  options: PolicyOptions,
  rules: readonly Rule[],
  known: Known,
  problems: Problem[],
  prefix: Path,
): void {
  if (options.rules === undefined || (options.defaultEffect ?? 'deny') === 'allow') return
  const modelRoute = known.routes.some(({ protocol }) => actionsOf(protocol)?.includes('model.call') === true)
  const allows = (type: 'model.call' | 'tool.call') =>
    rules.some((rule) => rule.effect !== 'deny' && rule.actions.has(type))
  if (!modelRoute || !allows('model.call') || allows('tool.call')) return
  problems.push({
    path: [...prefix, 'rules'],
    message: 'no rule allows tool.call, so every tool is withheld from models and every call that one makes is denied',
    hint: 'add a rule with `actions: [tool.call]`, or set `defaultEffect: allow`',
    severity: 'warning',
  })
}
