import t from 'tap'
import type { Measurement } from '../../../bench/measure.ts'
import { resultsTable } from '../../../bench/report.ts'
import { summarise, type Round } from '../../../bench/result.ts'

const contenders = [
  { id: 'floor', title: 'the floor' },
  { id: 'other', title: 'the other' },
]

const rounds: Round[] = [
  { contender: 'floor', open: measured(100, 1), closed: measured(80, 2) },
  { contender: 'other', open: measured(300, 4), closed: measured(200, 5) },
  { contender: 'other', open: measured(500, 6), closed: measured(220, 5) },
  { contender: 'floor', open: measured(200, 3), closed: measured(120, 2) },
  { contender: 'floor', open: measured(150, 2), closed: measured(100, 2) },
  { contender: 'other', open: measured(310, 5, 2), closed: measured(240, 5, 1) },
]

t.test('each round is compared with the floor, and medians count', async (t) => {
  const result = summarise({ id: 'chat', title: 'a chat' }, contenders, 900, 16, rounds)
  t.equal(result.rounds, 3)
  const [floor, other] = result.rows
  t.match(floor, { cpuUs: 150, cpuRatio: 1, addedP50Ms: 0, errors: 0 })
  t.match(other, { cpuUs: 310, cpuRatio: 2.5, addedP50Ms: 3, cpuUsBusy: 220, cpuRatioBusy: 2.4, errors: 3 })
  t.same(other?.cpuRatioRange, [310 / 150, 3], 'round by round')
})

t.test('the table has a line for each contender, and columns in line', async (t) => {
  const lines = resultsTable([summarise({ id: 'chat', title: 'a chat' }, contenders, 900, 16, rounds)]).split('\n')
  t.match(lines[0], /^a chat; 900 requests\/s open loop, 16 connections closed loop, 3 rounds$/)
  t.equal(lines.length, 1 + 2 + 2)
  t.equal(new Set(lines.slice(1).map((line) => line.length)).size, 1)
  t.match(lines[4], /^\| other +\|/)
})

t.test('a neighbour that the common rate would flood has no figures of it', async (t) => {
  const slow = rounds.map((round) => (round.contender === 'other' ? { ...round, open: undefined } : round))
  const result = summarise({ id: 'chat', title: 'a chat' }, contenders, 900, 16, slow)
  t.match(result.rows[1], { cpuUs: Number.NaN, cpuUsBusy: 220, cpuRatioBusy: 2.4, errors: 1 })
  t.match(resultsTable([result]).split('\n')[4], /^\| other +\|( +– \|){7} +\d+ \| +220 \| +2\.40 \| +1 \|$/)
})

function measured(cpuUs: number, p50: number, errors = 0): Measurement {
  const times = { p50, p90: p50 * 2, p99: p50 * 3 }
  const report = { completed: 10, errors, elapsedMs: 1000, totalMs: times, headMs: times, lateMs: times }
  return { report, cpuUs, systemUs: 10, throughput: 10 }
}
