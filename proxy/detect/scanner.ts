// Owns the one pass over a text: literals and digit runs are noticed in the same loop, and only there detectors are
// asked. It does not know what detectors look for, nor what happens to findings.
import { compileAutomaton, hitFlag, stateMask, symbolBits, type Automaton } from './automaton.ts'
import { Recent } from '../lib/recent.ts'
import { startsWord } from './boundary.ts'
import { isDigit, isLetter } from './characters.ts'
import { detectors } from './detectors.ts'
import { numberDigitsMin, type Detector } from './detector.ts'
import type { Finding } from './finding.ts'
import { resolveOverlaps } from './overlap.ts'
import { Probe } from './probe.ts'

/** `decidedTo`: whatever text follows, the findings before this index stay as they are. */
export type PartialScan = { readonly findings: readonly Finding[]; readonly decidedTo: number }

export type Scanner = {
  readonly entities: ReadonlySet<string>
  /** Findings sorted by start, without overlaps. Synchronous and not re-entrant. */
  readonly scan: (text: string) => readonly Finding[]
  /** Scans `text` from `from` on, which must be where an earlier scan of the same text was decided. */
  readonly scanPart: (text: string, from: number, final: boolean) => PartialScan
}

/** By the table that the detectors come from: the built-in one, or that of a configuration. */
const scanners = new WeakMap<readonly Detector[], Map<string, Scanner>>()
const nothing: readonly Finding[] = []

/** Agents send their whole conversation with every turn, so most texts come again. */
const seenCharactersMax = 1024 * 1024
/** Below this a scan is as quick as a lookup. */
const seenLengthMin = 24

/** Unknown names are ignored: `compileRedaction` has reported them. One scanner per set of entities. */
export function compileScanner(entities: ReadonlySet<string>, table: readonly Detector[] = detectors): Scanner {
  const chosen = table.filter((d) => entities.has(d.entity))
  const key = [...new Set(chosen.map((d) => d.entity))].join(' ')
  const known = scanners.get(table) ?? new Map<string, Scanner>()
  scanners.set(table, known)
  let scanner = known.get(key)
  if (scanner === undefined) {
    scanner = chosen.length === 0 ? emptyScanner : newScanner(chosen)
    known.set(key, scanner)
  }
  return scanner
}

const emptyScanner: Scanner = {
  entities: new Set(),
  scan: () => nothing,
  scanPart: (text) => ({ findings: nothing, decidedTo: text.length }),
}

function newScanner(chosen: readonly Detector[]): Scanner {
  const pass = new Pass(chosen)
  const seen = new Recent<readonly Finding[]>(seenCharactersMax)
  return {
    entities: new Set(chosen.map((d) => d.entity)),
    scan: (text) => {
      if (text.length < seenLengthMin) return pass.run(text, 0, true).findings
      let findings = seen.get(text)
      if (findings === undefined) {
        findings = pass.run(text, 0, true).findings
        seen.set(text, findings)
      }
      return findings
    },
    scanPart: (text, from, final) => pass.run(text, from, final),
  }
}

class Pass {
  readonly #automaton: Automaton
  /** By literal: who is woken, and how long the literal is. */
  readonly #woken: readonly { readonly detector: Detector; readonly length: number }[]
  readonly #numbers: readonly Detector[]
  /** Shorter numbers interest nobody. */
  readonly #digitsMin: number
  readonly #codes: readonly Detector[]
  readonly #tails: readonly Detector[]
  readonly #sweeping: readonly Detector[]
  readonly #probe = new Probe()

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

  run(text: string, from: number, final: boolean): PartialScan {
    const probe = this.#probe
    probe.open(text, final)
    const state = this.#walk(text, from)
    for (const detector of this.#sweeping) detector.sweep?.(probe, from)
    if (final) return { findings: resolveOverlaps(probe.candidates), decidedTo: text.length }
    return this.#decide(text, state)
  }

  /** The hot loop. Returns the automaton's last state. */
  #walk(text: string, from: number): number {
    const { next, symbols } = this.#automaton
    let state = 0
    let inDigits = from > 0 && isDigit(text.charCodeAt(from - 1))
    for (let i = from; i < text.length; i++) {
      const code = text.charCodeAt(i)
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
    return state
  }

  #atLiteral(state: number, end: number): void {
    const probe = this.#probe
    for (const hit of this.#automaton.hits[state] ?? []) {
      const woken = this.#woken[hit]
      if (woken === undefined) continue
      probe.arm(end - woken.length)
      woken.detector.find(probe, end - woken.length, end)
      probe.settle()
    }
  }

  #atDigits(start: number): void {
    const probe = this.#probe
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
    const count = probe.candidates.length
    for (const detector of this.#numbers) {
      // What was read for all of them may go on, and for some the value starts at a sign before the digits.
      probe.arm(start, !isRead)
      detector.find(probe, start, probe.number.end)
      const isDecided = probe.settle()
      const accepted = probe.candidates[count]
      if (accepted === undefined || !isDecided) continue
      probe.numberEnd = accepted.end
      return
    }
  }

  /** Findings count up to where nothing can still begin or change, and never half of a cluster. */
  #decide(text: string, state: number): PartialScan {
    const probe = this.#probe
    let decidedTo = Math.min(probe.undecidedFrom, text.length - (this.#automaton.depths[state] ?? 0))
    for (const detector of this.#tails) decidedTo = Math.min(decidedTo, detector.tailStart?.(text) ?? decidedTo)
    for (let moved = true; moved;) {
      moved = false
      for (const { start, end } of probe.whole) {
        if (start >= decidedTo || end <= decidedTo) continue
        decidedTo = start
        moved = true
      }
      for (const { start, end, openEnded } of probe.candidates) {
        if (openEnded && start < decidedTo)
          return { findings: resolveOverlaps(probe.candidates), decidedTo: text.length }
        if (start >= decidedTo || end <= decidedTo) continue
        decidedTo = start
        moved = true
      }
    }
    const decided = probe.candidates.filter((c) => c.end <= decidedTo)
    return { findings: resolveOverlaps(decided), decidedTo }
  }
}

/** `1.2.3`, `2024-01-15`, `3/4`: the later digits are a part of something that began earlier. */
function isGlued(probe: Probe, start: number, previous: number): boolean {
  return previous >= 45 && previous <= 47 && isDigit(probe.before(start - 1))
}
