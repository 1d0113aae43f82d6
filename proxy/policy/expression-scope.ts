// Owns what can be said of an expression without evaluating it: which variables, findings and headers it looks at, and
// uses of names that the type checker would let pass although they can only be mistakes.
import type { ASTNode } from '@marcbachmann/cel-js'
import { didYouMean } from '../lib/nearest.ts'
import { attributes, isAttribute } from './actions.ts'
import { objectFields } from './expression-context.ts'

export type ExpressionProblem = {
  readonly message: string
  readonly hint?: string | undefined
  readonly offset: number
}

/** The open-ended names that this configuration allows. */
export type ExpressionNames = {
  /** Entity → group. */
  readonly entities: ReadonlyMap<string, string>
  readonly headers: ReadonlySet<string>
}

export type ExpressionScope = {
  readonly variables: ReadonlySet<string>
  readonly findings: ReadonlySet<string>
  readonly problems: readonly ExpressionProblem[]
}

/** What may be called: everything here takes time in proportion to its arguments. Name/arguments; methods with a dot. */
const callable = new Set(
  `size/1 has/1 int/1 uint/1 double/1 string/1 bool/1 dyn/1 type/1 timestamp/1 duration/1
  .size/0 .startsWith/1 .endsWith/1 .contains/1 .matches/1 .lowerAscii/0 .upperAscii/0 .trim/0 .split/1
  .indexOf/1 .lastIndexOf/1 .substring/1 .substring/2
  .all/2 .exists/2 .exists_one/2 .map/2 .filter/2
  .getDate/0 .getDate/1 .getDayOfMonth/0 .getDayOfMonth/1 .getDayOfWeek/0 .getDayOfWeek/1 .getDayOfYear/0 .getDayOfYear/1
  .getFullYear/0 .getFullYear/1 .getMonth/0 .getMonth/1 .getHours/0 .getHours/1 .getMinutes/0 .getMinutes/1
  .getSeconds/0 .getSeconds/1 .getMilliseconds/0 .getMilliseconds/1`.split(/\s+/),
)
const loops = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])
const constants = new Set(['int', 'uint', 'double', 'string', 'bool', 'bytes', 'list', 'map', 'null_type', 'type'])

export function inspectExpression(ast: ASTNode, names: ExpressionNames): ExpressionScope {
  const walk = new Walk(names)
  walk.visit(ast, new Set())
  return { variables: walk.variables, findings: walk.findings, problems: walk.problems }
}

class Walk {
  readonly variables = new Set<string>()
  readonly findings = new Set<string>()
  readonly problems: ExpressionProblem[] = []
  readonly #names: ExpressionNames

  constructor(names: ExpressionNames) {
    this.#names = names
  }

  visit(node: ASTNode, locals: ReadonlySet<string>): void {
    switch (node.op) {
      case 'value':
        return
      case 'id':
        return this.#identifier(node.args, node, locals)
      case '.':
      case '.?':
        return this.#member(node.args[0], node.args[1], node, locals)
      case '[]':
      case '[?]':
        return this.#element(node.args[0], node.args[1], node, locals)
      case 'call':
        return this.#call(node.args[0], undefined, node.args[1], node, locals)
      case 'rcall':
        return this.#call(node.args[0], node.args[1], node.args[2], node, locals)
      case 'in':
        return this.#membership(node.args[0], node.args[1], node, locals)
      case '==':
      case '!=':
        for (const side of node.args) this.#equated(side)
        for (const side of node.args) this.visit(side, locals)
        return
      case '!_':
      case '-_':
        return this.visit(node.args, locals)
      case 'map':
        for (const entry of node.args) for (const part of entry) this.visit(part, locals)
        return
      default:
        for (const part of node.args) this.visit(part, locals)
    }
  }

  #identifier(name: string, node: ASTNode, locals: ReadonlySet<string>): void {
    if (locals.has(name) || constants.has(name)) return
    if (name === 'findings')
      return this.#problem('`findings` is used by name', node, 'write for example findings.email > 0')
    if (!isAttribute(name)) return this.#problem(`unknown name "${name}"`, node, didYouMean(name, attributes).hint)
    this.variables.add(name)
  }

  #member(left: ASTNode, field: string, node: ASTNode, locals: ReadonlySet<string>): void {
    const object = left.op === 'id' && !locals.has(left.args) ? left.args : undefined
    if (object === 'findings') return this.#finding(field, node)
    if (object === 'headers') this.#header(field, node)
    const fields = object === undefined ? undefined : objectFields[object]
    if (fields !== undefined && !fields.includes(field)) {
      this.#problem(
        `"${object}" has no field "${field}"`,
        node,
        didYouMean(field, fields).hint ?? `known: ${fields.join(', ')}`,
      )
    }
    this.visit(left, locals)
  }

  #element(left: ASTNode, index: ASTNode, node: ASTNode, locals: ReadonlySet<string>): void {
    const object = left.op === 'id' && !locals.has(left.args) ? left.args : undefined
    const key = index.op === 'value' && typeof index.args === 'string' ? index.args : undefined
    if (object === 'findings' && key !== undefined) return this.#finding(key, node)
    if (object === 'headers' && key !== undefined) this.#header(key, node)
    this.visit(left, locals)
    this.visit(index, locals)
  }

  #membership(item: ASTNode, collection: ASTNode, node: ASTNode, locals: ReadonlySet<string>): void {
    if (collection.op === 'id' && collection.args === 'headers' && item.op === 'value')
      this.#header(String(item.args), node)
    for (const one of [item, ...(collection.op === 'list' ? collection.args : [])]) this.#equated(one)
    this.visit(item, locals)
    this.visit(collection, locals)
  }

  /** Such a number of a request was rounded when it was read, so it is never equal to one that is written out. */
  #equated(node: ASTNode): void {
    const number = node.op === '-_' ? node.args : node
    if (number.op !== 'value' || typeof number.args !== 'bigint' || number.args <= Number.MAX_SAFE_INTEGER) return
    this.#problem(
      `numbers are exact up to ${Number.MAX_SAFE_INTEGER}, so nothing is equal to ${number.args}`,
      number,
      `write ${number.args}.0 for whatever is rounded to the same, or \`<=\` and \`>=\``,
    )
  }

  #call(
    name: string,
    receiver: ASTNode | undefined,
    args: readonly ASTNode[],
    node: ASTNode,
    locals: ReadonlySet<string>,
  ): void {
    const signature = `${receiver === undefined ? '' : '.'}${name}/${args.length}`
    if (!callable.has(signature)) {
      const known = new Set([...callable].map((entry) => entry.replace(/^\.|\/.*$/g, '')))
      const hint = known.has(name) ? undefined : didYouMean(name, known).hint
      this.#problem(
        `there is no function "${name}" with ${args.length} argument${args.length === 1 ? '' : 's'} here`,
        node,
        hint,
      )
      return
    }
    if (name === 'has' && args[0]?.op === '.' && args[0].args[0].op === 'id' && args[0].args[0].args === 'findings') {
      this.#problem(
        'every entity is in `findings`, so this is always true',
        node,
        `write findings.${args[0].args[1]} > 0`,
      )
      return
    }
    // The library reads durations with a backtracking pattern, so a caller must not choose the text.
    if (name === 'duration' && args[0]?.op !== 'value')
      return this.#problem('the argument of duration() must be written out', node)
    if (receiver !== undefined) this.visit(receiver, locals)
    const [variable, ...body] = args
    if (receiver !== undefined && loops.has(name) && variable?.op === 'id') {
      if (isAttribute(variable.args)) this.#problem(`"${variable.args}" is already a name here`, variable)
      const inner = new Set([...locals, variable.args])
      for (const part of body) this.visit(part, inner)
    } else for (const part of args) this.visit(part, locals)
  }

  #finding(name: string, node: ASTNode): void {
    const { entities } = this.#names
    this.variables.add('findings')
    this.findings.add(name)
    const known = new Set([...entities.keys(), ...entities.values()])
    if (!known.has(name)) this.#problem(`there is no entity or group "${name}"`, node, didYouMean(name, known).hint)
  }

  #header(name: string, node: ASTNode): void {
    if (this.#names.headers.has(name)) return
    const lower = name.toLowerCase()
    const hint = this.#names.headers.has(lower)
      ? `header names are lower-case: "${lower}"`
      : `add "${lower}" to policyHeaders`
    this.#problem(`rules may not see the header "${name}"`, node, hint)
  }

  #problem(message: string, node: ASTNode, hint?: string): void {
    this.problems.push({ message, hint, offset: node.pos })
  }
}
