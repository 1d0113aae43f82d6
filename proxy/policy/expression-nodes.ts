// Owns what stands below a node in the tree of an expression.
import type { ASTNode } from '@marcbachmann/cel-js'

/** The parts of a node that are expressions. */
export function partsOf(node: ASTNode): readonly ASTNode[] {
  if (node.op === 'value' || node.op === 'id') return []
  if (node.op === '.' || node.op === '.?') return [node.args[0]]
  if (node.op === '!_' || node.op === '-_') return [node.args]
  if (node.op === 'map') return node.args.flat()
  if (node.op === 'call') return node.args[1]
  return node.op === 'rcall' ? [node.args[1], ...node.args[2]] : node.args
}
