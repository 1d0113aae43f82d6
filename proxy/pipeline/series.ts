// Owns the counting on the way of a request: plain numbers, one row for each set of label values, read out only when
// somebody scrapes. prom-client hashes, sorts and validates the labels of every single increment instead; here it keeps
// the registry and the exposition. Knows no metric by name.
import type { Histogram, Registry } from 'prom-client'

export type LabelValue = string | number

export type SeriesOptions = {
  readonly registry: Registry
  readonly name: string
  readonly help: string
  /** At most three. */
  readonly labelNames: readonly string[]
}

export class CounterSeries {
  readonly #rows: Rows<{ count: number }>

  constructor(options: SeriesOptions) {
    this.#rows = new Rows(options.labelNames, () => ({ count: 0 }))
    register(options, 'counter', () =>
      this.#rows.all().map(({ labels, counted }) => ({ labels, value: counted.count })),
    )
  }

  /** `count` is finite and not negative; the label values are in the order of the names. */
  add(count: number, a?: LabelValue, b?: LabelValue, c?: LabelValue): void {
    this.#rows.at(a, b, c).count += count
  }
}

/** A gauge without labels that goes up and down by one. */
export class LevelSeries {
  #level = 0

  constructor(options: SeriesOptions) {
    register(options, 'gauge', () => [{ labels: {}, value: this.#level }])
  }

  get level(): number {
    return this.#level
  }

  inc(): void {
    this.#level += 1
  }

  dec(): void {
    this.#level -= 1
  }
}

export class HistogramSeries {
  readonly #rows: Rows<{ readonly buckets: number[]; sum: number }>
  readonly #bounds: readonly number[]

  /** `bounds` ascend. */
  constructor(options: SeriesOptions, bounds: readonly number[]) {
    this.#bounds = bounds
    this.#rows = new Rows(options.labelNames, () => ({ buckets: [...bounds.map(() => 0), 0], sum: 0 }))
    register(options, 'histogram', () => this.#samples(options.name))
  }

  /** `value` is finite, in the unit of the bounds; the label values are in the order of the names. */
  observe(value: number, a?: LabelValue, b?: LabelValue, c?: LabelValue): void {
    const row = this.#rows.at(a, b, c)
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1
    row.buckets[bucket] = (row.buckets[bucket] as number) + 1
    row.sum += value
  }

  /** Buckets are counted apart and shown as Prometheus wants them: each with all below it. */
  #samples(name: string): Sample[] {
    return this.#rows.all().flatMap(({ labels, counted }) => {
      let count = 0
      const buckets = counted.buckets.map((inBucket, at) => {
        count += inBucket
        return { metricName: `${name}_bucket`, labels: { le: this.#bounds[at] ?? '+Inf', ...labels }, value: count }
      })
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels, value: counted.sum },
        { metricName: `${name}_count`, labels, value: count },
      ]
    })
  }
}

type Maybe = LabelValue | undefined
type Labels = Readonly<Record<string, LabelValue>>
type Sample = { readonly metricName?: string; readonly labels: Labels; readonly value: number }
type Row<T> = { readonly labels: Labels; readonly counted: T }

/** Finds what was counted under some label values; a row begins when it is first asked for. */
class Rows<T> {
  readonly #labelNames: readonly string[]
  readonly #open: () => T
  readonly #rows = new Map<string, Row<T>>()
  /** What was asked for last is asked for again most of the time, and comparing is cheaper than making a key. */
  #last: { readonly a: LabelValue; readonly b: Maybe; readonly c: Maybe; readonly counted: T } | undefined

  constructor(labelNames: readonly string[], open: () => T) {
    this.#labelNames = labelNames
    this.#open = open
    // Without labels there is one row, shown from the start.
    if (labelNames.length === 0) this.at()
  }

  at(a: LabelValue = '', b?: LabelValue, c?: LabelValue): T {
    const last = this.#last
    if (last !== undefined && last.a === a && last.b === b && last.c === c) return last.counted
    const counted = this.#find(a, b, c)
    this.#last = { a, b, c, counted }
    return counted
  }

  #find(a: LabelValue, b: Maybe, c: Maybe): T {
    // No label value has a line break in it: identifiers, codes and numbers.
    const key = b === undefined ? String(a) : c === undefined ? `${a}\n${b}` : `${a}\n${b}\n${c}`
    const row = this.#rows.get(key)
    if (row !== undefined) return row.counted
    const values = [a, b ?? '', c ?? '']
    const labels = Object.fromEntries(this.#labelNames.map((name, at) => [name, values[at] as LabelValue]))
    const counted = this.#open()
    this.#rows.set(key, { labels, counted })
    return counted
  }

  all(): Row<T>[] {
    return [...this.#rows.values()]
  }
}

/** What the registry asks of a metric is its name and `get`; the declared type of a metric is that of its own classes. */
function register({ registry, name, help, labelNames }: SeriesOptions, type: string, samples: () => Sample[]): void {
  const about = { name, help, type, aggregator: 'sum', labelNames }
  const metric = { ...about, get: () => Promise.resolve({ ...about, values: samples() }) }
  registry.registerMetric(metric as unknown as Histogram)
}
