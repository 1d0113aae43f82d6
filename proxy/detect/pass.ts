// Owns the one pass over a text: literals and digit runs are noticed in the same loop, and only there detectors are
// asked. It does not know what detectors look for, nor what happens to what they find.
import { compileAutomaton, hitFlag, stateMask, symbolBits, type Automaton } from './automaton.ts'
import { startsWord } from './boundary.ts'
import { isDigit, isLetter } from './characters.ts'
import { numberDigitsMin, type Detector } from './detector.ts'
import { Probe } from './probe.ts'

export class Pass {
  readonly #automaton: Automaton
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
    this.#woken = pairs.map((p) => ({ detector: p.detector, length: p.literal.length }))
    this.#numbers = chosen.filter((d) => d.digits === 'number')
    this.#digitsMin = Math.min(...this.#numbers.map((d) => d.digitsMin ?? numberDigitsMin))
    this.#codes = chosen.filter((d) => d.digits === 'code')
    this.#tails = chosen.filter((d) => d.tailStart !== undefined)
    this.#sweeping = chosen.filter((d) => d.sweep !== undefined)
  }

  /** What is found is in the probe afterwards. Nothing before `from` is looked for. */
  run(text: string, from: number, final: boolean): void {
    this.probe.open(text, final)
    this.#depth = this.#automaton.depths[this.#walk(text, from)] ?? 0
    for (const detector of this.#sweeping) detector.sweep?.(this.probe, from)
  }

  /** Of the text that `run` went over: what starts from here on may still begin or change. */
  get undecidedFrom(): number {
    const { text, undecidedFrom } = this.probe
    let from = Math.min(undecidedFrom, text.length - this.#depth)
    for (const detector of this.#tails) from = Math.min(from, detector.tailStart?.(text) ?? from)
    return from
  }

  /** The hot loop. Returns the automaton's last state. */
  #walk(text: string, from: number): number {
    const { next, symbols } = this.#automaton
    let state = 0
    let seen = 0
    let inDigits = from > 0 && isDigit(text.charCodeAt(from - 1))
    for (let i = from; i < text.length; i++) {
      const code = text.charCodeAt(i)
      seen |= code
      const entry = next[(state << symbolBits) | (code < 128 ? (symbols[code] as number) : 0)] as number
      state = entry & stateMask
      if (code >= 48 && code <= 57) {
        if (!inDigits) this.#atDigits(i)
        inDigits = true
      } else {
        inDigits = false
      }
      if (entry >= hitFlag) this.#atLiteral(state, i + 1)
    }
    this.isAscii = seen < 128
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
