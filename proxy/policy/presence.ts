// Owns `has` in CEL: whether there is a field, asked of something that can have fields. The library's own says no where
// what stands before the field is a list, a text or null, and a deny rule that asks first would let such arguments pass.
import type { ASTNode } from '@marcbachmann/cel-js'
import { partsOf } from './expression-nodes.ts'
import type { Checker, Evaluator, Scope, Type } from './macro.ts'

/**
 * Puts ours in the place of the library's, in a tree that was neither checked nor evaluated yet. A macro of a method can be
 * registered anew (see bounded-loops.ts), that of a function cannot.
 */
export function bindPresence(root: ASTNode): void {
  if (root.op === 'call' && root.args[0] === 'has') (root as ASTNode & MacroNode).setMeta('macro', presence(root))
  for (const part of partsOf(root)) bindPresence(part)
}

/** Where the library keeps what its parser made of a call. */
type MacroNode = { setMeta(key: 'macro', macro: object): unknown }

function presence(call: Extract<ASTNode, { op: 'call' }>) {
  const [asked] = call.args[1]
  return {
    async: false,
    typeCheck(checker: Checker, _macro: unknown, scope: Scope): Type {
      if (asked?.op !== '.')
        throw checker.createError(
          'invalid_macro_argument',
          'has() asks for a field, as in has(args.name)',
          asked ?? call,
        )
      checker.check(asked, scope)
      return checker.getType('bool')
    },
    evaluate(evaluator: Evaluator, _macro: unknown, scope: Scope): unknown {
      if (asked?.op !== '.') throw evaluator.createError('invalid_macro_argument', 'not a field', call)
      const [holder, field] = asked.args
      const object = evaluator.run(holder, scope)
      const type = evaluator.debugType(object)
      if (type.kind !== 'map' && type.kind !== 'message')
        throw evaluator.createError('not_a_map', 'only a map has fields', holder)
      return type.fieldLazy(object, field, asked, evaluator) !== undefined
    },
  }
}
