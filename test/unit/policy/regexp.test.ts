import t from 'tap'
import { compileRegExp } from '../../../proxy/policy/regexp.ts'

function test(pattern: string, text: string): boolean {
  const compiled = compileRegExp(pattern)
  if ('error' in compiled) throw new Error(compiled.error)
  return compiled.test(text, () => {})
}

/** By code points where the pattern allows it, as ours. */
function native(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u')
  } catch {
    return new RegExp(pattern)
  }
}

t.test('agrees with the language on the syntax that both have', async (t) => {
  const patterns = [
    'abc', '^abc$', 'a|b|cd', '(ab)*c', 'a+b?', 'a{2}', 'a{2,}b', 'a{1,3}$', '[a-c]+', '[^a-c]', '\\d+\\.\\d', '\\w\\W\\w', '\\s', '\\S+',
    '\\bcat\\b', '\\Bat', '.', '^$', '', '(a|)b', '(?:a|b)+c', '(a*)*b', '(a+)+$', 'x*', '[\\d-]+', '[a-]', '[]a]'.slice(1), '\\x41', '\\u0041',
    'a.c', 'a\\.c', '[.]', '(a?){3}a{3}', 'é', '[à-ý]+', '^(GET|POST) /', '\\$', 'a*?b', '\\t', '[\\]\\\\]',
  ] // prettier-ignore
  const texts = [
    '', 'a', 'abc', 'xabcx', 'aaa', 'aab', 'b', 'cd', 'ababc', 'cat', 'a cat sat', 'concat', '1.5', 'a b', 'a-b', 'a.c', 'a\nc', '\n', 'é', 'été',
    'A', 'GET /x', 'POST x', '$', 'aaaab', '\t', '\\', ']', '-', 'a]', '😀', 'a😀b',
  ] // prettier-ignore
  for (const pattern of patterns) {
    for (const text of texts)
      t.equal(test(pattern, text), native(pattern).test(text), `${pattern} in ${JSON.stringify(text)}`)
  }
})

t.test('flags at the start, and characters beyond the basic plane', async (t) => {
  t.equal(test('(?i)PassWord', 'my pASSwORD'), true)
  t.equal(test('(?i)[a-c]{3}', 'ABC'), true)
  t.equal(test('(?i)[^a]', 'A'), false)
  t.equal(test('a.c', 'a\nc'), false)
  t.equal(test('(?s)a.c', 'a\nc'), true)
  t.equal(test('^.$', '😀'), true)
  t.equal(test('^[😀-😂]$', '😁'), true)
  t.equal(test('\\x{1F600}', '😀'), true)
  t.equal(test('(?P<year>\\d{4})-(?<month>\\d\\d)', 'on 2026-11'), true)
})

t.test('what it does not support is refused with its place', async (t) => {
  const errorOf = (pattern: string) => {
    const compiled = compileRegExp(pattern)
    return 'error' in compiled ? `${compiled.offset}: ${compiled.error}` : 'compiled'
  }
  t.equal(errorOf('(a'), '2: missing )')
  t.equal(errorOf('a)'), '1: unmatched )')
  t.equal(errorOf('[a'), '2: missing ]')
  t.equal(errorOf('*a'), '0: nothing to repeat')
  t.equal(errorOf('(a)\\1'), '4: escape \\1 is not supported')
  t.equal(errorOf('(?=a)'), '1: look-around and inline flags are not supported')
  t.equal(errorOf('(?<!a)b'), '1: look-around and inline flags are not supported')
  t.equal(errorOf('\\p{L}'), '1: escape \\p is not supported')
  t.equal(errorOf('[[:alpha:]]'), '1: named classes are not supported')
  t.equal(errorOf('[b-a]'), '4: bad range')
  t.equal(errorOf('a{5000}'), '1: repetition out of range')
  t.match(errorOf('((a{100}){100}){100}'), 'more than 1000 states')
  t.match(errorOf('('.repeat(100)), 'nested too deeply')
  t.equal(errorOf('a\\'), '2: escape \\ is not supported')
})

t.test('the work grows with the text and no faster', async (t) => {
  const statesFor = (length: number) => {
    const compiled = compileRegExp('(a|aa|a*)*(a+)+b$')
    if ('error' in compiled) throw new Error(compiled.error)
    let spent = 0
    compiled.test('a'.repeat(length), (states) => (spent += states))
    return spent
  }
  t.ok(statesFor(2000) < 2.1 * statesFor(1000))
  t.throws(() => {
    const compiled = compileRegExp('a*$')
    if (!('error' in compiled)) compiled.test('a'.repeat(100), () => { throw new Error('enough') }) // prettier-ignore
  }, /enough/)
})
