import t from 'tap'
import { isUtf8, queryPairs } from '../../../proxy/lib/query-pairs.ts'

t.test('names and values of a query', async (t) => {
  t.same(
    [...queryPairs('a=1&b=%26+c&a')],
    [
      ['a', '1'],
      ['b', '& c'],
      ['a', ''],
    ],
  )
  t.same([...queryPairs('')], [])
})

t.test('a second question mark belongs to the first name', async (t) => {
  t.same(
    [...queryPairs('?a=1&?b=2')],
    [
      ['?a', '1'],
      ['?b', '2'],
    ],
  )
  t.same([...queryPairs('??')], [['??', '']])
})

t.test('whether its escapes are letters', async (t) => {
  for (const query of ['', 'a=%41&b=%00', '%C3%A9=%F0%9F%98%80', 'a=%25FF', 'a=\u00e9'])
    t.equal(isUtf8(query), true, query)
  for (const query of ['a=%E9', '%C1%A5', 'a=%ED%A0%80', 'a=%C3&b=%A9', 'a=%80']) t.equal(isUtf8(query), false, query)
})
