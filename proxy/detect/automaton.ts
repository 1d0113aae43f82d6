// Owns finding many literals in one pass: Aho–Corasick over a dense table, case folded, Latin letters without their
// accents. Letters of other scripts share symbols, so whoever looks for some must compare what was found (`isSpelled`).
import { isDigit, isForeignLetter, isLetter } from './characters.ts'

export type Automaton = {
  /** The next state, by state in the upper bits and symbol in the lower ones. */
  readonly next: Uint16Array
  /** This state and those after it end literals. */
  readonly hitsFrom: number
  /** By state: indexes into the literals that end there. */
  readonly hits: readonly (readonly number[])[]
  /** By state: how long the longest beginning of a literal is that ends here. */
  readonly depths: Uint8Array
}

export const symbolBits = 6
export const stateBits = 15
/** Beside the symbol of a unit: whether it is a capital, or a digit. */
export const capitalFlag = 0x40
export const digitFlag = 0x80
const caseBit = 32
/** Letters that are a base with a stroke. */
const strokes: Readonly<Record<string, string>> = { ø: 'o', đ: 'd', ħ: 'h', ł: 'l', ŧ: 't', ı: 'i' }

/**
 * By unit: its symbol, which is 0 for those that are in no literal, and flags. One table for all automata, and for all
 * units, because nothing is read quicker than an array that never changes and has no bounds.
 */
export const symbols = new Uint8Array(1 << 16)
// Those of words lie side by side in the automaton's table.
const characters = ' 0123456789_-./:@#$+=~|{}\\abcdefghijklmnopqrstuvwxyz'
for (const [index, character] of Array.from(characters).entries()) {
  const code = character.charCodeAt(0)
  symbols[code] = (index + 1) | (isDigit(code) ? digitFlag : 0)
  if (isLetter(code)) symbols[code - caseBit] = (index + 1) | capitalFlag
}
// Those that Unicode takes apart, and those that only look like it.
for (let code = 0xc0; code < 0x250; code++) {
  const [base = ''] = String.fromCharCode(code).toLowerCase().normalize('NFD')
  symbols[code] = symbols[(strokes[base] ?? base).charCodeAt(0)] as number
}
/** Of the scripts from here on Greek, Cyrillic and Armenian have two cases. */
const otherFrom = 0x370
const casesTo = 0x590
const sharedFrom = characters.length + 1
const shared = (1 << symbolBits) - sharedFrom
for (let code = otherFrom; code < 0xd800; code++) {
  const lower = code < casesTo ? String.fromCharCode(code).toLowerCase().charCodeAt(0) : code
  if (isForeignLetter(code)) symbols[code] = sharedFrom + (lower % shared)
}

/** Whether a literal is known by its symbols alone. */
export function isSpelled(literal: string): boolean {
  for (let i = 0; i < literal.length; i++) if (literal.charCodeAt(i) >= otherFrom) return true
  return false
}

/** Most rules of a configuration look for the same, and so does the one that is loaded next: a table is half a MB. */
const compiled = new Map<string, Automaton>()
const compiledMax = 4

/** Literals are at most 255 long, and all of their characters have symbols. */
export function compileAutomaton(literals: readonly string[]): Automaton {
  const key = literals.join('\0')
  let automaton = compiled.get(key)
  if (automaton === undefined) {
    automaton = compile(literals)
    if (compiled.size >= compiledMax) compiled.clear()
    compiled.set(key, automaton)
  }
  return automaton
}

function compile(literals: readonly string[]): Automaton {
  const states: State[] = [newState(0)]
  literals.forEach((literal, index) => insert(states, literal, index))
  const next = new Uint16Array(states.length << symbolBits)
  linkFailures(states, next)
  const ordered = inOrder(states, next)
  return {
    next,
    hitsFrom: ordered.filter(({ hits }) => hits.length === 0).length,
    hits: ordered.map((s) => s.hits),
    depths: Uint8Array.from(ordered, (s) => s.depth),
  }
}

export function symbolOf(unit: number): number {
  return (symbols[unit] as number) & ((1 << symbolBits) - 1)
}

type State = { readonly depth: number; readonly children: Map<number, number>; readonly hits: number[] }

function newState(depth: number): State {
  return { depth, children: new Map(), hits: [] }
}

function insert(states: State[], literal: string, index: number): void {
  let state = 0
  for (let i = 0; i < literal.length; i++) {
    const code = literal.charCodeAt(i)
    const symbol = code < 128 || code >= otherFrom ? symbolOf(code) : 0
    if (symbol === 0) throw new RangeError(`no literal may have ${JSON.stringify(literal.charAt(i))}`)
    const children = states[state]?.children ?? new Map<number, number>()
    let child = children.get(symbol)
    if (child === undefined) {
      child = states.push(newState(i + 1)) - 1
      if (child >= 1 << stateBits) throw new RangeError('too many literals')
      children.set(symbol, child)
    }
    state = child
  }
  states[state]?.hits.push(index)
}

/** Breadth first, so the state that a failure leads to is complete before it is copied. */
function linkFailures(states: readonly State[], next: Uint16Array): void {
  const width = 1 << symbolBits
  const queue: { readonly state: number; readonly failure: number }[] = [{ state: 0, failure: 0 }]
  for (const { state, failure } of queue) {
    const { children, hits } = states[state] ?? newState(0)
    if (state !== 0) {
      next.copyWithin(state * width, failure * width, (failure + 1) * width)
      hits.push(...(states[failure]?.hits ?? []))
    }
    for (const [symbol, child] of children) {
      queue.push({ state: child, failure: state === 0 ? 0 : (next[failure * width + symbol] ?? 0) })
      next[state * width + symbol] = child
    }
  }
}

/**
 * Numbers the states anew: those that end literals last, and of each kind the shallow ones first. Most text stays among
 * them, so they had better share the caches.
 */
function inOrder(states: readonly State[], next: Uint16Array): State[] {
  const rankOf = ({ depth, hits }: State): number => depth + (hits.length > 0 ? 1 << 8 : 0)
  const ranks = Uint16Array.from(states, rankOf)
  const order = Array.from(states.keys()).sort((a, b) => (ranks[a] ?? 0) - (ranks[b] ?? 0))
  const numbers = new Uint16Array(states.length)
  order.forEach((state, number) => (numbers[state] = number))
  const old = next.slice()
  order.forEach((state, number) => {
    for (let symbol = 0; symbol < 1 << symbolBits; symbol++) {
      next[(number << symbolBits) | symbol] = numbers[old[(state << symbolBits) | symbol] ?? 0] ?? 0
    }
  })
  return order.flatMap((state) => states[state] ?? [])
}
