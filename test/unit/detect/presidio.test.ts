import t from 'tap'
import type { DetectorOptions } from '../../../proxy/detect/detector-options.ts'
import { compileExternal } from '../../../proxy/detect/external.ts'
import { presidioFindings, presidioQuestion } from '../../../proxy/detect/presidio.ts'

const external = (more: Partial<DetectorOptions> = {}) =>
  compileExternal({ id: 'p', url: 'http://x', protocol: 'presidio', entities: ['PERSON'], ...more }, [], [])

const result = (start: unknown, end: unknown, more: object = {}) => ({
  entity_type: 'PERSON',
  start,
  end,
  score: 0.9,
  ...more,
})

t.test('a question', async (t) => {
  const asked = (texts: string[]) =>
    JSON.parse(String(presidioQuestion(texts, external({ language: 'de' })))) as unknown
  t.same(asked(['a']), { text: 'a', language: 'de', entities: ['PERSON'], score_threshold: 0.5 })
  t.match(asked(['a', 'b']), { text: ['a', 'b'] })
  t.match(asked(['half \ud83d pair']), { text: 'half \ufffd pair' })
})

t.test('offsets count code points there and UTF-16 units here', async (t) => {
  const text = '😀é Ada 😀'
  t.same(presidioFindings([result(3, 6)], [text], external()), [[{ entity: 'person', group: 'pii', start: 4, end: 7 }]])
  t.same(presidioFindings([result(7, 8)], [text], external())?.[0]?.[0]?.end, text.length)
  t.same(presidioFindings([result(0, 3)], ['Ada'], external())?.[0]?.[0]?.end, 3)
})

t.test('what does not count', async (t) => {
  t.same(presidioFindings([result(0, 3, { entity_type: 'URL' })], ['Ada'], external()), [[]], 'not asked for')
  t.same(presidioFindings([result(0, 3, { score: 0.4 })], ['Ada'], external()), [[]])
  t.same(presidioFindings([result(0, 3)], ['Ada'], external({ allow: ['ada'] })), [[]])
  t.same(presidioFindings([result(0, 3)], ['Ada'], external({ entities: { PERSON: 'name' } })), [
    [{ entity: 'name', group: 'pii', start: 0, end: 3 }],
  ])
})

t.test('what is no answer', async (t) => {
  for (const answer of [
    undefined,
    {},
    [{}],
    [null],
    [result(-1, 2)],
    [result(0, 4)],
    [result(2, 2)],
    [result(0.5, 2)],
    [result('0', 2)],
    [result(0, 2, { score: 'high' })],
  ])
    t.equal(presidioFindings(answer, ['Ada'], external()), undefined, JSON.stringify(answer))
  t.equal(presidioFindings([[]], ['a', 'b'], external()), undefined, 'one list for two texts')
  t.same(presidioFindings([[], [result(0, 1)]], ['a', 'b'], external())?.[1]?.length, 1)
})
