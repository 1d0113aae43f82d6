// The little of an AbortSignal that every request carries.
import t from 'tap'
import { Fault } from '../../../proxy/errors.ts'
import { Abort } from '../../../proxy/server/abort.ts'

t.test('tells each listener once, with the first reason', async (t) => {
  const abort = new Abort()
  const told: unknown[] = []
  abort.addEventListener('abort', () => told.push(abort.reason?.code))
  abort.addEventListener('abort', { handleEvent: () => told.push('object') })
  t.notOk(abort.aborted)
  abort.abort(new Fault('client-aborted'))
  abort.abort(new Fault('shutting-down'))
  t.ok(abort.aborted)
  t.same(told, ['client-aborted', 'object'])
})

t.test('one that was taken off is not told, nor does it take another with it', async (t) => {
  const abort = new Abort()
  const told: string[] = []
  const first = (): void => {
    told.push('first')
    abort.removeEventListener('abort', first)
  }
  const second = (): void => void told.push('second')
  const third = (): void => void told.push('third')
  for (const listener of [first, second, third]) abort.addEventListener('abort', listener)
  abort.removeEventListener('abort', second)
  abort.removeEventListener('abort', second)
  abort.abort(new Fault('client-aborted'))
  t.same(told, ['first', 'third'])
})
