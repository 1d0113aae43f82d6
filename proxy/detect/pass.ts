// Owns the one pass over a text: literals and digit runs are noticed in the same loop, and only there detectors are
// asked. It does not know what detectors look for, nor what happens to what they find.
import { compileAutomaton, hitFlag, stateMask, symbolBits, type Automaton } from './automaton.ts'
import { startsWord } from './boundary.ts'
import { isCapital, isDigit, isLetter, type CharacterClass } from './characters.ts'
import { contextLiteralLengthMax, type ContextWords } from './context-words.ts'
import { numberDigitsMin, type Detector } from './detector.ts'
import { isRunUnit } from './normalise-digits.ts'
import type { EncodedRuns } from './normalise-runs.ts'
import { longLengthMax } from './long-run.ts'
import { isSeparator, numberDigitsRead } from './number-run.ts'
import { contextBefore, Probe } from './probe.ts'

const symbolMask = (1 << symbolBits) - 1
const capitalFlag = 0x40
const digitFlag = 0x80
const firstFlags = capitalFlag | digitFlag
/** On units that do not end a run of encoded text; and on those that do not end a word. */
const runFlag = 0x100
const wordFlag = 0x200
/** From these to those that are not looked at as long as they stand together. */
const quietShift = 2
/** Long texts are gone over in parts, because a function that is called often is compiled sooner and better. */
const chunkLength = 1 << 13
const neverHeard = -0x10000

export class Pass {
  readonly #automaton: Automaton
  /** Those of the automaton, and flags. */
  readonly #symbols: Uint16Array
  /** By state of the automaton: who is woken. */
  readonly #woken: readonly (readonly Woken[])[]
  /** By how many digits stand together first: whose numbers begin so. */
  readonly #numbers: readonly (readonly Detector[])[]
  /** Whose words are listened for. */
  readonly #contexts: readonly ContextWords[]
  /** Shorter numbers interest nobody. */
  readonly #digitsMin: number
  readonly #codes: readonly Detector[]
  readonly #tails: readonly Detector[]
  readonly #sweeping: readonly Detector[]
  readonly probe = new Probe()
  /** Some unit of the text that `run` went over is beyond ASCII. */
  isAscii = true
  #depth = 0

  readonly #runs: EncodedRuns | undefined

  /** Into `runs` goes where encoded text may stand. */
  constructor(chosen: readonly Detector[], runs?: EncodedRuns) {
    this.#runs = runs
    const contexts = new Set(chosen.flatMap(({ context }) => (context === undefined ? [] : [context])))
    const woken = [...chosen.flatMap(wokenBy), ...Array.from(contexts, heardBy).flat()]
    this.#automaton = compileAutomaton(woken.map(({ literal }) => literal.toLowerCase()))
    this.#symbols = Uint16Array.from(this.#automaton.symbols, (symbol, code) => {
      const first = isDigit(code) ? digitFlag : runs !== undefined && isCapital(code) ? capitalFlag : 0
      return symbol | first | (isRunUnit(code) ? runFlag : 0) | (isDigit(code) || isLetter(code) ? wordFlag : 0)
    })
    this.#woken = this.#automaton.hits.map((hits) => hits.flatMap((hit) => woken[hit] ?? []))
    const numbers = chosen.filter((d) => d.digits === 'number')
    this.#numbers = Array.from({ length: numberDigitsRead + 1 }, (_, length) =>
      numbers.filter(({ firstLengths }) => firstLengths?.includes(length) ?? true),
    )
    this.#contexts = [...contexts]
    this.#digitsMin = Math.min(...numbers.map((d) => d.digitsMin ?? numberDigitsMin))
    this.#codes = chosen.filter((d) => d.digits === 'code')
    this.#tails = chosen.filter((d) => d.tailStart !== undefined)
    this.#sweeping = chosen.filter((d) => d.sweep !== undefined)
  }

  /** What is found is in the probe afterwards. Only what wakes somebody in one of the ranges counts; they are in order. */
  run(text: string, final: boolean, ranges: readonly { readonly from: number; readonly to: number }[]): void {
    this.probe.open(text, final)
    this.#runs?.clear()
    this.isAscii = true
    this.#depth = 0
    for (const { from, to } of ranges) {
      // What stands before is not gone over, so any of the words may end there, or go on here.
      const heardTo = from === 0 ? neverHeard : from + contextLiteralLengthMax
      for (const { id } of this.#contexts) this.probe.heardTo[id] = heardTo
      let state = 0
      for (let at = from; at < to; at += chunkLength)
        state = this.#walk(text, at, Math.min(to, at + chunkLength), state)
      if (to === text.length) this.#depth = this.#automaton.depths[state] ?? 0
    }
    for (const detector of this.#sweeping) detector.sweep?.(this.probe, ranges[0]?.from ?? text.length)
  }

  /** How long a value may be that a name gives away: of words that are only listened for it follows closely. */
  toldBy(name: string): number {
    const { next } = this.#automaton
    let state = 0
    let length = 0
    this.probe.open(name, true)
    for (let at = 0; at < name.length; at++) {
      const code = name.charCodeAt(at)
      const symbol = code < 128 ? (this.#symbols[code] as number) & symbolMask : 0
      const entry = next[(state << symbolBits) | symbol] as number
      state = entry & stateMask
      if (entry < hitFlag) continue
      for (const woken of this.#woken[state] ?? []) {
        if (woken.context !== undefined) length = Math.max(length, contextBefore)
        else if (this.#isLabel(woken, name, at + 1)) return longLengthMax
      }
    }
    return length
  }

  /** The beginnings of values are none. */
  #isLabel({ next, literal, isExact, isWord }: Woken, name: string, end: number): boolean {
    if (next !== undefined || (isExact && !name.startsWith(literal, end - literal.length))) return false
    return !isWord || startsWord(this.probe, end - literal.length)
  }

  /** Of the text that `run` went over: what starts from here on may still begin or change. */
  get undecidedFrom(): number {
    return this.#open(this.probe.undecidedFrom)
  }

  /** The same, but for what gives a foreseen value away. */
  get unclearFrom(): number {
    return this.#open(this.probe.unclearFrom)
  }

  #open(first: number): number {
    const { text } = this.probe
    let from = Math.min(first, text.length - this.#depth)
    for (const detector of this.#tails) from = Math.min(from, detector.tailStart?.(text) ?? from)
    return from
  }

  /** The hot loop. Takes the automaton's state, and returns its last. */
  #walk(text: string, from: number, to: number, first: number): number {
    const { next } = this.#automaton
    const symbols = this.#symbols
    let state = first
    let { isAscii } = this
    let previous = from > 0 && isDigit(text.charCodeAt(from - 1)) ? digitFlag : 0
    let quiet = 0
    for (let i = from; i < to;) {
      let entry = 0
      let symbol = 0
      let first = 0
      // Nothing is called in here, so that everything stays in registers.
      for (; i < to; i++) {
        const code = text.charCodeAt(i)
        if (code < 128) symbol = symbols[code] as number
        else {
          symbol = 0
          isAscii = false
        }
        entry = next[(state << symbolBits) | (symbol & symbolMask)] as number
        state = entry & stateMask
        // Of digits and of capitals that stand together.
        quiet &= symbol
        first = symbol & ~previous & ~(quiet >> quietShift) & firstFlags
        previous = symbol
        if (((entry & hitFlag) | first) !== 0) break
      }
      if (i === to) break
      i++
      if (first === capitalFlag) {
        this.#runs?.atCapital(text, i - 1)
        quiet |= runFlag
      } else if (first === digitFlag) {
        this.#runs?.atDigit(text, i - 1)
        if (this.#atDigits(i - 1)) quiet |= wordFlag
      }
      if (entry >= hitFlag) this.#atLiteral(state, i)
    }
    this.isAscii = isAscii
    return state
  }

  #atLiteral(state: number, end: number): void {
    const probe = this.probe
    const { text } = probe
    for (const { detector, literal, context, next, isExact, isWord } of this.#woken[state] ?? []) {
      // Most of them end here, so nothing is called before these.
      if (next !== undefined && end < text.length) {
        const code = text.charCodeAt(end)
        if (code < 128 ? next.ascii[code] !== 1 : !next.beyond(code)) continue
      }
      const start = end - literal.length
      if (isExact && !text.startsWith(literal, start)) continue
      if (isWord && !startsWord(probe, start)) continue
      if (context !== undefined) probe.heardTo[context.id] = end
      if (detector === undefined) continue
      probe.arm(start)
      detector.find(probe, start, end)
      probe.settle()
    }
  }

  /** Whether nothing can begin at later digits of the same word. */
  #atDigits(start: number): boolean {
    const probe = this.probe
    const previous = probe.before(start)
    if (isLetter(previous)) {
      const place = placeInWord(probe.text, start)
      if (place !== places.mixed) this.#atCode(start)
      // The letter of an escaped line end is no part of a word.
      if (!startsWord(probe, start)) return place !== places.escaped
    }
    if (start < probe.numberEnd) return false
    if (previous === 95 || isGlued(probe, start, previous)) return false
    if (isShortAndAlone(probe.text, start, this.#digitsMin)) return false
    probe.arm(start)
    probe.number.read(probe, start)
    const isRead = probe.settle()
    if (!isRead || !probe.number.isTrifle(this.#digitsMin)) this.#atNumber(start, isRead)
    return false
  }

  #atCode(start: number): void {
    for (const detector of this.#codes) {
      this.probe.arm(start)
      detector.find(this.probe, start, start + 1)
      this.probe.settle()
    }
  }

  #atNumber(start: number, isRead: boolean): void {
    const probe = this.probe
    const { number } = probe
    for (const detector of this.#numbers[number.end - start] ?? []) {
      if (isRead && detector.digitsMin !== undefined && number.digits < detector.digitsMin) continue
      // What was read for all of them may go on, and for some the value starts at a sign before the digits.
      const count = probe.candidates.length
      probe.arm(start, !isRead)
      detector.find(probe, start, number.end)
      const isDecided = probe.settle()
      const accepted = probe.candidates[count]
      if (accepted === undefined || !isDecided) continue
      probe.numberEnd = accepted.end
      return
    }
  }
}

/** Who is woken by a literal, and what must be so besides; or whose word was heard. */
type Woken = {
  readonly literal: string
  readonly detector: Detector | undefined
  readonly context: ContextWords | undefined
  readonly next: CharacterClass | undefined
  readonly isExact: boolean
  readonly isWord: boolean
}

function wokenBy(detector: Detector): Woken[] {
  const { triggers = [], next, isCaseSensitive, isAtWordStart } = detector
  const isExact = isCaseSensitive === true
  const isWord = isAtWordStart === true
  return triggers.map((literal) => ({ literal, detector, context: undefined, next, isExact, isWord }))
}

function heardBy(context: ContextWords): Woken[] {
  const whenever = { detector: undefined, next: undefined, isExact: false, isWord: false }
  return context.literals.map((literal) => ({ literal, context, ...whenever }))
}

/**
 * Of digits after letters. `mixed`: digits and letters, letters and digits, all of it is one word, as in a hash, and its
 * values begin where it does. `escaped`: an escape may come before, whose letters and digits are no part of the word.
 */
const places = { first: 0, mixed: 1, escaped: 2 } as const

function placeInWord(text: string, at: number): number {
  let start = at
  while (start > 0 && start > at - wordLettersMax && isLetter(text.charCodeAt(start - 1))) start--
  const letters = start
  if (start === at - wordLettersMax) return places.escaped
  while (start > 0 && start > letters - wordLettersMax && isDigit(text.charCodeAt(start - 1))) start--
  if (start === 0) return places.first
  const before = text.charCodeAt(start - 1)
  if (start < letters && isLetter(before)) return text.charCodeAt(letters - 3) === 37 ? places.escaped : places.mixed
  return before === 37 || before === 92 || isDigit(before) ? places.escaped : places.first
}

const wordLettersMax = 48

/** Fewer digits than anybody asks for, and nothing after them that more digits may follow. */
function isShortAndAlone(text: string, start: number, digitsMin: number): boolean {
  const limit = Math.min(start + digitsMin, text.length)
  for (let i = start + 1; i < limit; i++) {
    const code = text.charCodeAt(i)
    if (!isDigit(code)) return !isSeparator(code)
  }
  return false
}

/** `1.2.3`, `2024-01-15`, `3/4`: the later digits are a part of something that began earlier. */
function isGlued(probe: Probe, start: number, previous: number): boolean {
  return previous >= 45 && previous <= 47 && isDigit(probe.before(start - 1))
}
