// Owns the hot loop: over a part of a text it writes down where something must be looked at. It does not know what is done
// there.
import {
  capitalFlag,
  digitFlag,
  stateBits,
  symbolBits,
  symbols as symbolsOfUnits,
  type Automaton,
} from './automaton.ts'
import { part as sharedPart, partBits } from './units.ts'

/** Arrays of other files would be looked up again for every unit. */
const part = sharedPart
const symbols = symbolsOfUnits
/** So would numbers that other files see, too. */
const symbolShift = symbolBits
const symbolMask = (1 << symbolBits) - 1
const firstFlags = capitalFlag | digitFlag
const firstShift = stateBits - symbolBits
const stateMask = (1 << stateBits) - 1
const indexShift = stateBits + 2

/** The automaton's state in the lower bits, then which flags are new there, then the index in `part`. */
const stops = new Uint32Array(1 << partBits)
/** How many there are, and all units of the part in one. */
let count = 0
let seen = 0

/**
 * Between `from` and `to` of `part`. Where something must be looked at is only written down, whatever the unit is: a branch
 * that is taken now and then costs as much as ten units. Takes the automaton's state and the flags of the unit before, and
 * returns the last state. The loop may be compiled while it runs for the first time: behind it stands only what can be
 * compiled before it has run, or else it would be thrown away at the end, time and again.
 */
export function findStops({ next, hitsFrom }: Automaton, from: number, to: number, state: number, before: number) {
  let previous = before
  let found = 0
  let all = 0
  for (let i = from; i < to; i++) {
    const code = part[i] as number
    all |= code
    const symbol = symbols[code] as number
    state = next[(state << symbolShift) | (symbol & symbolMask)] as number
    // Of digits and of capitals that stand together.
    const stop = state | ((symbol & ~previous & firstFlags) << firstShift)
    previous = symbol
    stops[found] = stop | (i << indexShift)
    // One more, if a literal ends there or a flag is new: those stand above all states.
    found += (hitsFrom - 1 - stop) >>> 31
  }
  count = found
  seen = all
  return state
}

export function stopCount(): number {
  return count
}

/** Some unit is beyond ASCII. */
export function hasForeign(): boolean {
  return seen > 127
}

export function stopAt(n: number): number {
  return stops[n] as number
}

export function indexOf(stop: number): number {
  return stop >> indexShift
}

export function stateOf(stop: number): number {
  return stop & stateMask
}

/** Those that are new there. */
export function flagsOf(stop: number): number {
  return (stop >> firstShift) & firstFlags
}
