// Owns what a run found out: the medians of the rounds, and how each contender compares to the floor.
import type { Contender } from './contenders/contender.ts'
import type { Measurement } from './measure.ts'
import { median } from './percentiles.ts'
import type { Scenario } from './scenarios/scenario.ts'

/** `open` is undefined where the common rate is more than the contender could be asked for. */
export type Round = {
  readonly contender: string
  readonly open: Measurement | undefined
  readonly closed: Measurement
}

export type Row = {
  readonly contender: string
  readonly title: string
  /** At the common arrival rate; up to `addedP99Ms` all are NaN where it was too much. */
  readonly cpuUs: number
  readonly systemUs: number
  /** The median of the ratios of the rounds. */
  readonly cpuRatio: number
  /** The lowest and the highest ratio of a round. */
  readonly cpuRatioRange: readonly [number, number]
  readonly p50Ms: number
  readonly p99Ms: number
  readonly headP50Ms: number
  /** Beyond the floor's. */
  readonly addedP50Ms: number
  readonly addedP99Ms: number
  /** With every connection busy. */
  readonly throughput: number
  readonly cpuUsBusy: number
  readonly cpuRatioBusy: number
  readonly errors: number
}

export type Result = {
  readonly scenario: string
  readonly title: string
  /** Requests a second of the open loop. */
  readonly rate: number
  /** Connections of the closed loop. */
  readonly connections: number
  readonly rounds: number
  readonly rows: readonly Row[]
  /** Neighbours that were left out, and what they answered. */
  readonly unable?: readonly string[]
}

/** The first contender is the floor. */
export function summarise(
  scenario: Pick<Scenario, 'id' | 'title'>,
  contenders: readonly Pick<Contender, 'id' | 'title'>[],
  rate: number,
  connections: number,
  rounds: readonly Round[],
): Result {
  const of = (id: string): Round[] => rounds.filter(({ contender }) => contender === id)
  const floor = of(contenders[0]?.id ?? '')
  const rows = contenders.map(({ id, title }) => ({ contender: id, title, ...compare(of(id), floor) }))
  return { scenario: scenario.id, title: scenario.title, rate, connections, rounds: floor.length, rows }
}

function compare(own: readonly Round[], floor: readonly Round[]): Omit<Row, 'contender' | 'title'> {
  const middle = (rounds: readonly Round[], pick: (round: Round) => number): number => median(rounds.map(pick))
  // Round by round: what slows the machine down for a while slows both, and drops out.
  const ratiosOf = (pick: (round: Round) => number): number[] =>
    own.map((round, n) => pick(round) / pick(floor[n] as Round))
  const ratios = ratiosOf(cpuOf)
  const added = (pick: (round: Round) => number): number => middle(own, pick) - middle(floor, pick)
  return {
    cpuUs: middle(own, cpuOf),
    systemUs: middle(own, ({ open }) => open?.systemUs ?? Number.NaN),
    cpuRatio: median(ratios),
    cpuRatioRange: [Math.min(...ratios), Math.max(...ratios)],
    p50Ms: middle(own, ({ open }) => open?.report.totalMs.p50 ?? Number.NaN),
    p99Ms: middle(own, ({ open }) => open?.report.totalMs.p99 ?? Number.NaN),
    headP50Ms: middle(own, ({ open }) => open?.report.headMs.p50 ?? Number.NaN),
    addedP50Ms: added(({ open }) => open?.report.totalMs.p50 ?? Number.NaN),
    addedP99Ms: added(({ open }) => open?.report.totalMs.p99 ?? Number.NaN),
    throughput: middle(own, ({ closed }) => closed.throughput),
    cpuUsBusy: middle(own, ({ closed }) => closed.cpuUs),
    cpuRatioBusy: median(ratiosOf(({ closed }) => closed.cpuUs)),
    errors: own.reduce((sum, { open, closed }) => sum + (open?.report.errors ?? 0) + closed.report.errors, 0),
  }
}

function cpuOf({ open }: Round): number {
  return open?.cpuUs ?? Number.NaN
}
