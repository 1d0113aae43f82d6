// Owns the quick answer to expressions: comparisons of a caller's and an action's own fields with what is written out,
// and their combinations, as plain functions. Whatever it does not know the form of, or the value of, it leaves open:
// then the expression is evaluated in full, so it never has to say why.
import type { ASTNode } from '@marcbachmann/cel-js'
import { listOf, readerOf, type Glimpse, type List, type Reader, type Scalar } from './expression-reader.ts'
import type { Truth } from './truth.ts'

/** True and false are what the expression gives for every query that this is a glimpse of. */
export type Shortcut = (seen: Glimpse) => Truth

/** Undefined when nothing can be said of any query. The expression must have passed the type check. */
export function compileShortcut(node: ASTNode, entities: ReadonlyMap<string, string>): Shortcut | undefined {
  switch (node.op) {
    case '&&':
      return combine(false, compileShortcut(node.args[0], entities), compileShortcut(node.args[1], entities))
    case '||':
      return combine(true, compileShortcut(node.args[0], entities), compileShortcut(node.args[1], entities))
    case '!_':
      return negate(compileShortcut(node.args, entities))
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compare(comparisons[node.op], readerOf(node.args[0], entities), readerOf(node.args[1], entities))
    case 'in':
      return contain(readerOf(node.args[0], entities), listOf(node.args[1]))
    case 'rcall':
      return compareText(node, entities)
    default: {
      const reader = readerOf(node, entities)
      return reader?.kind === 'bool' ? reader.read : undefined
    }
  }
}

/** One side that is `decisive` decides, even where the other cannot be evaluated (as in the CEL specification). */
function combine(decisive: boolean, left: Shortcut | undefined, right: Shortcut | undefined): Shortcut | undefined {
  if (left === undefined || right === undefined) {
    const only = left ?? right
    return only && ((seen) => (only(seen) === decisive ? decisive : undefined))
  }
  return (seen) => {
    const first = left(seen)
    if (first === decisive) return decisive
    const second = right(seen)
    return second === decisive || first !== undefined ? second : undefined
  }
}

function negate(inner: Shortcut | undefined): Shortcut | undefined {
  if (inner === undefined) return undefined
  return (seen) => {
    const truth = inner(seen)
    return truth === undefined ? undefined : !truth
  }
}

/** The type check has let only operands of like types through, and these are exact: see `whole`. */
const comparisons = {
  '==': (a: Scalar, b: Scalar) => a === b,
  '!=': (a: Scalar, b: Scalar) => a !== b,
  '<': (a: Scalar, b: Scalar) => a < b,
  '<=': (a: Scalar, b: Scalar) => a <= b,
  '>': (a: Scalar, b: Scalar) => a > b,
  '>=': (a: Scalar, b: Scalar) => a >= b,
}

function compare(
  holds: (a: Scalar, b: Scalar) => boolean,
  left: Reader | undefined,
  right: Reader | undefined,
): Shortcut | undefined {
  if (left === undefined || right === undefined || left.kind !== right.kind) return undefined
  return (seen) => {
    const a = left.read(seen)
    const b = right.read(seen)
    return a === undefined || b === undefined ? undefined : holds(a, b)
  }
}

function contain(item: Reader | undefined, list: List | undefined): Shortcut | undefined {
  if (item === undefined || item.kind !== list?.kind) return undefined
  return (seen) => {
    const value = item.read(seen)
    return value === undefined ? undefined : list.read(seen)?.includes(value)
  }
}

function compareText(
  node: Extract<ASTNode, { op: 'rcall' }>,
  entities: ReadonlyMap<string, string>,
): Shortcut | undefined {
  const [method, receiver, [argument]] = node.args
  if ((method !== 'startsWith' && method !== 'endsWith') || argument === undefined) return undefined
  const text = readerOf(receiver, entities)
  const part = readerOf(argument, entities)
  if (text?.kind !== 'string' || part?.kind !== 'string') return undefined
  return (seen) => {
    const wanted = part.read(seen)
    return wanted === undefined ? undefined : text.read(seen)?.[method](wanted)
  }
}
