// Owns searches in texts and regular expressions in CEL. They replace the library's own, which may take quadratic or
// exponential time, through its macro interface and spend a budget on what they do.
import { ParseError, type ASTNode, type Environment } from '@marcbachmann/cel-js'
import type { Budget } from './budget.ts'
import type { Call, Checker, Evaluator, Scope, Type } from './macro.ts'
import { compileRegExp, type LinearRegExp } from './regexp.ts'

/** States that a regular expression looks at for one unit of the budget. */
const statesPerUnit = 5

/** Character comparisons of a search for one unit. */
const comparisonsPerUnit = 1000
/** Searching for a part up to this long costs about as much as reading the text. */
const shortPartChars = 64
/** Characters of a text to split for one unit: there may be as many parts. */
const splitCharsPerUnit = 64

export function registerBoundedText(environment: Environment, budget: Budget): void {
  const register = (name: string, gives: string, find: Find) =>
    environment.registerFunction(`map.${name}(ast): ${gives}`, (call: Call) => search(call, budget, gives, find))
  // The receiver type only has to differ from the library's own (`string`), as for loops.
  register('contains', 'bool', (text, part) => text.includes(part))
  register('indexOf', 'int', (text, part) => BigInt(text.indexOf(part)))
  register('lastIndexOf', 'int', (text, part) => BigInt(text.lastIndexOf(part)))
  register('split', 'list<string>', (text, part) => {
    budget.spend(text.length / splitCharsPerUnit)
    return text.split(part)
  })
  environment.registerFunction('map.matches(ast): bool', (call: Call) => matches(call, budget))
}

type Find = (text: string, part: string) => unknown

function search({ args, receiver }: Call, budget: Budget, gives: string, find: Find) {
  const [part] = args
  if (part === undefined)
    throw new ParseError({ code: 'invalid_macro_argument', message: 'what to search for is missing', node: receiver })
  return {
    async: false,
    typeCheck(checker: Checker, _macro: unknown, scope: Scope): Type {
      for (const node of [receiver, part]) mustBeText(checker, node, scope)
      return checker.getType(gives)
    },
    evaluate(evaluator: Evaluator, _macro: unknown, scope: Scope): unknown {
      const text = evaluator.run(receiver, scope)
      const wanted = evaluator.run(part, scope)
      if (typeof text !== 'string' || typeof wanted !== 'string') throw new NotText()
      // The engine's search takes the product of both lengths at worst, which matters when both are long.
      budget.spend((text.length * Math.max(0, wanted.length - shortPartChars)) / comparisonsPerUnit)
      return find(text, wanted)
    },
  }
}

function mustBeText(checker: Checker, node: ASTNode, scope: Scope): void {
  const type = checker.check(node, scope)
  if (type.kind !== 'dyn' && type.name !== 'string')
    throw checker.createError('not_a_string', `this must be a string, not ${type.name}`, node)
}

function matches({ args, receiver }: Call, budget: Budget) {
  const [pattern] = args
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
    throw new ParseError({
      code: 'invalid_pattern',
      message: 'the pattern of matches() must be written out',
      node: pattern ?? receiver,
    })
  }
  const compiled = compileRegExp(pattern.args)
  if ('error' in compiled) {
    throw new ParseError({
      code: 'invalid_pattern',
      message: `not a regular expression: ${compiled.error}`,
      node: pattern,
    })
  }
  return {
    async: false,
    typeCheck(checker: Checker, _macro: unknown, scope: Scope): Type {
      mustBeText(checker, receiver, scope)
      return checker.getType('bool')
    },
    evaluate: (evaluator: Evaluator, _macro: unknown, scope: Scope) =>
      matchIn(compiled, evaluator.run(receiver, scope), budget),
  }
}

function matchIn(pattern: LinearRegExp, text: unknown, budget: Budget): boolean {
  if (typeof text !== 'string') throw new NotText()
  return pattern.test(text, (states) => budget.spend(states / statesPerUnit))
}

class NotText extends Error {
  readonly code = 'not_a_string'
}
