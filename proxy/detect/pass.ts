// Owns the one pass over a text: literals and digit runs are noticed in the same loop, and only there detectors are
// asked. It does not know what detectors look for, nor what happens to what they find.
import {
  capitalFlag,
  compileAutomaton,
  digitFlag,
  isSpelled,
  symbolBits,
  symbolOf,
  type Automaton,
} from './automaton.ts'
import { startsPart, startsValue, startsWord } from './boundary.ts'
import {
  holds,
  isDigit as sharedIsDigit,
  isLetter as sharedIsLetter,
  wordEnd as sharedWordEnd,
  type CharacterClass,
} from './characters.ts'
import { contextBefore } from './candidate.ts'
import { contextLiteralLengthMax, type ContextWords } from './context-words.ts'
import { numberDigitsMin, type Detector } from './detector.ts'
import type { EncodedRuns } from './normalise-runs.ts'
import { longLengthMax } from './long-run.ts'
import { endsWholeNumber, isSeparator as sharedIsSeparator, numberDigitsRead, slash } from './number-run.ts'
import { Probe } from './probe.ts'
import type { Respelling } from './respelling.ts'
import { findStops, flagsOf, hasForeign, indexOf, stateOf, stopAt, stopCount } from './stops.ts'
import { partBits, takePart } from './units.ts'

/** Asked of nearly every unit that is looked at: what other files own would be looked up each time. */
const isDigit = sharedIsDigit
const isLetter = sharedIsLetter
const wordEnd = sharedWordEnd
const isSeparator = sharedIsSeparator
const newDigit = digitFlag
const newCapital = capitalFlag

type Range = { readonly from: number; readonly to: number }

const neverHeard = -0x10000
/** Long texts are gone over in parts, because a function that is called often is compiled sooner and better. */
const partLength = 1 << partBits

export class Pass {
  readonly #automaton: Automaton
  /** By state of the automaton. */
  readonly #woken: readonly Woken[]
  /** By how many digits stand together first, times ten, and the first of them: whose numbers begin so. */
  readonly #numbers: readonly (readonly Digits[])[]
  /** Whose words are listened for. */
  readonly #contexts: readonly ContextWords[]
  /** Whose a number is that is too far written out to be read. */
  readonly #firstNumber: Detector | undefined
  /** Shorter numbers interest nobody. */
  readonly #digitsMin: number
  readonly #codes: readonly Digits[]
  /** Those who are content with one letter before the digits. */
  readonly #loneCodes: readonly Digits[]
  readonly #tails: readonly Detector[]
  readonly #sweeping: readonly Detector[]
  readonly probe = new Probe()
  /** Some unit of the text that `run` went over is beyond ASCII. */
  isAscii = true
  #depth = 0
  /** Digits before this index are a part of what has been looked at. */
  #digitsFrom = 0
  /** Where the end of the text that `run` went over begins, which may be the beginning of something. */
  #tail = 0
  readonly #runs: EncodedRuns | undefined

  /** Into `runs` goes where encoded text may stand. */
  constructor(chosen: readonly Detector[], runs?: EncodedRuns) {
    this.#runs = runs
    const contexts = new Set(chosen.flatMap((d) => d.contexts ?? []))
    const asked = chosen.flatMap(askedBy)
    const heard = Array.from(contexts, ({ id, literals }) => literals.map((literal) => ({ id, literal }))).flat()
    this.#automaton = compileAutomaton([...asked, ...heard].map(({ literal }) => literal.toLowerCase()))
    this.#woken = this.#automaton.hits.map((hits) =>
      hits.length === 0
        ? nobody
        : newWoken(
            hits.flatMap((hit) => asked[hit] ?? []),
            [...new Set(hits.flatMap((hit) => heard[hit - asked.length]?.id ?? []))],
          ),
    )
    const numbers = chosen.filter((d) => d.digits === 'number')
    const numbersOf = new Map(numbers.map((detector) => [detector, digitsOf(detector)]))
    this.#numbers = Array.from({ length: 10 * (numberDigitsRead + 1) }, (_, index) =>
      numbers.flatMap((detector) => {
        const { initials, firstLengths } = detector
        const isAsked =
          (initials?.includes(`${index % 10}`) ?? true) && (firstLengths?.includes(Math.floor(index / 10)) ?? true)
        return (isAsked && numbersOf.get(detector)) || []
      }),
    )
    this.#firstNumber = numbers[0]
    this.#contexts = [...contexts]
    this.#digitsMin = Math.min(...numbers.map((d) => d.digitsMin ?? numberDigitsMin))
    const codes = chosen.filter((d) => d.digits === 'code')
    this.#codes = codes.map(digitsOf)
    this.#loneCodes = codes.filter(({ lettersMin = 1 }) => lettersMin < 2).map(digitsOf)
    this.#tails = chosen.filter((d) => d.tailStart !== undefined)
    this.#sweeping = chosen.filter((d) => d.sweep !== undefined)
  }

  /**
   * What is found is in the probe afterwards. Only what wakes somebody in one of the ranges counts; they are in order. What
   * begins before `decidedFrom` is nothing to whoever calls.
   */
  run(text: string, final: boolean, ranges: readonly Range[], written?: Respelling, decidedFrom = 0): void {
    this.probe.open(text, final, written, decidedFrom)
    this.#runs?.clear()
    this.isAscii = true
    this.#depth = 0
    this.#digitsFrom = 0
    for (const { from, to } of ranges) {
      // What stands before is not gone over, so any of the words may end there, or go on here.
      const heardTo = from === 0 ? neverHeard : from + contextLiteralLengthMax
      for (const { id } of this.#contexts) this.probe.heardTo[id] = heardTo
      let state = 0
      for (let at = from; at < to; at += partLength) state = this.#walk(at, Math.min(to, at + partLength), state)
      if (to === text.length) this.#depth = this.#automaton.depths[state] ?? 0
    }
    for (const detector of this.#sweeping) detector.sweep?.(this.probe, ranges[0]?.from ?? text.length)
    // Now: the next text takes the place of these units, the same text as it is read among them.
    this.#tail = final ? text.length : this.#findTail()
  }

  /** How long a value may be that a name gives away: of words that are only listened for it follows closely. */
  toldBy(name: string): number {
    const { next, hitsFrom } = this.#automaton
    let state = 0
    let length = 0
    this.probe.open(name, true)
    for (let at = 0; at < name.length; at++) {
      state = next[(state << symbolBits) | symbolOf(name.charCodeAt(at))] as number
      if (state < hitsFrom) continue
      const { asked, heard } = this.#woken[state] as Woken
      if (asked.some((one) => this.#isLabel(one, name, at + 1))) return longLengthMax
      if (heard.length > 0) length = contextBefore
    }
    return length
  }

  /** The beginnings of values are none, unless the name goes on as a value would. */
  #isLabel(asked: Asked, name: string, end: number): boolean {
    const { next, literal, begins } = asked
    const start = end - literal.length
    if (next !== undefined && !holds(next, end < name.length ? name.charCodeAt(end) : -1)) return false
    return isLiteral(asked, name, start) && (begins === undefined || begins(this.probe, start))
  }

  /** Of the text that `run` went over: what starts from here on may still begin or change. */
  get undecidedFrom(): number {
    return Math.min(this.probe.undecidedFrom, this.#tail)
  }

  /** The same, but for what gives a foreseen value away. */
  get unclearFrom(): number {
    return Math.min(this.probe.unclearFrom, this.#nearTail)
  }

  get openFrom(): number {
    return Math.min(this.probe.openFrom, this.#nearTail)
  }

  get unclearBeforeFirst(): number {
    return Math.min(this.probe.unclearBeforeFirst, this.#nearTail)
  }

  /** As much of it as is waited for. */
  get #nearTail(): number {
    return this.probe.nearest(this.#tail, this.probe.text.length)
  }

  /** What stands at the end may be the beginning of something, whoever has been asked. */
  #findTail(): number {
    const { text, units } = this.probe
    let from = text.length - this.#depth
    for (const detector of this.#tails) from = Math.min(from, detector.tailStart?.(units, text.length) ?? from)
    return from
  }

  /** Takes the automaton's state, and returns its last. */
  #walk(from: number, to: number, first: number): number {
    const { probe } = this
    const automaton = this.#automaton
    const { hitsFrom } = automaton
    const before = from > 0 && isDigit(probe.units[from - 1] as number) ? digitFlag : 0
    const start = takePart(probe.units, from, to)
    const offset = from - start
    const last = findStops(automaton, start, to - offset, first, before)
    const stops = stopCount()
    if (hasForeign()) this.isAscii = false
    for (let n = 0; n < stops; n++) {
      const stop = stopAt(n)
      const at = offset + indexOf(stop)
      const kind = flagsOf(stop)
      const state = stateOf(stop)
      if (kind === newDigit) {
        if (at >= this.#digitsFrom) this.#digitsFrom = this.#atDigits(at)
      } else if (kind === newCapital) this.#runs?.atCapital(probe, at)
      if (state >= hitsFrom) this.#atLiteral(state, at + 1)
    }
    return last
  }

  #atLiteral(state: number, end: number): void {
    const probe = this.probe
    const { heard, asked, next } = this.#woken[state] as Woken
    for (let i = 0; i < heard.length; i++) probe.heardTo[heard[i] as number] = end
    // Most of them end here, so nothing is called before this.
    if (next !== undefined && end < probe.text.length) {
      const code = probe.units[end] as number
      if (code < 128 && next[code] !== 1) return
    }
    for (let i = 0; i < asked.length; i++) ask(probe, asked[i] as Asked, end)
  }

  /** Returns where digits may begin something again. */
  #atDigits(start: number): number {
    const probe = this.probe
    const { units } = probe
    this.#runs?.atDigit(probe, start)
    const previous = start > 0 ? (units[start - 1] as number) : -1
    // `1.2.3`, `2024-01-15`, `3/4`: later digits are a part of something that began earlier.
    if (previous >= 45 && previous <= 47 && start > 1 && isDigit(units[start - 2] as number)) {
      if (previous !== slash || !endsWholeNumber(units, start - 1)) return 0
    }
    if (isLetter(previous)) {
      const place = placeInWord(units, start)
      if (place !== places.mixed) this.#atCode(start)
      // The letter of an escaped line end is no part of a word.
      if (!startsWord(probe, start))
        return place === places.escaped ? 0 : wordEnd(units, Math.max(start + 1, this.#runs?.wordSeenTo ?? 0))
    }
    if (start < probe.numberEnd) return 0
    // Nobody waits for a number that nobody would be asked about.
    if (this.#firstNumber === undefined || this.#isTrifle(start)) return start
    probe.arm(start)
    const { number } = probe
    number.read(probe, start)
    const isRead = probe.settle(this.#firstNumber)
    if (probe.isLate) return start
    const gluedTo = number.gluedTo(units)
    if (!isRead || !number.isTrifle(this.#digitsMin)) this.#atNumber(start, isRead)
    return gluedTo
  }

  /** Too few digits for anybody, and no others after them that they could belong to. */
  #isTrifle(start: number): boolean {
    const { units, text } = this.probe
    const enough = start + this.#digitsMin
    let end = start + 1
    while (end < enough && isDigit(units[end] as number)) end++
    if (end === enough) return false
    while (isSeparator(units[end] as number)) end++
    return end < text.length && !isDigit(units[end] as number) && !this.probe.isFar(start, end)
  }

  #atCode(start: number): void {
    const probe = this.probe
    const isLone = start < 2 || !isLetter(probe.units[start - 2] as number)
    const codes = isLone ? this.#loneCodes : this.#codes
    for (let i = 0; i < codes.length; i++) {
      const { find, of } = codes[i] as Digits
      probe.arm(start)
      find(probe, start, start + 1)
      probe.settle(of)
    }
  }

  #atNumber(start: number, isRead: boolean): void {
    const probe = this.probe
    const { number } = probe
    const initial = (probe.units[start] as number) - 48
    const asked = this.#numbers[10 * (number.end - start) + initial] as readonly Digits[]
    for (let i = 0; i < asked.length; i++) {
      const { digitsMin, find, of } = asked[i] as Digits
      if (isRead && number.digits < digitsMin) continue
      // What was read for all of them may go on, and for some the value starts at a sign before the digits.
      const count = probe.candidates.length
      probe.arm(start, !isRead)
      find(probe, start, number.end)
      // Before the number is read nobody is late: if it takes too long to read, nobody will be asked.
      const isDecided = probe.settle(isRead ? of : undefined)
      if (probe.candidates.length === count || !isDecided) continue
      probe.numberEnd = probe.candidates[count]?.end ?? 0
      return
    }
  }
}

type Find = Detector['find']

/** Who is asked about digits. Detectors have properties of many kinds, so theirs are found more slowly than these. */
type Digits = { readonly of: Detector; readonly find: Find; readonly digitsMin: number }

function digitsOf(of: Detector): Digits {
  return { of, find: of.find, digitsMin: of.digitsMin ?? 0 }
}

/** Who is asked where a literal ends, and what must be so besides. */
type Asked = {
  readonly of: Detector
  readonly literal: string
  readonly find: Find
  readonly next: CharacterClass | undefined
  /** 0: nothing must stand again. */
  readonly recursAfter: number
  /** What stands there is compared, with its case, or without. */
  readonly isExact: boolean
  readonly isSpelled: boolean
  /** Absent: it may stand anywhere. */
  readonly begins: ((probe: Probe, start: number) => boolean) | undefined
}

/** What a state of the automaton means: whose words were heard, who is asked, and which unit of ASCII must follow for any. */
type Woken = {
  readonly heard: readonly number[]
  readonly asked: readonly Asked[]
  readonly next: Uint8Array | undefined
}

function askedBy(detector: Detector): Asked[] {
  const { triggers = [], find, next, recursAfter = 0, isAtPartStart, isAtValueStart, isAtWordStart } = detector
  const begins = isAtPartStart ? startsPart : isAtValueStart ? startsValue : isAtWordStart ? startsWord : undefined
  const isExact = detector.isCaseSensitive === true
  return triggers.map((literal) => ({
    of: detector,
    literal,
    find,
    next,
    recursAfter,
    isExact,
    isSpelled: isSpelled(literal),
    begins,
  }))
}

/** What most states mean. */
const nobody: Woken = { heard: [], asked: [], next: undefined }

function newWoken(asked: readonly Asked[], heard: readonly number[]): Woken {
  const classes = asked.map(({ next }) => next?.ascii)
  if (classes.includes(undefined)) return { heard, asked, next: undefined }
  const next = new Uint8Array(128)
  for (const ascii of classes) ascii?.forEach((held, code) => (next[code] = (next[code] as number) | held))
  return { heard, asked, next }
}

function isLiteral({ literal, isExact, isSpelled }: Asked, text: string, start: number): boolean {
  if (isExact && !text.startsWith(literal, start)) return false
  return !isSpelled || text.slice(start, start + literal.length).toLowerCase() === literal
}

function ask(probe: Probe, asked: Asked, end: number): void {
  const { literal, find, next, recursAfter, begins } = asked
  const { text, units } = probe
  const start = end - literal.length
  const again = end - 1 + recursAfter
  if (recursAfter > 0 && again < text.length && units[again] !== units[end - 1]) {
    if (!probe.isFar(probe.nearest(start, end - 1), again)) return
  }
  if (next !== undefined && end < text.length) {
    const code = units[end] as number
    if (code < 128 ? next.ascii[code] !== 1 : !next.beyond(code)) return
  }
  if (!isLiteral(asked, text, start)) return
  if (begins !== undefined && !begins(probe, start)) return
  probe.arm(start, false, end - 1)
  find(probe, start, end)
  probe.settle(asked.of)
}

/**
 * Of digits after letters. `mixed`: digits and letters, letters and digits, all of it is one word, as in a hash, and its
 * values begin where it does. `escaped`: an escape may come before, whose letters and digits are no part of the word.
 */
const places = { first: 0, mixed: 1, escaped: 2 } as const

function placeInWord(units: Uint16Array, at: number): number {
  let start = at
  while (start > 0 && start > at - wordLettersMax && isLetter(units[start - 1] as number)) start--
  const letters = start
  if (start === at - wordLettersMax) return places.escaped
  while (start > 0 && start > letters - wordLettersMax && isDigit(units[start - 1] as number)) start--
  if (start === 0) return places.first
  const before = units[start - 1] as number
  if (start < letters && isLetter(before)) return (units[letters - 3] as number) === 37 ? places.escaped : places.mixed
  return before === 37 || before === 92 || isDigit(before) ? places.escaped : places.first
}

const wordLettersMax = 48
