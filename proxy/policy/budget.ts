// Owns how much one expression may do. Work is counted, not timed, so that the same query always has the same answer.
import type { Action } from './query.ts'

/** One unit is about a tenth of a microsecond: an expression that uses all of them takes a few milliseconds. */
const unitsMax = 50_000
/** Characters (or values, counted as eight) that one built-in function or comparison handles for one unit. */
const charsPerUnit = 128

export class BudgetExceeded extends Error {
  readonly code = 'evaluation budget exceeded'
}

/** The attributes whose size a caller decides. */
export const contentAttributes: ReadonlySet<string> = new Set(['args', 'tools', 'description', 'uri'])

export class Budget {
  #left = 0
  #action: Action = { type: 'tool.call' }
  #contentUnits: number | undefined

  open(query: { readonly action: Action }): void {
    this.#left = unitsMax
    this.#action = query.action
    this.#contentUnits = undefined
  }

  spend(units: number): void {
    this.#left -= units
    if (this.#left < 0) throw new BudgetExceeded()
  }

  /** What it costs at most to handle the whole of the content once. */
  get contentUnits(): number {
    const { args, tools, description, uri } = this.#action
    return (this.#contentUnits ??= unitsFor([args, tools, description, uri]))
  }
}

/** What it costs at most to handle a value once: JSON, or anything that is of a fixed size. */
export function unitsFor(root: unknown): number {
  const pending = [root]
  let weight = 0
  while (pending.length > 0) {
    const value = pending.pop()
    weight += typeof value === 'string' ? value.length + 8 : 8
    if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) pending.push(inner)
  }
  return Math.ceil(weight / charsPerUnit)
}
