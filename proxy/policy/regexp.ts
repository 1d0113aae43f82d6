// Owns regular expressions that cannot be made slow: RE2's syntax without look-around and back-references, run as a set
// of states that moves over the text once. The work is counted, so the caller decides how much a match may cost.
import { parseRegExp, type Assertion, type Node, type Range } from './regexp-syntax.ts'

export type LinearRegExp = {
  /**
   * Whether the pattern matches anywhere in the text. `spend` is called with the number of states moved and may throw
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
  const marks = new Int32Array(program.length).fill(-1)
  let current: number[] = []
  let next: number[] = []
  let position = 0
  const first = program[0]
  const anchored = first?.op === 'assert' && first.assertion === 'start'
  for (;;) {
    // Unanchored: a match may begin at every position.
    if (addState(program, 0, current, marks, text, position)) return true
    spend(current.length + 1)
    if (position >= text.length || (anchored && current.length === 0)) return false
    const code = text.codePointAt(position) ?? 0
    position += code > 0xffff ? 2 : 1
    for (const state of current) {
      const instruction = program[state]
      if (instruction?.op !== 'ranges' || !inRanges(instruction.ranges, code)) continue
      if (addState(program, instruction.next, next, marks, text, position)) return true
    }
    ;[current, next] = [next, current]
    next.length = 0
  }
}

/** Follows everything that consumes nothing; true when the match is reached. A state is listed once per position. */
function addState(
  program: readonly Instruction[],
  start: number,
  list: number[],
  marks: Int32Array,
  text: string,
  position: number,
): boolean {
  const pending = [start]
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    if (marks[state] === position) continue
    marks[state] = position
    const instruction = program[state]
    if (instruction === undefined) continue
    if (instruction.op === 'match') return true
    if (instruction.op === 'ranges') list.push(state)
    else if (instruction.op === 'split') pending.push(instruction.other, instruction.next)
    else if (holds(instruction.assertion, text, position)) pending.push(instruction.next)
  }
  return false
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
