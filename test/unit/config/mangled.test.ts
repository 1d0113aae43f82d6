import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { array, assert, constantFrom, nat, property, record } from 'fast-check'
import t from 'tap'
import { loadConfig } from '../../../proxy/config/load.ts'
import { report } from '../../../proxy/config/report.ts'

const good = `
apiVersion: gatewright/v1
server: { listen: "127.0.0.1:\${PORT:-80}", limits: { body: 1MiB } }
upstreams:
  a: { protocol: openai, url: http://a, credential: { bearer: { fromEnv: K } }, ifEnv: K }
routes:
  - { id: a, path: /a, upstream: a }
rules:
  - id: r
    effect: allow
    models: &m ["gpt-*", 'it''s']
    when: >-
      a &&
      b
  - { id: s, effect: deny, models: *m }
`

const alphabet = Array.from(' \n\t:-?[]{}"\'#&*!|>%@`,$\\~.0aé\u0000\ud800').concat('${', '<<', '---', '\n  - ')

t.test('whatever is done to a file, loading says what is wrong with it, at a place that exists', async (t) => {
  const file = join(t.testdir({}), 'c.yaml')
  const edit = record({
    at: nat(good.length),
    cut: nat(12),
    text: array(constantFrom(...alphabet), { maxLength: 6 }).map((parts) => parts.join('')),
  })
  assert(
    property(array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      const text = edits.reduce((sum, { at, cut, text }) => sum.slice(0, at) + text + sum.slice(at + cut), good)
      writeFileSync(file, text)
      const result = loadConfig([file], {})
      if (result.ok) return
      const lines = text.toWellFormed().split('\n')
      for (const { line, column, length } of result.problems) {
        const written = lines[line - 1]
        if (written === undefined || column < 1 || column > written.length + 1) throw new Error(`${line}:${column}`)
        if (length < 1) throw new Error('nothing underlined')
      }
      for (const format of ['text', 'json', 'github'] as const) report(result.problems, format)
      if (result.problems.length === 0) throw new Error('refused without a reason')
    }),
    { numRuns: 1500 },
  )
  t.pass('1500 mangled files')
})
