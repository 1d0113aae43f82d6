import t from 'tap'
import { gather } from '../../../proxy/lib/gather.ts'

void t.test('a body as long as it may be is whole; of a longer one the rest is not read', async (t) => {
  let read = 0
  let ended = false
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for (; read < 4; read += 1) yield Buffer.from('abc')
    } finally {
      ended = true
    }
  }
  t.equal(String(await gather(body(), 12)), 'abcabcabcabc')
  read = 0
  ended = false
  t.equal(await gather(body(), 5), undefined)
  t.equal(read, 1)
  t.ok(ended)
  t.equal((await gather((async function* () {})(), 0))?.length, 0)
})

void t.test('what has arrived already is taken without waiting, under the same limit', (t) => {
  const arrived = (chunks: readonly string[]) => ({
    arrived: () => chunks.map((text) => Buffer.from(text)),
    [Symbol.asyncIterator]: () => t.fail('it is not to be iterated') as never,
  })
  t.equal(textOf(gather(arrived(['abc', 'abc']), 6)), 'abcabc')
  t.equal(textOf(gather(arrived(['abc']), 3)), 'abc')
  t.equal(textOf(gather(arrived([]), 0)), '')
  t.equal(gather(arrived(['abc', 'abc']), 5), undefined)
  t.end()
})

function textOf(gathered: ReturnType<typeof gather>): string {
  return gathered instanceof Buffer ? gathered.toString() : 'nothing yet'
}
