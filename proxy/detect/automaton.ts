// Owns finding many literals in one pass: Aho–Corasick over a dense table, ASCII case folded.

/**
 * A state is the index of its row in `next`, where the entry for a symbol is the next state, with `hitFlag` when that one
 * ends a literal.
 */
export type Automaton = {
  readonly next: Uint32Array
  readonly symbols: Uint8Array
  /** By number of a row: indexes into the literals that end there. */
  readonly hits: readonly (readonly number[])[]
  /** By number of a row: how long the longest beginning of a literal is that ends here. */
  readonly depths: Uint8Array
}

export const symbolBits = 6
/** Entries have as many bits to spare as a row is long. */
export const hitFlag = 0x20
export const stateMask = 0x1fffc0

/** Most rules of a configuration look for the same, and so does the one that is loaded next: a table is 1 MB. */
const compiled = new Map<string, Automaton>()
const compiledMax = 4

/** Literals are ASCII, at most 255 long, with fewer than 64 different characters among them. */
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
  const symbols = assignSymbols(literals)
  const states: State[] = [newState(0)]
  literals.forEach((literal, index) => insert(states, symbols, literal, index))
  const next = new Uint16Array(states.length << symbolBits)
  linkFailures(states, next)
  const ordered = byDepth(states, next)
  const isHit = Uint8Array.from(ordered, ({ hits }) => (hits.length > 0 ? hitFlag : 0))
  return {
    next: entriesOf(next, isHit),
    symbols,
    hits: ordered.map((s) => s.hits),
    depths: Uint8Array.from(ordered, (s) => s.depth),
  }
}

/** Not by `from`, which makes an array of all values first: 15 MB of what is resident after a start. */
function entriesOf(targets: Uint16Array, isHit: Uint8Array): Uint32Array {
  const entries = new Uint32Array(targets.length)
  for (let at = 0; at < targets.length; at++) {
    const target = targets[at] as number
    entries[at] = (target << symbolBits) | (isHit[target] as number)
  }
  return entries
}

type State = { readonly depth: number; readonly children: Map<number, number>; readonly hits: number[] }

function newState(depth: number): State {
  return { depth, children: new Map(), hits: [] }
}

/** Symbol 0 is every character that no literal has. */
function assignSymbols(literals: readonly string[]): Uint8Array {
  const symbols = new Uint8Array(128)
  let count = 0
  // Those of words lie side by side in the table.
  for (const character of [...new Set(literals.join('').toLowerCase())].sort().reverse()) {
    const code = character.charCodeAt(0)
    count++
    if (code >= 128 || count >= 1 << symbolBits) throw new RangeError('literals have too many different characters')
    symbols[code] = count
    symbols[character.toUpperCase().charCodeAt(0)] = count
  }
  return symbols
}

function insert(states: State[], symbols: Uint8Array, literal: string, index: number): void {
  let state = 0
  for (let i = 0; i < literal.length; i++) {
    const symbol = symbols[literal.charCodeAt(i)] ?? 0
    const children = states[state]?.children ?? new Map<number, number>()
    let child = children.get(symbol)
    if (child === undefined) {
      child = states.push(newState(i + 1)) - 1
      if (child > stateMask >> symbolBits) throw new RangeError('too many literals')
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

/** Numbers the states anew, the shallow ones first: most text stays among them, so they had better share the caches. */
function byDepth(states: readonly State[], next: Uint16Array): State[] {
  const order = Array.from(states.keys()).sort((a, b) => (states[a]?.depth ?? 0) - (states[b]?.depth ?? 0))
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
