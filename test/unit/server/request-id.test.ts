// The names of exchanges, over several batches.
import t from 'tap'
import { newRequestId } from '../../../proxy/server/request-id.ts'

t.test('every name has the form and comes once', async (t) => {
  const ids = Array.from({ length: 1_000 }, newRequestId)
  t.ok(ids.every((id) => /^req_[0-9a-f]{32}$/.test(id)))
  t.equal(new Set(ids).size, ids.length)
})
