import t from 'tap'
import { queryPairs } from '../../../proxy/lib/query-pairs.ts'

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
