// Owns what the tree of a pattern tells before any text is seen: how long a match can be, how it must begin, and what the
// beginning of a match looks like. It runs nothing.
import type { Node, Range } from '../lib/regexp-syntax.ts'

/** `*`, `+` and `{n,}` repeat at most this often, so that every match has an end. */
export const openRepeatMax = 128

/** Repeats without an end get one. */
export function bounded(node: Node): Node {
  if (node.kind === 'sequence') return { ...node, parts: node.parts.map(bounded) }
  if (node.kind === 'choice') return { ...node, options: node.options.map(bounded) }
  if (node.kind !== 'repeat') return node
  return { ...node, part: bounded(node.part), max: node.max ?? Math.max(node.min, openRepeatMax) }
}

export function canBeEmpty(node: Node): boolean {
  if (node.kind === 'ranges') return false
  if (node.kind === 'assert') return true
  if (node.kind === 'sequence') return node.parts.every(canBeEmpty)
  if (node.kind === 'choice') return node.options.some(canBeEmpty)
  return node.min === 0 || canBeEmpty(node.part)
}

export function longest(node: Node): number {
  if (node.kind === 'ranges') return node.ranges.some(([, high]) => high > 0xffff) ? 2 : 1
  if (node.kind === 'assert') return 0
  if (node.kind === 'sequence') return node.parts.reduce((sum, part) => sum + longest(part), 0)
  if (node.kind === 'choice') return Math.max(...node.options.map(longest))
  return longest(node.part) * (node.max ?? 0)
}

/** In RE2's syntax, every character by its number, so that nothing means anything else there. */
export function written(node: Node): string {
  if (node.kind === 'ranges') return writtenRanges(node.ranges)
  if (node.kind === 'assert') return assertions[node.assertion]
  if (node.kind === 'sequence') return node.parts.map(written).join('')
  if (node.kind === 'choice') return `(?:${node.options.map(written).join('|')})`
  return `(?:${written(node.part)}){${node.min},${node.max ?? ''}}${node.lazy === true ? '?' : ''}`
}

const assertions = { start: '\\A', end: '\\z', boundary: '\\b', 'not-boundary': '\\B' } as const

function writtenRanges(ranges: readonly Range[]): string {
  const [only] = ranges
  if (ranges.length === 1 && only !== undefined && only[0] === only[1]) return unit(only[0])
  return `[${ranges.map(([low, high]) => (low === high ? unit(low) : `${unit(low)}-${unit(high)}`)).join('')}]`
}

function unit(code: number): string {
  return `\\x{${code.toString(16)}}`
}

/**
 * What every beginning of a match looks like, a whole match included: text that follows may make it longer or take it
 * back. What assertions ask for behind the first character is not known yet, so they hold here.
 */
export function beginningOf(node: Node): Node {
  const rest = [...(node.kind === 'sequence' ? node.parts : [node])]
  const lead: Node[] = []
  while (rest[0]?.kind === 'assert') lead.push(rest.shift() as Node)
  return { kind: 'sequence', parts: [...lead, partOf({ kind: 'sequence', parts: rest })] }
}

function partOf(node: Node): Node {
  if (node.kind === 'ranges' || node.kind === 'assert') return withoutAsserts(node)
  if (node.kind === 'choice') return { kind: 'choice', options: node.options.map(partOf) }
  if (node.kind === 'sequence') return partOfSequence(node.parts)
  const max = node.max ?? 0
  if (max === 0) return nothing
  const part = partOf(node.part)
  if (max === 1) return part
  return { kind: 'sequence', parts: [{ kind: 'repeat', part: withoutAsserts(node.part), min: 0, max: max - 1 }, part] }
}

/** abc: a part of a; or a, then a part of bc. */
function partOfSequence(parts: readonly Node[]): Node {
  const [first, ...rest] = parts
  if (first === undefined) return nothing
  if (rest.length === 0) return partOf(first)
  const later: Node = { kind: 'sequence', parts: [withoutAsserts(first), partOfSequence(rest)] }
  return { kind: 'choice', options: [partOf(first), later] }
}

const nothing: Node = { kind: 'sequence', parts: [] }

function withoutAsserts(node: Node): Node {
  if (node.kind === 'assert') return nothing
  if (node.kind === 'sequence') return { ...node, parts: node.parts.map(withoutAsserts) }
  if (node.kind === 'choice') return { ...node, options: node.options.map(withoutAsserts) }
  return node.kind === 'repeat' ? { ...node, part: withoutAsserts(node.part) } : node
}

/** Characters that the automaton of all detectors knows anyway. */
const prefixUnit = /[a-z0-9_-]/
const prefixLengthMin = 3
const prefixesMax = 16

/** Absent where some match begins with less than wakes nobody by accident. */
export function usefulPrefixes(node: Node): readonly string[] | undefined {
  const { texts } = prefixesOf(node)
  const useful = texts.length <= prefixesMax && texts.every((text) => text.length >= prefixLengthMin)
  return useful ? [...new Set(texts)] : undefined
}

type Prefixes = { readonly texts: readonly string[]; /** What follows may be added. */ readonly whole: boolean }

const noPrefix: Prefixes = { texts: [''], whole: false }

function prefixesOf(node: Node): Prefixes {
  if (node.kind === 'assert') return { texts: [''], whole: true }
  if (node.kind === 'ranges') {
    const text = oneLetter(node.ranges)
    return text === undefined ? noPrefix : { texts: [text], whole: true }
  }
  if (node.kind === 'repeat') {
    const { texts, whole } = node.min === 0 ? noPrefix : prefixesOf(node.part)
    return { texts, whole: whole && node.min === 1 && node.max === 1 }
  }
  if (node.kind === 'choice') {
    const options = node.options.map(prefixesOf)
    return { texts: options.flatMap(({ texts }) => texts), whole: options.every(({ whole }) => whole) }
  }
  let { texts, whole }: Prefixes = { texts: [''], whole: true }
  for (const part of node.parts) {
    if (!whole || texts.length > prefixesMax) break
    const next = prefixesOf(part)
    texts = texts.flatMap((text) => next.texts.map((more) => text + more))
    whole = next.whole
  }
  return { texts, whole }
}

/** In lower case: one character, or one letter in both cases. */
function oneLetter(ranges: readonly Range[]): string | undefined {
  const letters = new Set(ranges.map(([low, high]) => (low === high && low < 128 ? lower(low) : '')))
  const [letter = ''] = letters
  return letters.size === 1 && prefixUnit.test(letter) ? letter : undefined
}

function lower(code: number): string {
  return String.fromCharCode(code).toLowerCase()
}
