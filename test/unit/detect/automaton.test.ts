import t from 'tap'
import { assert, array, property, string, constantFrom } from 'fast-check'
import { compileAutomaton, isSpelled, symbolBits, symbolOf } from '../../../proxy/detect/automaton.ts'

function hits(literals: readonly string[], text: string): string[] {
  const automaton = compileAutomaton(literals)
  const found: string[] = []
  let state = 0
  for (let i = 0; i < text.length; i++) {
    state = automaton.next[(state << symbolBits) | symbolOf(text.charCodeAt(i))] ?? 0
    if (state < automaton.hitsFrom) continue
    for (const hit of automaton.hits[state] ?? []) found.push(`${literals[hit]}@${i + 1}`)
  }
  return found.sort()
}

function naive(literals: readonly string[], text: string): string[] {
  const found: string[] = []
  for (const literal of literals) {
    for (let at = text.indexOf(literal); at !== -1; at = text.indexOf(literal, at + 1)) {
      found.push(`${literal}@${at + literal.length}`)
    }
  }
  return found.sort()
}

void t.test('literals are found wherever they end, also inside one another', async (t) => {
  t.same(hits(['he', 'she', 'his', 'hers'], 'ushers'), ['he@4', 'hers@6', 'she@4'])
  t.same(hits(['a', 'aa'], 'aaa'), ['a@1', 'a@2', 'a@3', 'aa@2', 'aa@3'])
  t.same(hits(['key'], 'KEY key. Key'), ['key@12', 'key@3', 'key@7'])
  t.same(hits(['tele', 'fodt', 'nasterii'], 'TÉLÉ født, nașterii'), ['fodt@9', 'nasterii@19', 'tele@4'])
  t.same(hits(['тел', '电话'], 'тел. ТЕЛ 电话'), ['тел@3', 'тел@8', '电话@11'])
  t.ok(isSpelled('тел'))
  t.notOk(isSpelled('tél_'))
  t.same(hits([], 'anything'), [])
  t.throws(() => compileAutomaton(['ké']), /no literal may have/)
})

void t.test('as a naive search finds them', async () => {
  const letters = constantFrom('a', 'b', 'c')
  const words = string({ unit: letters, minLength: 1, maxLength: 4 })
  assert(
    property(array(words, { maxLength: 6 }), string({ unit: letters, maxLength: 40 }), (list, text) => {
      const literals = [...new Set(list)]
      return hits(literals, text).join(' ') === naive(literals, text).join(' ')
    }),
    { numRuns: 500 },
  )
})
