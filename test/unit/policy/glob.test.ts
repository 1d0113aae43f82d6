import t from 'tap'
import { compileGlob, compileGlobAgainst } from '../../../proxy/policy/glob.ts'

function matches(pattern: string, name: string, separator: '/' | '' = '/'): boolean {
  const glob = compileGlob(pattern, separator)
  if (typeof glob !== 'function') throw new Error(glob.error)
  return glob(name)
}

t.test('stars, question marks, braces and escapes', async (t) => {
  t.equal(matches('a*', 'abc'), true)
  t.equal(matches('a*', 'a'), true)
  t.equal(matches('a*', 'a/b'), false)
  t.equal(matches('a*', 'a/b', ''), true)
  t.equal(matches('a**', 'a/b'), true)
  t.equal(matches('*/b', 'a/b'), true)
  t.equal(matches('*/b', 'a/c/b'), false)
  t.equal(matches('**/b', 'a/c/b'), true)
  t.equal(matches('*-beta', 'a-beta'), true)
  t.equal(matches('*-beta', 'beta'), false)
  t.equal(matches('ab*bc', 'abc'), false, 'prefix and suffix do not share characters')
  t.equal(matches('ab*bc', 'abbc'), true)
  t.equal(matches('a/*/c', 'a/b/c'), true)
  t.equal(matches('a/*/c', 'a/b/b/c'), false)
  t.equal(matches('a/**/c', 'a/b/b/c'), true)
  t.equal(matches('a?c', 'abc'), true)
  t.equal(matches('a?c', 'a/c'), false)
  t.equal(matches('a?c', 'a😀c'), true)
  t.equal(matches('{a,b}*x', 'bcx'), true)
  t.equal(matches('{a,b}/{c,d}', 'b/c'), true)
  t.equal(matches('{a,b}', 'c'), false)
  t.equal(matches('a\\*', 'a*'), true)
  t.equal(matches('a\\*', 'ab'), false)
  t.equal(matches('a.c(1)\\[x]+|^$', 'a.c(1)[x]+|^$'), true, 'no other character is special')
  t.equal(matches('*.c(1)\\[x]+|^$', 'a.c(1)[x]+|^$'), true)
  t.match(compileGlob('o[0-9]*', ''), { error: /sets of characters/ }, 'a set would match nothing, so it is refused')
  t.equal(matches('*', '.hidden'), true)
  t.equal(matches('*a*', 'b\na\nb'), true)
})

t.test('patterns that make backtracking matchers hang', async (t) => {
  t.equal(matches('*a*a*a*a*a*a*a*a*b', 'a'.repeat(5000)), false)
  t.equal(matches('**/**/**/**/**/x', '/'.repeat(5000)), false)
})

t.test('what is not a pattern says so', async (t) => {
  for (const pattern of ['{a,b', 'a}', '{a,{b,c}}', '{a,b}'.repeat(10)]) {
    const glob = compileGlob(pattern, '/')
    t.ok(typeof glob !== 'function' && glob.error.includes('alternatives'), pattern)
  }
})

t.test('where a match counts against the call, a name that cannot be read matches', async (t) => {
  const glob = compileGlobAgainst('delete_*', '/')
  if (typeof glob !== 'function') throw new Error(glob.error)
  t.equal(glob('delete_all'), true)
  t.equal(glob('list'), false)
  t.equal(glob('café'.normalize('NFC')), false)
  t.equal(glob('café'.normalize('NFD')), true)
  t.equal(glob('x'.repeat(16_384)), false)
  t.equal(glob('x'.repeat(16_385)), true)
  t.match(compileGlobAgainst('[a]', ''), { error: /sets of characters/ })
})
