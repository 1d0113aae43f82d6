// Owns what tokens cost: the table of list prices with the operator's own before it, and the sum of one call. Money is
// counted in whole billionths of a US dollar, so that sums are exact.
import type { Spent } from './limiter.ts'
import { listPrices, type ListPrice } from './price-list.ts'

export const nanosPerDollar = 1e9

/** Billionths of a dollar a token. */
export type Price = {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite: number
}

export type Prices = {
  /** Undefined: nobody knows what it costs. */
  of(model: string): Price | undefined
  /** Whatever costs most, for models whose price is not known. */
  readonly dearest: Price
}

export type PriceMatcher = { readonly matches: (model: string) => boolean; readonly price: ListPrice }

/** Models are named by clients, so what is remembered of them is bounded. */
const rememberedMax = 1024

/** The first of `own` that matches holds. */
export function openPrices(own: readonly PriceMatcher[]): Prices {
  const remembered = new Map<string, Price | undefined>()
  const known = [...own.map(({ price }) => price), ...listPrices.values()].map(priceOf)
  const dearest = known.reduce((most, one) => ({
    input: Math.max(most.input, one.input),
    output: Math.max(most.output, one.output),
    cacheRead: Math.max(most.cacheRead, one.cacheRead),
    cacheWrite: Math.max(most.cacheWrite, one.cacheWrite),
  }))
  return {
    dearest,
    of(model) {
      if (remembered.has(model)) return remembered.get(model)
      const listed = own.find(({ matches }) => matches(model))?.price ?? listPriceOf(model)
      const price = listed === undefined ? undefined : priceOf(listed)
      if (remembered.size < rememberedMax) remembered.set(model, price)
      return price
    },
  }
}

export function costNanos(price: Price, { input, output, cacheRead, cacheWrite }: Omit<Spent, 'bytes'>): number {
  return wholeNanos(
    input * price.input + output * price.output + cacheRead * price.cacheRead + cacheWrite * price.cacheWrite,
  )
}

/** Rounded up, once for a call. Nine million dollars are the most that a whole number can say, and more than any call costs. */
export function wholeNanos(nanos: number): number {
  return Math.min(Math.ceil(nanos), Number.MAX_SAFE_INTEGER)
}

/** What is not said of a cache costs as much as other input. */
function priceOf({ input, output, cacheRead, cacheWrite }: ListPrice): Price {
  return {
    input: input * 1000,
    output: output * 1000,
    cacheRead: (cacheRead ?? input) * 1000,
    cacheWrite: (cacheWrite ?? input) * 1000,
  }
}

/**
 * `gpt-4o-2024-08-06`, `claude-opus-4-5-20251101`, `gemini-2.5-pro-001` and `-latest` cost what the model does without; any
 * other ending may be another model.
 */
const dated = /-(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}|[0-9]{3}|latest)$/

function listPriceOf(model: string): ListPrice | undefined {
  const name = model.startsWith('models/') ? model.slice('models/'.length) : model
  return listPrices.get(name) ?? listPrices.get(name.replace(dated, ''))
}
