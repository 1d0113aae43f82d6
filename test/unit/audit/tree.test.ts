import { createHash } from 'node:crypto'
import t from 'tap'
import {
  checkConsistency,
  checkInclusion,
  proveConsistency,
  proveInclusion,
  rootOf,
} from '../../../proxy/audit/proof.ts'
import { emptyRoot, Frontier, leafHash, leafHashAt, nodeHash, peakCount } from '../../../proxy/audit/tree.ts'
import { absent, jsonLines, vector } from './support.ts'

const leavesMax = 64
const leaves = Array.from({ length: leavesMax }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)))
const roots = Array.from({ length: leavesMax + 1 }, (_, size) => rootOf(leaves.slice(0, size)))

function root(size: number): Buffer {
  return roots[size] ?? Buffer.alloc(0)
}

t.test('hashes are those of RFC 6962', async (t) => {
  const sha256 = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
  t.same(emptyRoot, sha256())
  t.same(leafHash(Buffer.from('x')), sha256(Buffer.of(0), Buffer.from('x')))
  t.same(nodeHash(root(1), root(2)), sha256(Buffer.of(1), root(1), root(2)))
  const line = Buffer.from('\nline')
  t.same(leafHashAt(line, 1, 5), sha256(Buffer.of(0), Buffer.from('line')))
  t.equal(line.toString(), '\nline', 'the borrowed byte is given back')
})

t.test('a frontier knows the root at every size, also when it is taken up again', async (t) => {
  let frontier = new Frontier()
  t.same(frontier.root(), emptyRoot)
  for (const [index, leaf] of leaves.entries()) {
    frontier.append(leaf)
    t.ok(frontier.root().equals(root(index + 1)), `size ${index + 1}`)
    t.equal(frontier.state().peaks.length, peakCount(index))
    t.same(frontier.last, leaf)
    frontier = new Frontier(frontier.state())
  }
})

t.test('inclusion proofs: each leaf of each tree, and nothing else', async (t) => {
  for (let size = 1; size <= leavesMax; size += 1) {
    for (let index = 0; index < size; index += 1) {
      const proof = proveInclusion(leaves.slice(0, size), index)
      const leaf = leaves[index] ?? Buffer.alloc(32)
      const claim = { leaf, index, size, root: root(size) }
      if (!checkInclusion(claim, proof)) t.fail(`leaf ${index} of ${size}`)
      if (checkInclusion({ ...claim, index: index + 1 }, proof) && size > 1)
        t.fail(`leaf ${index} at ${index + 1} of ${size}`)
      if (checkInclusion({ ...claim, leaf: root(size === 1 ? 2 : size) }, proof)) t.fail('the root for a leaf')
      if (checkInclusion({ ...claim, root: root(size - 1) }, proof)) t.fail('another root')
      if (checkInclusion(claim, [...proof, leaf])) t.fail('a proof that is too long')
      if (proof.length > 0 && checkInclusion(claim, proof.slice(1))) t.fail('a proof that is too short')
    }
  }
  t.notOk(checkInclusion({ leaf: root(1), index: -1, size: 1, root: root(1) }, []))
  t.notOk(checkInclusion({ leaf: root(1), index: 0.5, size: 1, root: root(1) }, []))
})

t.test('consistency proofs: each pair of sizes, and nothing else', async (t) => {
  for (let newSize = 1; newSize <= leavesMax; newSize += 1) {
    for (let oldSize = 1; oldSize <= newSize; oldSize += 1) {
      const proof = proveConsistency(leaves.slice(0, newSize), oldSize)
      const claim = { oldSize, oldRoot: root(oldSize), newSize, newRoot: root(newSize) }
      if (!checkConsistency(claim, proof)) t.fail(`${oldSize} to ${newSize}`)
      if (checkConsistency({ ...claim, oldRoot: root(oldSize - 1) }, proof))
        t.fail(`another old root, ${oldSize} to ${newSize}`)
      if (checkConsistency({ ...claim, newRoot: root(newSize - 1) }, proof))
        t.fail(`another new root, ${oldSize} to ${newSize}`)
      if (checkConsistency(claim, [...proof, root(1)])) t.fail(`too long, ${oldSize} to ${newSize}`)
      if (proof.length > 0 && checkConsistency(claim, proof.slice(0, -1))) t.fail(`too short, ${oldSize} to ${newSize}`)
    }
  }
})

type ProofRow = {
  desc: string
  file: string
  wantErr: boolean
  proof: string[] | null
  leafIdx?: number
  treeSize?: number
  leafHash?: string
  root?: string
  size1?: number
  size2?: number
  root1?: string
  root2?: string
}

function checkRow(row: ProofRow): boolean {
  const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64')
  const proof = (row.proof ?? []).map(bytes)
  if (row.leafIdx !== undefined) {
    const claim = { leaf: bytes(row.leafHash), index: row.leafIdx, size: row.treeSize ?? 0, root: bytes(row.root) }
    return checkInclusion(claim, proof)
  }
  const claim = {
    oldSize: row.size1 ?? 0,
    oldRoot: bytes(row.root1),
    newSize: row.size2 ?? 0,
    newRoot: bytes(row.root2),
  }
  return checkConsistency(claim, proof)
}

const rows = vector('merkle/transparency-dev-proofs.jsonl')
t.test('published proofs', { skip: rows === undefined && absent }, async (t) => {
  const proofs = jsonLines<ProofRow>(rows ?? '')
  t.equal(proofs.length, 196)
  for (const row of proofs) if (checkRow(row) === row.wantErr) t.fail(`${row.file}: ${row.desc}`)
})
