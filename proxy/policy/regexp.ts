// Owns regular expressions that cannot be made slow: RE2's syntax without look-around and back-references, run as a set
// of states that moves over the text once. The work is counted, so the caller decides how much a match may cost.
import { parseRegExp, type Assertion, type Node, type Range } from '../lib/regexp-syntax.ts'

export type LinearRegExp = {
  /**
   * Whether the pattern matches anywhere in the text. `spend` is called with the number of states looked at and may throw
   * to stop the search.
   */
  test(text: string, spend: (states: number) => void): boolean
}

type Instruction =
  | { readonly op: 'ranges'; readonly ranges: readonly Range[]; next: number }
  | { readonly op: 'split'; next: number; other: number }
  | { readonly op: 'assert'; readonly assertion: Assertion; next: number }
  | { readonly op: 'match' }

/** Largest program; `a{1000}{1000}` is refused at load, not run. */
const instructionsMax = 1000

/** The compiled pattern, or what is wrong with it and where (UTF-16 offset into the pattern). */
export function compileRegExp(pattern: string): LinearRegExp | { readonly error: string; readonly offset: number } {
  const parsed = parseRegExp(pattern)
  if ('error' in parsed) return parsed
  const program: Instruction[] = []
  try {
    emit(parsed.node, program)
  } catch (error) {
    if (error instanceof ProgramTooLarge)
      return { error: `the pattern needs more than ${instructionsMax} states`, offset: 0 }
    throw error
  }
  program.push({ op: 'match' })
  return { test: (text, spend) => run(program, text, spend) }
}

class ProgramTooLarge extends Error {}

/** Appends the instructions for a node; each fragment falls through to the instruction after it. */
function emit(node: Node, program: Instruction[]): void {
  if (program.length > instructionsMax) throw new ProgramTooLarge()
  switch (node.kind) {
    case 'ranges':
      program.push({ op: 'ranges', ranges: node.ranges, next: program.length + 1 })
      return
    case 'assert':
      program.push({ op: 'assert', assertion: node.assertion, next: program.length + 1 })
      return
    case 'sequence':
      for (const part of node.parts) emit(part, program)
      return
    case 'choice':
      emitChoice(node.options, program)
      return
    case 'repeat':
      emitRepeat(node.part, node.min, node.max, program)
  }
}

function emitChoice(options: readonly Node[], program: Instruction[]): void {
  const exits: { next: number }[] = []
  options.forEach((option, index) => {
    if (index === options.length - 1) return emit(option, program)
    const split: Instruction = { op: 'split', next: program.length + 1, other: 0 }
    program.push(split)
    emit(option, program)
    const exit: Instruction = { op: 'split', next: 0, other: 0 }
    program.push(exit)
    exits.push(exit)
    split.other = program.length
  })
  for (const exit of exits) Object.assign(exit, { next: program.length, other: program.length })
}

function emitRepeat(part: Node, min: number, max: number | undefined, program: Instruction[]): void {
  for (let count = 0; count < min; count++) emit(part, program)
  if (max === undefined) {
    const split: Instruction = { op: 'split', next: program.length + 1, other: 0 }
    const start = program.length
    program.push(split)
    emit(part, program)
    program.push({ op: 'split', next: start, other: start })
    split.other = program.length
    return
  }
  const exits: { other: number }[] = []
  for (let count = min; count < max; count++) {
    const split: Instruction = { op: 'split', next: program.length + 1, other: 0 }
    program.push(split)
    exits.push(split)
    emit(part, program)
  }
  for (const exit of exits) exit.other = program.length
}

function run(program: readonly Instruction[], text: string, spend: (states: number) => void): boolean {
  const search = new Search(program, text)
  const first = program[0]
  const anchored = first?.op === 'assert' && first.assertion === 'start'
  for (;;) {
    // Unanchored: a match may begin at every position.
    if (search.add(0)) return true
    spend(search.visited)
    search.visited = 0
    if (search.position >= text.length || (anchored && search.current.length === 0)) return false
    if (search.step()) return true
  }
}

/** The states that are alive at one position of a text. */
class Search {
  current: number[] = []
  position = 0
  /** States looked at since the caller last set it to zero. */
  visited = 0
  #next: number[] = []
  readonly #pending: number[] = []
  /** Position at which a state was last listed: it is listed once per position. */
  readonly #marks: Int32Array
  readonly #program: readonly Instruction[]
  readonly #text: string

  constructor(program: readonly Instruction[], text: string) {
    this.#program = program
    this.#text = text
    this.#marks = new Int32Array(program.length).fill(-1)
  }

  /** Moves over one code point; true when that completes a match. */
  step(): boolean {
    const from = this.current
    this.current = this.#next
    this.#next = from
    this.current.length = 0
    const code = this.#text.codePointAt(this.position) ?? 0
    this.position += code > 0xffff ? 2 : 1
    for (const state of from) {
      const instruction = this.#program[state]
      if (instruction?.op === 'ranges' && inRanges(instruction.ranges, code) && this.add(instruction.next)) return true
    }
    return false
  }

  /** Lists a state and all that follow from it without consuming anything; true when the end of the program is one. */
  add(start: number): boolean {
    const pending = this.#pending
    pending.length = 0
    pending.push(start)
    for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
      this.visited++
      if (this.#marks[state] === this.position) continue
      this.#marks[state] = this.position
      const instruction = this.#program[state]
      if (instruction === undefined) continue
      if (instruction.op === 'match') return true
      if (instruction.op === 'ranges') this.current.push(state)
      else if (instruction.op === 'split') pending.push(instruction.other, instruction.next)
      else if (holds(instruction.assertion, this.#text, this.position)) pending.push(instruction.next)
    }
    return false
  }
}

function inRanges(ranges: readonly Range[], code: number): boolean {
  for (const [low, high] of ranges) if (code >= low && code <= high) return true
  return false
}

function holds(assertion: Assertion, text: string, position: number): boolean {
  if (assertion === 'start') return position === 0
  if (assertion === 'end') return position === text.length
  const boundary = isWord(text.charCodeAt(position - 1)) !== isWord(text.charCodeAt(position))
  return assertion === 'boundary' ? boundary : !boundary
}

/** NaN, which stands for before the start and after the end, is not a word character. */
function isWord(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95
}
