// Owns the part of the CEL library's macro interface that is used here: what a macro is given, at parse, at the type check
// and at evaluation. The library hands these over untyped.
import type { ASTNode } from '@marcbachmann/cel-js'

export type Type = { readonly kind: string; readonly name: string; readonly valueType?: Type; readonly keyType?: Type }
export type Scope = {
  forkWithVariable(name: string, type: Type): Scope
  reuse(parent: Scope): Scope
  setIterValue(value: unknown, evaluator: Evaluator): Scope
}
export type Checker = {
  check(node: ASTNode, scope: Scope): Type
  getType(name: string): Type
  createError(code: string, message: string, node: ASTNode): Error
  readonly registry: { getListType(type: Type): Type }
}
export type Evaluator = {
  run(node: ASTNode, scope: Scope): unknown
  /** The type of a value, in which its fields can be asked for: undefined for one that is absent. */
  debugType(
    value: unknown,
  ): Type & { fieldLazy(value: unknown, name: string, node: ASTNode, evaluator: Evaluator): unknown }
  createError(code: string, message: string, node: ASTNode): Error
}
export type Call = { readonly args: readonly ASTNode[]; readonly receiver: ASTNode }
