import t from 'tap'
import { assert, constantFrom, property, string } from 'fast-check'
import { NumberRun } from '../../../proxy/detect/number-run.ts'
import { Probe } from '../../../proxy/detect/probe.ts'

function probeOf(text: string, final = true): Probe {
  const probe = new Probe()
  probe.open(text, final)
  return probe
}

function shape(probe: Probe, run: NumberRun): unknown {
  const groups = Array.from({ length: run.groups }, (_, i) => [
    run.startOf(i),
    run.endOf(i),
    run.separatorAfter(probe, i),
  ])
  return { start: run.start, end: run.end, digits: run.digits, groups }
}

void t.test('groups of digits with up to three separators between', async (t) => {
  const probe = probeOf('(020) 7946 - 0958, 1')
  const run = new NumberRun()
  run.read(probe, 1)
  t.same(shape(probe, run), {
    start: 1,
    end: 4,
    digits: 11,
    groups: [
      [1, 4, -1],
      [6, 10, -1],
      [13, 17, -1],
    ],
  })
  run.read(probe, 19)
  t.same(shape(probe, run), { start: 19, end: 20, digits: 1, groups: [[19, 20, -1]] })
})

void t.test('a number that may go on is said to be undecided', async (t) => {
  for (const [text, isDecided] of [
    ['12', false],
    ['12 ', false],
    ['12 3', false],
    ['12   ', false],
    ['12    ', true],
    ['12,', true],
    ['12 x', true],
    ['123456789012345678901', true],
  ] as const) {
    const probe = probeOf(text, false)
    probe.arm(0)
    new NumberRun().read(probe, 0)
    t.equal(probe.settle(), isDecided, JSON.stringify(text))
  }
})

void t.test('going on from an earlier reading is the same as reading afresh', async () => {
  const units = constantFrom('1', '2', '345', ' ', ' ', '-', '.', '(', '--', '    ', '12345678')
  assert(
    property(string({ unit: units, maxLength: 60 }), (text) => {
      const probe = probeOf(text)
      const resumed = new NumberRun()
      for (const match of text.matchAll(/\d+/g)) {
        const fresh = new NumberRun()
        resumed.read(probe, match.index)
        fresh.read(probe, match.index)
        if (JSON.stringify(shape(probe, resumed)) !== JSON.stringify(shape(probe, fresh))) return false
      }
      return true
    }),
    { numRuns: 1000 },
  )
})
