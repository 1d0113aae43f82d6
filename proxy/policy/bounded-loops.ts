// Owns loops over lists in CEL. They replace the library's own through its macro interface and spend a budget on every step.
import { ParseError, type ASTNode, type Environment } from '@marcbachmann/cel-js'
import { isAttribute } from './actions.ts'
import { BudgetExceeded, contentAttributes, unitsFor, type Budget } from './budget.ts'
import { partsOf } from './expression-nodes.ts'
import type { Call, Checker, Evaluator, Scope, Type } from './macro.ts'

export function registerBoundedLoops(environment: Environment, budget: Budget): void {
  // The receiver type only has to differ from the library's own (`list`): a macro is found by its name and number of
  // arguments, and the last one registered is used for every receiver.
  environment.registerFunction('map.all(ast, ast): bool', (call: Call) => loop(call, budget, quantify(false)))
  environment.registerFunction('map.exists(ast, ast): bool', (call: Call) => loop(call, budget, quantify(true)))
  environment.registerFunction('map.exists_one(ast, ast): bool', (call: Call) => loop(call, budget, existsOne))
  environment.registerFunction('map.filter(ast, ast): list<dyn>', (call: Call) => loop(call, budget, filter))
  environment.registerFunction('map.map(ast, ast): list<dyn>', (call: Call) => loop(call, budget, transform))
}

/** Runs the body for one element, and throws what the body throws. */
type Step = (item: unknown) => unknown
type Loop = { readonly gives: 'bool' | 'same' | 'body'; run(items: readonly unknown[], step: Step): unknown }

function quantify(decisive: boolean): Loop {
  return {
    gives: 'bool',
    run(items, step) {
      let failure: unknown
      for (const item of items) {
        try {
          if (asBool(step(item)) === decisive) return decisive
        } catch (error) {
          // One element that decides outweighs any that cannot be evaluated.
          if (error instanceof BudgetExceeded) throw error
          failure ??= error
        }
      }
      if (failure !== undefined) throw failure
      return !decisive
    },
  }
}

const existsOne: Loop = {
  gives: 'bool',
  run: (items, step) => items.filter((item) => asBool(step(item))).length === 1,
}

const filter: Loop = { gives: 'same', run: (items, step) => items.filter((item) => asBool(step(item))) }

const transform: Loop = { gives: 'body', run: (items, step) => items.map((item) => step(item)) }

function asBool(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new NotBool()
}

class NotBool extends Error {
  readonly code = 'not_a_bool'
}

function loop({ args, receiver }: Call, budget: Budget, kind: Loop) {
  const [variable, body] = args
  if (variable?.op !== 'id' || body === undefined) {
    throw new ParseError({
      code: 'invalid_macro_argument',
      message: 'the first argument must be a name',
      node: variable ?? receiver,
    })
  }
  const handling = countHandling(body)
  const handlesContent = mentionsOutside(body, variable.args)
  let inner: Scope
  return {
    async: false,
    typeCheck(checker: Checker, _macro: unknown, scope: Scope): Type {
      const list = checker.check(receiver, scope)
      const item = itemType(list)
      if (item === undefined)
        throw checker.createError('invalid_loop', `a loop needs a list or a map, not ${list.name}`, receiver)
      inner = scope.forkWithVariable(variable.args, item)
      const given = checker.check(body, inner)
      if (kind.gives === 'body') return checker.registry.getListType(given)
      if (given.kind !== 'dyn' && given.name !== 'bool')
        throw checker.createError('invalid_loop', `the condition gives ${given.name}, not bool`, body)
      return checker.getType(kind.gives === 'bool' ? 'bool' : 'list')
    },
    evaluate(evaluator: Evaluator, _macro: unknown, scope: Scope): unknown {
      const items = itemsOf(evaluator.run(receiver, scope))
      if (items === undefined) throw evaluator.createError('invalid_loop', 'not a list or a map', receiver)
      const own = inner.reuse(scope)
      return kind.run(items, (item) => {
        budget.spend(handling === 0 ? 1 : 1 + handling * (handlesContent ? budget.contentUnits : unitsFor(item)))
        return evaluator.run(body, own.setIterValue(item, evaluator))
      })
    },
  }
}

function itemType(list: Type): Type | undefined {
  if (list.kind === 'dyn') return list
  return list.kind === 'list' ? list.valueType : list.kind === 'map' ? list.keyType : undefined
}

/** A map is gone through by its keys. */
function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  return typeof value === 'object' && value !== null ? Object.keys(value) : undefined
}

/** What only picks a value or a branch; everything else may handle every character of its operands. */
const picking: ReadonlySet<string> = new Set(['value', 'id', '.', '.?', '[]', '[?]', '!_', '-_', '&&', '||', '?:'])

/** How often a body may handle a whole value. Time zone arithmetic costs some thousand times as much. */
function countHandling(node: ASTNode): number {
  const own = picking.has(node.op) ? 0 : node.op === 'rcall' && node.args[0].startsWith('get') ? 3000 : 1
  return partsOf(node).reduce((total, part) => total + countHandling(part), own)
}

/** Whether a body looks at content other than the element itself: then each step may handle all of it. */
function mentionsOutside(node: ASTNode, variable: string): boolean {
  if (node.op === 'id') return node.args !== variable && (contentAttributes.has(node.args) || !isAttribute(node.args))
  return partsOf(node).some((part) => mentionsOutside(part, variable))
}
