import t from 'tap'
import { Fault } from '../../../proxy/errors.ts'
import { Body } from '../../../proxy/upstream/body.ts'

function body(): { body: Body; calls: string[] } {
  const calls: string[] = []
  return { body: new Body({ resume: () => calls.push('resume'), abandon: () => calls.push('abandon') }), calls }
}

const kib = Buffer.alloc(1024)

t.test('what was pushed is pulled in order, then the end', async (t) => {
  const { body: queue } = body()
  queue.push(Buffer.from('a'))
  queue.push(Buffer.from('b'))
  queue.end()
  const pulled: string[] = []
  for await (const chunk of queue) pulled.push(chunk.toString())
  t.strictSame(pulled, ['a', 'b'])
  t.strictSame(await queue.next(), { value: undefined, done: true }, 'and stays ended')
})

t.test('a reader that is ahead waits', async (t) => {
  const { body: queue } = body()
  const first = queue.next()
  queue.push(kib)
  t.equal((await first).value, kib)
  const end = queue.next()
  queue.end()
  t.equal((await end).done, true)
})

t.test('two at a time is a mistake of ours', async (t) => {
  const { body: queue } = body()
  const first = queue.next()
  await t.rejects(queue.next(), { code: 'internal' })
  queue.end()
  await first
})

t.test('it asks for a pause at 64 KiB or 128 pieces and for more once drained', async (t) => {
  const large = body()
  for (let pushed = 1; pushed <= 64; pushed++) t.equal(large.body.push(kib), pushed < 64)
  for (let pulled = 1; pulled <= 64; pulled++) {
    await large.body.next()
    t.equal(large.calls.length, pulled < 64 ? 0 : 1)
  }
  const small = body()
  for (let pushed = 1; pushed <= 128; pushed++) t.equal(small.body.push(Buffer.from('x')), pushed < 128)
})

t.test('a failure comes after what was received before it, and once', async (t) => {
  const { body: queue } = body()
  queue.push(kib)
  queue.fail(new Fault('upstream-truncated'))
  t.equal((await queue.next()).value, kib)
  await t.rejects(queue.next(), { code: 'upstream-truncated' })
  t.equal((await queue.next()).done, true)
})

t.test('a reader that stops early lets go of the rest', async (t) => {
  const { body: queue, calls } = body()
  queue.push(kib)
  queue.push(kib)
  for await (const chunk of queue) {
    t.equal(chunk, kib)
    break
  }
  t.strictSame(calls, ['abandon'])
  t.equal((await queue.next()).done, true)
  const ended = body()
  ended.body.end()
  await ended.body.return()
  t.strictSame(ended.calls, [], 'nothing is left to let go of')
})

t.test('letting go wakes a waiting reader', async (t) => {
  const { body: queue } = body()
  const waiting = queue.next()
  await queue.return()
  t.equal((await waiting).done, true)
})

t.test('all of it is taken at once where all of it has come and nothing went wrong', async (t) => {
  const { body: queue } = body()
  queue.push(kib)
  t.equal(queue.arrived(), undefined, 'the end has not come')
  queue.end()
  t.strictSame(queue.arrived(), [kib])
  t.strictSame(await queue.next(), { value: undefined, done: true })
  const cut = body().body
  cut.push(kib)
  cut.fail(new Fault('upstream-truncated'))
  t.equal(cut.arrived(), undefined, 'a failure is for whoever reads')
  t.equal((await cut.next()).value, kib)
  await t.rejects(cut.next(), { code: 'upstream-truncated' })
})
