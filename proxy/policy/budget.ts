// Owns how much one expression may do. Work is counted, not timed, so that the same query always has the same answer.
import type { Json } from '../lib/json.ts'
import type { Action } from './query.ts'

/** One unit is about a tenth of a microsecond: an expression that uses all of them takes a few milliseconds. */
const unitsMax = 30_000
/** Characters (or values, counted as eight) that one built-in function or comparison handles for one unit. */
const charsPerUnit = 128

export class BudgetExceeded extends Error {
  readonly code = 'evaluation budget exceeded'
}

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
    this.#contentUnits ??= Math.ceil(
      weigh([this.#action.args ?? null, this.#action.description ?? null, [...(this.#action.tools ?? [])]]) /
        charsPerUnit,
    )
    return this.#contentUnits
  }
}

function weigh(root: Json): number {
  const pending: Json[] = [root]
  let weight = 0
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    weight += typeof value === 'string' ? value.length + 8 : 8
    if (typeof value === 'object' && value !== null) {
      for (const inner of Array.isArray(value) ? value : Object.values(value)) pending.push(inner)
    }
  }
  return weight
}
