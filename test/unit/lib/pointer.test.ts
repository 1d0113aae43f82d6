import t from 'tap'
import { formatAddress, valueAt } from '../../../proxy/lib/pointer.ts'

t.test('addresses read like pointers', async (t) => {
  const rows: [Parameters<typeof formatAddress>[0], string][] = [
    [{ path: [] }, ''],
    [{ path: ['messages', 0, 'content'] }, '/messages/0/content'],
    [{ path: ['a/b', 'c~d', 'e#f', 'g@h', 'i.j-k_l'] }, '/~*/~*/~*/~*/i.j-k_l'],
    [{ path: ['messages', 1, 'arguments'], inner: ['to'] }, '/messages/1/arguments#/to'],
    [{ path: ['arguments'], inner: [] }, '/arguments#'],
    [{ path: ['metadata', 'ada@example.org'], key: true }, '/metadata@key'],
    [{ path: ['arguments'], inner: ['to', '4111111111111111'], key: true }, '/arguments#/to@key'],
    [{ path: ['a'], inner: ['body'], deeper: [['x', 'a@b'], ['c']] }, '/a#/body#/x/~*#/c'],
    [{ path: ['a'], inner: [], deeper: [['x', 'a@b']], key: true }, '/a##/x@key'],
    [{ path: ['metadata', 'ada@example.org'] }, '/metadata/~*'],
    [{ path: ['metadata', 'x1234567'] }, '/metadata/~*'],
    [{ path: ['AKIAZ5GMHYJKLMNOPQR2', '10.20.3.4'] }, '/~*/~*'],
    [{ path: ['properties', 'additionalPropertiesOfTheThing'] }, '/properties/additionalPropertiesOfTheThing'],
  ]
  for (const [address, text] of rows) t.equal(formatAddress(address), text)
})

t.test('values are found by own members only', async (t) => {
  const json = JSON.parse('{"a":[{"b":1}],"__proto__":{"c":2},"0":"zero"}')
  t.equal(valueAt(json, ['a', 0, 'b']), 1)
  t.same(valueAt(json, ['__proto__']), { c: 2 })
  t.equal(valueAt(json, ['0']), 'zero')
  t.same(valueAt(json, []), json)
  for (const path of [['x'], ['a', '0'], ['a', 1], ['a', 0, 'b', 'c'], ['constructor'], ['a', 'length'], [0]]) {
    t.equal(valueAt(json, path), undefined, JSON.stringify(path))
  }
})
