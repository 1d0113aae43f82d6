import t from 'tap'
import { loadYaml } from '../../../proxy/config/load-yaml.ts'
import { formatPath, type LocatedMap, locateProblem } from '../../../proxy/config/locate.ts'
import type { Problem } from '../../../proxy/lib/problem.ts'

function read(text: string): LocatedMap {
  const result = loadYaml('f.yaml', text)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.root
}

function placeOf(text: string, problem: Omit<Problem, 'message' | 'severity'>): string {
  const { line, column, sourceLine } = locateProblem(read(text), { message: '', severity: 'error', ...problem })
  return `${line}:${column} ${sourceLine?.slice(column - 1)}`
}

t.test('a value, its key, and what was not written down', async (t) => {
  const text = 'a:\n  - b: 1\n    c: two\n'
  t.equal(placeOf(text, { path: ['a', 0, 'c'] }), '3:8 two')
  t.equal(placeOf(text, { path: ['a', 0, 'c'], atKey: true }), '3:5 c: two')
  t.equal(placeOf(text, { path: ['a', 0, 'missing', 'deep'] }), '2:5 b: 1', 'the nearest parent that exists')
  t.equal(placeOf(text, { path: [] }), '1:1 a:')
})

t.test('lines that end in CRLF', async (t) => {
  t.equal(placeOf('a: 1\r\nb: 2\r\n', { path: ['b'] }), '2:4 2')
})

t.test('an offset within an expression, however it is written', async (t) => {
  const at = (text: string, word: string): string => {
    const node = read(text).entries.get('when')?.node
    const value = node?.kind === 'scalar' ? String(node.value) : ''
    return placeOf(text, { path: ['when'], offset: value.indexOf(word) })
  }
  t.equal(at('when: a == bad', 'bad'), '1:12 bad')
  t.equal(at(`when: 'it''s == bad'`, 'bad'), `1:17 bad'`)
  t.equal(at(String.raw`when: "a \"x\" \u0041 bad"`, 'bad'), '1:23 bad"')
  t.equal(at('when: |\n    a == 1 &&\n      b == bad\n', 'bad'), '3:12 bad')
  t.equal(at('when: >-\n  a == 1 &&\n  b == bad\n', 'bad'), '3:8 bad')
  t.equal(at('when: a == 1 &&\n  b  ==  bad\n', 'bad'), '2:10 bad')
})

t.test('an offset past the end stays within the value', async (t) => {
  const { line, column, length } = locateProblem(read('when: abc\nb: 1'), {
    path: ['when'],
    offset: 99,
    message: '',
    severity: 'error',
  })
  t.same([line, column, length], [1, 10, 1])
})

t.test('paths as text', async (t) => {
  t.equal(formatPath([]), '')
  t.equal(formatPath(['rules', 0, 'when']), 'rules[0].when')
  t.equal(formatPath(['tools', 'github/x', 'a b']), 'tools["github/x"]["a b"]')
})
