// Owns the reading of JSON by position: where in the source text the values at given paths stand. It takes text that
// lib/json.ts has accepted, and does not check it again.
import type { Path } from './pointer.ts'

/** A set of paths as a tree, so that one pass over the text finds all of them. */
export type PathTree<Leaf> = { readonly members: Map<string | number, PathTree<Leaf>>; leaf: Leaf | undefined }

export function pathTree<Leaf>(): PathTree<Leaf> {
  return { members: new Map(), leaf: undefined }
}

/** The node at a path, made where it is missing. */
export function nodeAt<Leaf>(tree: PathTree<Leaf>, path: Path): PathTree<Leaf> {
  let node = tree
  for (const step of path) {
    let next = node.members.get(step)
    if (next === undefined) {
      next = pathTree()
      node.members.set(step, next)
    }
    node = next
  }
  return node
}

/** The source text of the values at the paths, in their order; undefined where there is none. */
export function sourcesAt(text: string, paths: readonly Path[]): (string | undefined)[] {
  const tree = pathTree<number[]>()
  for (const [index, path] of paths.entries()) {
    const node = nodeAt(tree, path)
    node.leaf = [...(node.leaf ?? []), index]
  }
  const sources: (string | undefined)[] = paths.map(() => undefined)
  const visit = (node: PathTree<number[]>, start: number): number => {
    const end = isContainer(text, start) && node.members.size > 0 ? descend(node, start) : valueEnd(text, start)
    for (const index of node.leaf ?? []) sources[index] = text.slice(start, end)
    return end
  }
  const descend = (node: PathTree<number[]>, start: number): number =>
    eachMember(text, start, (step, _keyStart, valueStart) => {
      const child = node.members.get(step)
      return child === undefined ? valueEnd(text, valueStart) : visit(child, valueStart)
    })
  visit(tree, skipSpace(text, 0))
  return sources
}

/** Called for each member in order; returns where the member's value ends. `keyStart` is -1 in an array. */
export type VisitMember = (step: string | number, keyStart: number, valueStart: number) => number

/** Walks the array or object that opens at `start`; returns the index after its closing bracket. */
export function eachMember(text: string, start: number, visit: VisitMember): number {
  const object = text.charCodeAt(start) === 0x7b
  let at = skipSpace(text, start + 1)
  for (let index = 0; !isCloser(text.charCodeAt(at)) && at < text.length; index += 1) {
    let end: number
    if (object) {
      const keyEnd = stringEnd(text, at)
      const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1)
      end = visit(decodeString(text.slice(at, keyEnd)), at, valueStart)
    } else end = visit(index, -1, at)
    at = skipSpace(text, end)
    if (text.charCodeAt(at) === 0x2c) at = skipSpace(text, at + 1)
  }
  return at + 1
}

export function isContainer(text: string, start: number): boolean {
  const c = text.charCodeAt(start)
  return c === 0x7b || c === 0x5b
}

/** The index after the value that begins at `start`, without recursion. */
export function valueEnd(text: string, start: number): number {
  if (text.charCodeAt(start) === 0x22) return stringEnd(text, start)
  if (!isContainer(text, start)) return scalarEnd(text, start)
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const c = text.charCodeAt(at)
    if (c === 0x22) at = stringEnd(text, at) - 1
    else if (c === 0x7b || c === 0x5b) depth += 1
    else if (isCloser(c)) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return text.length
}

/** The index after the closing quote of the string whose opening quote stands at `start`; the text's end if unclosed. */
export function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes += 1
    if (backslashes % 2 === 0) return end + 1
    end = text.indexOf('"', end + 1)
  }
  return text.length
}

export function skipSpace(text: string, from: number): number {
  let at = from
  while (isSpace(text.charCodeAt(at))) at += 1
  return at
}

/** A string token with its quotes, decoded. */
export function decodeString(source: string): string {
  return source.includes('\\') ? (JSON.parse(source) as string) : source.slice(1, -1)
}

function scalarEnd(text: string, start: number): number {
  let at = start
  for (; at < text.length; at += 1) {
    const c = text.charCodeAt(at)
    if (c === 0x2c || isCloser(c) || isSpace(c)) break
  }
  return at
}

function isCloser(c: number): boolean {
  return c === 0x7d || c === 0x5d
}

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09
}
