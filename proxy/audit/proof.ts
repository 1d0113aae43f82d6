// Owns inclusion and consistency proofs over an RFC 6962 tree: making them from all leaf hashes, and checking them from
// nothing but sizes and roots (RFC 9162 §2.1.3 and §2.1.4).
import { emptyRoot, hashBytes, nodeHash } from './tree.ts'

export function rootOf(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves
  if (only === undefined) return emptyRoot
  if (leaves.length === 1) return only
  const split = splitOf(leaves.length)
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)))
}

/** Sibling hashes from the leaf up; `index` must be below `leaves.length`. */
export function proveInclusion(leaves: readonly Buffer[], index: number): Buffer[] {
  if (leaves.length <= 1) return []
  const split = splitOf(leaves.length)
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)]
  return index < split
    ? [...proveInclusion(left, index), rootOf(right)]
    : [...proveInclusion(right, index - split), rootOf(left)]
}

export type InclusionClaim = {
  readonly leaf: Buffer
  readonly index: number
  readonly size: number
  readonly root: Buffer
}

export function checkInclusion({ leaf, index, size, root }: InclusionClaim, proof: readonly Buffer[]): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || leaf.length !== hashBytes) return false
  let [node, position, last] = [leaf, index, size - 1]
  for (const sibling of proof) {
    if (last === 0) return false
    if (position % 2 === 1 || position === last) {
      node = nodeHash(sibling, node)
      while (position % 2 === 0 && position !== 0) [position, last] = [half(position), half(last)]
    } else {
      node = nodeHash(node, sibling)
    }
    ;[position, last] = [half(position), half(last)]
  }
  return last === 0 && node.equals(root)
}

/** Proof that the first `size` leaves are a prefix of all of them; 0 < size <= leaves.length. */
export function proveConsistency(leaves: readonly Buffer[], size: number): Buffer[] {
  return subproof(leaves, size, true)
}

export type ConsistencyClaim = {
  readonly oldSize: number
  readonly oldRoot: Buffer
  readonly newSize: number
  readonly newRoot: Buffer
}

/** There is no proof from an empty tree: it is a prefix of every tree. */
export function checkConsistency(claim: ConsistencyClaim, proof: readonly Buffer[]): boolean {
  const { oldSize, oldRoot, newSize, newRoot } = claim
  if (!isCount(oldSize) || !isCount(newSize) || oldSize > newSize || oldSize === 0) return false
  if (oldSize === newSize) return proof.length === 0 && oldRoot.equals(newRoot)
  // A perfect old tree is its own first node, which the proof leaves out.
  const [first, ...rest] = Number.isInteger(Math.log2(oldSize)) && proof.length > 0 ? [oldRoot, ...proof] : proof
  if (first === undefined) return false
  let [position, last] = [oldSize - 1, newSize - 1]
  while (position % 2 === 1) [position, last] = [half(position), half(last)]
  let [oldNode, newNode] = [first, first]
  for (const node of rest) {
    if (last === 0) return false
    if (position % 2 === 1 || position === last) {
      oldNode = nodeHash(node, oldNode)
      newNode = nodeHash(node, newNode)
      while (position % 2 === 0 && position !== 0) [position, last] = [half(position), half(last)]
    } else {
      newNode = nodeHash(newNode, node)
    }
    ;[position, last] = [half(position), half(last)]
  }
  return last === 0 && oldNode.equals(oldRoot) && newNode.equals(newRoot)
}

function subproof(leaves: readonly Buffer[], size: number, whole: boolean): Buffer[] {
  if (size === leaves.length) return whole ? [] : [rootOf(leaves)]
  const split = splitOf(leaves.length)
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)]
  return size <= split
    ? [...subproof(left, size, whole), rootOf(right)]
    : [...subproof(right, size - split, false), rootOf(left)]
}

/** The largest power of two below `count`, for count > 1. */
function splitOf(count: number): number {
  let split = 1
  while (split * 2 < count) split *= 2
  return split
}

function half(value: number): number {
  return Math.floor(value / 2)
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
