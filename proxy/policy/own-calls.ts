// Owns putting calls of our own in the place of the library's, in a parsed tree: for functions, whose macros cannot be
// registered anew as those of methods are (see bounded-loops.ts), and for methods without arguments, which can be none.
import type { ASTNode } from '@marcbachmann/cel-js'
import { partsOf } from './expression-nodes.ts'
import type { Checker, Evaluator, Scope, Type } from './macro.ts'

export type CallNode = Extract<ASTNode, { op: 'call' | 'rcall' }>
export type OwnCall = {
  readonly async: false
  typeCheck(checker: Checker, macro: unknown, scope: Scope): Type
  evaluate(evaluator: Evaluator, macro: unknown, scope: Scope): unknown
}

/** By name and number of arguments, methods with a dot: `has/1`, `.getDayOfYear/0`. One may refuse by a ParseError. */
export type OwnCalls = ReadonlyMap<string, (call: CallNode) => OwnCall>

/** The tree must not have been checked or evaluated yet. */
export function bindOwnCalls(root: ASTNode, calls: OwnCalls): void {
  if (root.op === 'call' || root.op === 'rcall') {
    const own = calls.get(signatureOf(root))
    if (own !== undefined) (root as ASTNode & MacroNode).setMeta('macro', own(root))
  }
  for (const part of partsOf(root)) bindOwnCalls(part, calls)
}

/** Where the library keeps what its parser made of a call. */
type MacroNode = { setMeta(key: 'macro', macro: OwnCall): unknown }

function signatureOf(call: CallNode): string {
  return call.op === 'call' ? `${call.args[0]}/${call.args[1].length}` : `.${call.args[0]}/${call.args[2].length}`
}
