// Owns `has` in CEL: whether there is a field, asked of something that can have fields. The library's own says no where
// what stands before the field is a list, a text or null, and a deny rule that asks first would let such arguments pass.
import type { CallNode, OwnCall } from './own-calls.ts'

export function presence(call: CallNode): OwnCall {
  const asked = call.op === 'call' ? call.args[1][0] : undefined
  return {
    async: false,
    typeCheck(checker, _macro, scope) {
      if (asked?.op !== '.') {
        const message = 'has() asks for a field, as in has(args.name)'
        throw checker.createError('invalid_macro_argument', message, asked ?? call)
      }
      checker.check(asked, scope)
      return checker.getType('bool')
    },
    evaluate(evaluator, _macro, scope) {
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
