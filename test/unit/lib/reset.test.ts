import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { resetConnection } from '../../../proxy/lib/reset.ts'

type Ends = { readonly near: Socket; readonly far: Socket; readonly seen: Promise<unknown> }

async function pair(t: Test): Promise<Ends> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const far = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  const seen = new Promise((resolve) => far.once('error', (error: NodeJS.ErrnoException) => resolve(error.code)))
  const [near] = (await once(server, 'connection')) as [Socket]
  t.teardown(() => {
    far.destroy()
    server.close()
  })
  return { near, far, seen }
}

async function closes(t: Test, { near }: Ends): Promise<void> {
  near.once('error', (error) => t.fail(String(error)))
  const closed = once(near, 'close')
  resetConnection(near)
  await closed
}

t.test('an open connection', async (t) => {
  const ends = await pair(t)
  await closes(t, ends)
  t.equal(await ends.seen, 'ECONNRESET')
})

t.test('one that has been ended just now, and one whose last bytes have not gone', async (t) => {
  const ended = await pair(t)
  ended.far.resume()
  ended.near.end()
  await closes(t, ended)
  t.ok(ended.near.destroyed)
  const last = await pair(t)
  last.near.end('x'.repeat(10_000_000))
  await closes(t, last)
  t.equal(await last.seen, 'ECONNRESET')
})

t.test('one that has been ended for a while', async (t) => {
  const ends = await pair(t)
  ends.far.resume()
  ends.near.end()
  await once(ends.far, 'end')
  await closes(t, ends)
  t.ok(ends.near.destroyed)
})

t.test('one that is gone', async (t) => {
  const { near } = await pair(t)
  near.destroy()
  resetConnection(near)
  await once(near, 'close')
  t.ok(near.destroyed)
})
