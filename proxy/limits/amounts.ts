// Owns how much of each unit a request may take, before anybody knows, and how much it took, when it is over.
import type { Limit } from './compile.ts'
import type { Demand, LimitSubject, Spent } from './limiter.ts'
import type { Unit } from './options.ts'
import { costNanos, wholeNanos, type Price } from './prices.ts'

/**
 * `price-unknown`: the limit counts money, and refuses what it cannot count. Undefined: the request takes none of it, whatever
 * comes of it, so how much there is left is no matter of its own. What may take some later takes 0 for now.
 */
export function reservedAmount(
  unit: Unit,
  limit: Limit,
  { bytes = 0 }: LimitSubject,
  demand: Demand | undefined,
): number | 'price-unknown' | undefined {
  if (unit === 'requests') return 1
  if (unit === 'bytes') return bytes
  if (demand?.actions.includes(unit === 'toolCalls' ? 'tool.call' : 'model.call') !== true) return undefined
  switch (unit) {
    case 'toolCalls':
      return demand.actions.filter((type) => type === 'tool.call').length
    case 'inputTokens':
      return demand.inputTokens
    case 'outputTokens':
      return outputMax(limit, demand)
    case 'tokens':
      return demand.inputTokens + outputMax(limit, demand)
    default: {
      const price = priceFor(limit, demand.billedModel ?? demand.model)
      if (price === undefined) return 'price-unknown'
      // What is written to a cache may cost more than input, and nobody knows what will be.
      const input = Math.max(price.input, price.cacheWrite)
      return wholeNanos(demand.inputTokens * input + outputMax(limit, demand) * price.output)
    }
  }
}

/** `reserved` stays where nothing else was learnt. */
export function spentAmount(
  unit: Unit,
  limit: Limit,
  model: string | undefined,
  reserved: number,
  spent: Spent | undefined,
): number {
  if (unit === 'requests' || unit === 'toolCalls') return reserved
  if (spent === undefined) return 0
  if (unit === 'bytes') return spent.bytes
  const seen = seenAmount(unit, limit, model, reserved, spent)
  return spent.unfinished === true ? Math.max(reserved, seen) : seen
}

function seenAmount(unit: Unit, limit: Limit, model: string | undefined, reserved: number, spent: Spent): number {
  const { input, output, cacheRead, cacheWrite } = spent
  switch (unit) {
    case 'inputTokens':
      return input + cacheRead + cacheWrite
    case 'outputTokens':
      return output
    case 'tokens':
      return input + cacheRead + cacheWrite + output
    default: {
      const price = priceFor(limit, model)
      return price === undefined ? reserved : costNanos(price, spent)
    }
  }
}

function outputMax({ maxTokens, assumedTokens }: Limit, demand: Demand): number {
  if (demand.unbounded === true) return assumedTokens * demand.answers
  const asked = demand.outputTokensMax ?? Math.min(assumedTokens, maxTokens ?? assumedTokens) * demand.answers
  return maxTokens === undefined ? asked : Math.min(asked, maxTokens * demand.answers)
}

function priceFor({ prices, onUnknownPrice }: Limit, model: string | undefined): Price | undefined {
  const known = model === undefined ? undefined : prices.of(model)
  return known ?? (onUnknownPrice === 'estimate' ? prices.dearest : undefined)
}
