import t from 'tap'
import type { LocatedProblem } from '../../../proxy/config/locate.ts'
import { report } from '../../../proxy/config/report.ts'

const problem: LocatedProblem = {
  file: 'policies/x.yaml',
  line: 12,
  column: 5,
  length: 5,
  path: 'rules[0].efect',
  message: 'unknown key "efect" in rules[0]',
  hint: 'did you mean "effect"?',
  severity: 'error',
  sourceLine: '    efect: allow',
}

t.test('text: the place, the sentence, the line and a caret', async (t) => {
  t.equal(
    report([problem], 'text'),
    `policies/x.yaml:12:5: error: unknown key "efect" in rules[0] (did you mean "effect"?)
 12 |     efect: allow
    |     ^^^^^
`,
  )
  t.equal(report([], 'text'), '')
})

t.test('text: long lines are cut around the place, and control characters do not reach a terminal', async (t) => {
  const sourceLine = `${'a'.repeat(500)}\u001b[31mbad${'b'.repeat(500)}`
  const printed = report([{ ...problem, column: 506, length: 3, sourceLine }], 'text')
  const [, line = '', caret = ''] = printed.split('\n')
  t.ok(line.length < 140)
  t.equal(line.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1), 'bad')
  t.notMatch(printed, '\u001b')
})

t.test('problems come in the order of their places', async (t) => {
  const places = [
    ['b', 1, 1],
    ['a', 10, 1],
    ['a', 9, 2],
    ['a', 9, 1],
  ] as const
  const printed = report(
    places.map(([file, line, column]) => ({ ...problem, file, line, column })),
    'github',
  )
  t.same(printed.match(/file=.,line=\d+,col=\d/g), [
    'file=a,line=9,col=1',
    'file=a,line=9,col=2',
    'file=a,line=10,col=1',
    'file=b,line=1,col=1',
  ])
})

t.test('github: one command a problem, escaped', async (t) => {
  t.equal(
    report([{ ...problem, file: 'a,b:c.yaml', message: '100% wrong\nreally' }], 'github'),
    '::error file=a%2Cb%3Ac.yaml,line=12,col=5::100%25 wrong%0Areally (did you mean "effect"?)\n',
  )
})

t.test('json: all of it', async (t) => {
  t.same(JSON.parse(report([problem], 'json')), [problem])
})
