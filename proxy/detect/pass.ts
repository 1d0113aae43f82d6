// Owns the one pass over a text: literals and digit runs are noticed in the same loop, and only there detectors are
// asked. It does not know what detectors look for, nor what happens to what they find.
import { compileAutomaton, hitFlag, stateMask, symbolBits, type Automaton } from './automaton.ts'
import { startsWord } from './boundary.ts'
import { isDigit, isLetter } from './characters.ts'
import { numberDigitsMin, type Detector } from './detector.ts'
import { Probe } from './probe.ts'

const symbolMask = (1 << symbolBits) - 1
const digitFlag = 0x80

export class Pass {
  readonly #automaton: Automaton
  /** Those of the automaton, with a flag on digits. */
  readonly #symbols: Uint8Array
  /** By literal: who is woken, and how long the literal is. */
  readonly #woken: readonly { readonly detector: Detector; readonly length: number }[]
  readonly #numbers: readonly Detector[]
  /** Shorter numbers interest nobody. */
  readonly #digitsMin: number
  readonly #codes: readonly Detector[]
  readonly #tails: readonly Detector[]
  readonly #sweeping: readonly Detector[]
  readonly probe = new Probe()
  /** Some unit of the text that `run` went over is beyond ASCII. */
  isAscii = true
  #depth = 0

  constructor(chosen: readonly Detector[]) {
    const pairs = chosen.flatMap((detector) => (detector.triggers ?? []).map((literal) => ({ detector, literal })))
    this.#automaton = compileAutomaton(pairs.map((p) => p.literal.toLowerCase()))
    this.#symbols = this.#automaton.symbols.map((symbol, code) => (isDigit(code) ? symbol | digitFlag : symbol))
    this.#woken = pairs.map((p) => ({ detector: p.detector, length: p.literal.length }))
    this.#numbers = chosen.filter((d) => d.digits === 'number')
    this.#digitsMin = Math.min(...this.#numbers.map((d) => d.digitsMin ?? numberDigitsMin))
    this.#codes = chosen.filter((d) => d.digits === 'code')
    this.#tails = chosen.filter((d) => d.tailStart !== undefined)
    this.#sweeping = chosen.filter((d) => d.sweep !== undefined)
  }

  /** What is found is in the probe afterwards. Only what wakes somebody in one of the ranges counts; they are in order. */
  run(text: string, final: boolean, ranges: readonly { readonly from: number; readonly to: number }[]): void {
    this.probe.open(text, final)
    this.isAscii = true
    this.#depth = 0
    for (const { from, to } of ranges) {
      const state = this.#walk(text, from, to)
      if (to === text.length) this.#depth = this.#automaton.depths[state] ?? 0
    }
    for (const detector of this.#sweeping) detector.sweep?.(this.probe, ranges[0]?.from ?? text.length)
  }

  /** Of the text that `run` went over: what starts from here on may still begin or change. */
  get undecidedFrom(): number {
    const { text, undecidedFrom } = this.probe
    let from = Math.min(undecidedFrom, text.length - this.#depth)
    for (const detector of this.#tails) from = Math.min(from, detector.tailStart?.(text) ?? from)
    return from
  }

  /** The hot loop. Returns the automaton's last state. */
  #walk(text: string, from: number, to: number): number {
    const { next } = this.#automaton
    const symbols = this.#symbols
    let state = 0
    let { isAscii } = this
    let digitsEnd = from > 0 && isDigit(text.charCodeAt(from - 1)) ? from : -1
    for (let i = from; i < to;) {
      let entry = 0
      let symbol = 0
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
        if (((entry & hitFlag) | (symbol & digitFlag)) !== 0) break
      }
      if (i === to) break
      i++
      if ((symbol & digitFlag) !== 0) {
        if (digitsEnd !== i - 1) this.#atDigits(i - 1)
        digitsEnd = i
      }
      if (entry >= hitFlag) this.#atLiteral(state, i)
    }
    this.isAscii = isAscii
    return state
  }

  #atLiteral(state: number, end: number): void {
    const probe = this.probe
    for (const hit of this.#automaton.hits[state] ?? []) {
      const woken = this.#woken[hit]
      if (woken === undefined) continue
      probe.arm(end - woken.length)
      woken.detector.find(probe, end - woken.length, end)
      probe.settle()
    }
  }

  #atDigits(start: number): void {
    const probe = this.probe
    const previous = probe.before(start)
    if (isLetter(previous)) {
      for (const detector of this.#codes) {
        probe.arm(start)
        detector.find(probe, start, start + 1)
        probe.settle()
      }
      // The letter of an escaped line end is no part of a word.
      if (!startsWord(probe, start)) return
    }
    if (this.#numbers.length === 0 || start < probe.numberEnd) return
    if (previous === 95 || isGlued(probe, start, previous)) return
    probe.arm(start)
    probe.number.read(probe, start)
    const isRead = probe.settle()
    if (isRead && probe.number.isTrifle(this.#digitsMin)) return
    for (const detector of this.#numbers) {
      // What was read for all of them may go on, and for some the value starts at a sign before the digits.
      const count = probe.candidates.length
      probe.arm(start, !isRead)
      detector.find(probe, start, probe.number.end)
      const isDecided = probe.settle()
      const accepted = probe.candidates[count]
      if (accepted === undefined || !isDecided) continue
      probe.numberEnd = accepted.end
      return
    }
  }
}

/** `1.2.3`, `2024-01-15`, `3/4`: the later digits are a part of something that began earlier. */
function isGlued(probe: Probe, start: number, previous: number): boolean {
  return previous >= 45 && previous <= 47 && isDigit(probe.before(start - 1))
}
