// Owns the hashes of an RFC 6962 Merkle tree and its frontier: what must be kept to append to a tree and to know its
// root. It does not know what a leaf holds, nor how proofs are made.
import { hash } from 'node:crypto'
import { sha256 } from '../lib/sha256.ts'

export const hashBytes = 32

/** The root of a tree without leaves. */
export const emptyRoot: Buffer = sha256(Buffer.alloc(0))

export function leafHash(leaf: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(leaf.length + 1)
  input.set(leaf, 1)
  return leafHashAt(input, 1, input.length)
}

/**
 * The hash of the leaf at `start` up to `end`, without copying it: the byte before `start` (there must be one) is
 * borrowed for the 0x00 that sets leaves apart from nodes, and given back.
 */
export function leafHashAt(bytes: Buffer, start: number, end: number): Buffer {
  const borrowed = bytes[start - 1] ?? 0
  bytes[start - 1] = 0
  const leaf = sha256(bytes.subarray(start - 1, end))
  bytes[start - 1] = borrowed
  return leaf
}

/** The same in base64, as the next line says it; the byte before `start` is left 0x00. */
export function leafTextAt(bytes: Buffer, start: number, end: number): string {
  bytes[start - 1] = 0
  return hash('sha256', bytes.subarray(start - 1, end), 'base64')
}

// Hashing is synchronous, so one input buffer serves every node.
const nodeInput = Buffer.alloc(65, 1)

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1)
  nodeInput.set(right, 33)
  return sha256(nodeInput)
}

/** What a frontier is made of; see `Frontier`. `last` is absent only when `size` is 0. */
export type FrontierState = { readonly size: number; readonly last?: Buffer; readonly peaks: readonly Buffer[] }

/**
 * The right edge of a growing tree: its last leaf, and the roots of the perfect subtrees that make up the tree without
 * that leaf, largest first. Kept apart like this, the peaks are also the inclusion proof of the last leaf.
 */
export class Frontier {
  #size: number
  #last: Buffer | undefined
  #peaks: Buffer[]

  constructor(state: FrontierState = { size: 0, peaks: [] }) {
    this.#size = state.size
    this.#last = state.last
    this.#peaks = [...state.peaks]
  }

  get size(): number {
    return this.#size
  }

  /** Leaf hash of the newest leaf; undefined in an empty tree. */
  get last(): Buffer | undefined {
    return this.#last
  }

  append(leaf: Buffer): void {
    if (this.#last !== undefined) this.#merge(this.#last, this.#size - 1)
    this.#last = leaf
    this.#size += 1
  }

  root(): Buffer {
    if (this.#last === undefined) return emptyRoot
    return this.#peaks.reduceRight((right, left) => nodeHash(left, right), this.#last)
  }

  state(): FrontierState {
    const peaks = [...this.#peaks]
    return this.#last === undefined ? { size: this.#size, peaks } : { size: this.#size, last: this.#last, peaks }
  }

  /** Each trailing one bit of the count before is a perfect subtree that the new leaf completes. */
  #merge(leaf: Buffer, count: number): void {
    let node = leaf
    for (let rest = count; rest % 2 === 1; rest = (rest - 1) / 2) node = nodeHash(this.#peaks.pop() ?? node, node)
    this.#peaks.push(node)
  }
}

/** How many peaks a tree of `count` leaves has: one for each bit that is set. */
export function peakCount(count: number): number {
  let peaks = 0
  for (let rest = count; rest > 0; rest = Math.floor(rest / 2)) peaks += rest % 2
  return peaks
}
