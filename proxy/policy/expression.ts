// Owns `when`: one CEL expression, checked at load and evaluated within a budget. An expression that cannot be
// evaluated gives unknown, never an error, and what it says of itself never quotes the content that it looked at.
import { Environment, type ASTNode } from '@marcbachmann/cel-js'
import { attributes, isAttribute, type Attribute } from './actions.ts'
import { registerBoundedLoops } from './bounded-loops.ts'
import { registerBoundedText } from './bounded-text.ts'
import { Budget } from './budget.ts'
import { clientType, ExpressionContext, principalType, typeNames, variableTypes } from './expression-context.ts'
import { compileShortcut } from './expression-shortcut.ts'
import { inspectExpression, type ExpressionNames, type ExpressionProblem } from './expression-scope.ts'
import { partsOf } from './expression-nodes.ts'
import type { Facts } from './facts.ts'
import { bindOwnCalls, type OwnCalls } from './own-calls.ts'
import { presence } from './presence.ts'
import type { Subject } from './query.ts'
import { timeParts } from './time-parts.ts'
import { timestamp } from './timestamp.ts'
import type { Truth } from './truth.ts'

export type Expression = {
  test(facts: Facts): Truth
  /** What it gives for all queries of a caller; undefined when that depends, and when it is not known yet. */
  settle(subject: Subject): Truth
  readonly reads: readonly Attribute[]
  /** Entities and groups whose counts it looks at. */
  readonly findings: ReadonlySet<string>
  readonly problems: readonly ExpressionProblem[]
  /** The value, when the expression looks at nothing. */
  readonly constant?: boolean
}

/** Bounds on the source, so that a policy cannot be made expensive to load. */
const limits = { maxAstNodes: 500, maxDepth: 40, maxListElements: 500, maxMapEntries: 100, maxCallArguments: 8 }

const budget = new Budget()
const environment = makeEnvironment()
const ownCalls: OwnCalls = new Map([['has/1', presence], ['timestamp/1', timestamp], ...timeParts])

export function compileExpression(source: string, names: ExpressionNames): Expression {
  const unusable = {
    reads: [],
    findings: new Set<string>(),
    test: (facts: Facts) => facts.unknown('the expression is not valid'),
    settle: () => undefined,
  }
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(source)
  } catch (error) {
    return { ...unusable, problems: [syntaxProblem(error)] }
  }
  const scope = inspectExpression(parsed.ast, names)
  if (scope.problems.length > 0) return { ...unusable, problems: scope.problems }
  const checked = parsed.check()
  if (!checked.valid) {
    const hint = typesIn(checked.error, names)
    return { ...unusable, problems: [{ ...problemOf(checked.error), hint }] }
  }
  if (checked.type !== 'bool' && checked.type !== 'dyn') {
    return { ...unusable, problems: [{ message: `the expression gives ${checked.type}, not bool`, offset: 0 }] }
  }
  const impossible = literalProblem(parsed.ast)
  if (impossible !== undefined) return { ...unusable, problems: [impossible] }
  const shortcut = compileShortcut(parsed.ast, names.entities) ?? (() => undefined)
  const test = (facts: Facts): Truth => shortcut(facts.query) ?? evaluate(parsed, source, facts)
  const settle = (principal: Subject): Truth => shortcut({ principal, action: {} })
  const reads = attributes.filter((attribute) => scope.variables.has(attribute))
  const constant = scope.variables.size === 0 ? valueOf(parsed) : undefined
  if (scope.variables.size === 0 && typeof constant !== 'boolean')
    return { ...unusable, problems: [{ message: 'the expression can never be evaluated', offset: 0 }] }
  return {
    test,
    settle,
    reads,
    findings: scope.findings,
    problems: [],
    ...(typeof constant === 'boolean' ? { constant } : {}),
  }
}

function parse(source: string): ReturnType<Environment['parse']> {
  const parsed = environment.parse(source)
  bindOwnCalls(parsed.ast, ownCalls)
  return parsed
}

type Program = (context?: object) => unknown

function evaluate(program: Program, source: string, facts: Facts): Truth {
  try {
    facts.expressionContext ??= new ExpressionContext(facts)
    budget.open(facts.query)
    const value = program(facts.expressionContext)
    return typeof value === 'boolean' ? value : facts.unknown('the expression does not give a bool')
  } catch (error) {
    return facts.unknown(whyNot(error, source))
  }
}

/** Of an expression that looks at nothing; undefined where it cannot be evaluated. */
function valueOf(program: Program): unknown {
  try {
    budget.open({ action: { type: 'tool.call' } })
    return program({})
  } catch {
    return undefined
  }
}

/** What is made of a text that is written out, and how to write one. */
const conversions: ReadonlyMap<string, readonly [what: string, hint?: string]> = new Map([
  ['duration', ['duration', 'the units are h, m, s and ms; a day is 24h']],
  ['timestamp', ['time', 'for example 2026-01-31T12:00:00Z']],
  ['int', ['whole number']],
  ['uint', ['whole number without a sign']],
  ['double', ['number']],
  ['bool', ['bool']],
])

/** Something written out that cannot be what it is made to be: what asks for it could never be evaluated. */
function literalProblem(node: ASTNode): ExpressionProblem | undefined {
  const [made, [literal]] = node.op === 'call' ? [conversions.get(node.args[0]), node.args[1]] : [undefined, []]
  if (made !== undefined && literal?.op === 'value' && valueOf(parse(textOf(node))) === undefined)
    return { message: `${textOf(literal)} is no ${made[0]}`, hint: made[1], offset: literal.start }
  for (const part of partsOf(node)) {
    const problem = literalProblem(part)
    if (problem !== undefined) return problem
  }
  return undefined
}

function textOf({ input, start, end }: ASTNode): string {
  return input.slice(start, end)
}

/** The error's code and the piece of the expression, which is the operator's own text; not the error's message. */
function whyNot(error: unknown, source: string): string {
  const { code, range } = errorPlace(error)
  const place = range === undefined ? source : source.slice(range.start, range.end)
  return `${code.replaceAll('_', ' ')}: ${place.trim().slice(0, 120)}`
}

/** The library's own complaints are about symbols, and it calls the end of the text EOF; macros say what is wrong. */
function syntaxProblem(error: unknown): ExpressionProblem {
  const { message, offset } = problemOf(error)
  if (!/^(?:Une|E)xpected /.test(message)) return { message, offset }
  return { message: `this is not CEL: ${message.replace('Unexpected token: EOF', 'it ends too early')}`, offset }
}

function problemOf(error: unknown): ExpressionProblem {
  const { range, summary } = errorPlace(error)
  return { message: summary, offset: range?.start ?? 0 }
}

/** What the names in the piece that does not fit are: `messages` sounds like a list. */
function typesIn(error: unknown, names: ExpressionNames): string | undefined {
  const node = (error as { readonly node?: ASTNode } | undefined)?.node
  if (node === undefined) return undefined
  const kinds = [...inspectExpression(node, names).variables].flatMap((name) => {
    const kind = isAttribute(name) ? typeNames[variableTypes[name]] : undefined
    return kind === undefined ? [] : [`\`${name}\` is ${kind}`]
  })
  return kinds.length === 0 ? undefined : kinds.join(', ')
}

type ErrorPlace = { code: string; summary: string; range: { start: number; end: number } | undefined }

function errorPlace(error: unknown): ErrorPlace {
  const from = (typeof error === 'object' && error !== null ? error : {}) as Partial<
    Record<keyof ErrorPlace | 'node', unknown>
  >
  const summary = typeof from.summary === 'string' ? from.summary : 'the expression is not valid'
  const code = typeof from.code === 'string' ? from.code : 'evaluation_error'
  return { code, summary, range: (from.node ?? from.range) as ErrorPlace['range'] }
}

function makeEnvironment(): Environment {
  const created = new Environment({ limits, homogeneousAggregateLiterals: false })
  created.registerType('Principal', principalType)
  created.registerType('Client', clientType)
  for (const [name, type] of Object.entries(variableTypes)) created.registerVariable(name, type)
  registerBoundedLoops(created, budget)
  registerBoundedText(created, budget)
  return created
}
