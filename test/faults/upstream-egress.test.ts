// Names that lead where nobody may go, with a name server that answers what it is told: only the address that a socket
// connects to is judged, each time it connects.
import type { LookupAddress } from 'node:dns'
import t from 'tap'
import { compileUpstream } from '../../proxy/upstream/settings.ts'
import type { Lookup } from '../../proxy/upstream/egress.ts'
import { answer, scriptedUpstream } from '../support/scripted-upstream.ts'
import { faultOf, get, never, open, text } from '../unit/upstream/harness.ts'

/** Answers with the first list, then the second, and with the last one from then on. */
class NameServer {
  asked = 0
  readonly #answers: readonly (readonly string[])[]

  constructor(...answers: (readonly string[])[]) {
    this.#answers = answers
  }

  readonly lookup: Lookup = (_name, _options, callback) => {
    const addresses = this.#answers[Math.min(this.asked, this.#answers.length - 1)] ?? []
    this.asked += 1
    const found = addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }))
    setImmediate(() => callback(null, found))
  }
}

const once = { retry: { attempts: 1 }, breaker: { consecutive: 1 } }

t.test('S01, S02: a name that leads to a special address is refused, however the address is written', async (t) => {
  const server = await scriptedUpstream()
  t.teardown(() => server.close())
  for (const address of [
    '127.0.0.1',
    '127.8.8.8',
    '::1',
    '0.0.0.0',
    '::',
    '169.254.169.254',
    'fd00:ec2::254',
    '100.64.0.1',
    '100.100.100.200',
    '224.0.0.1',
    'ff02::1',
    'fe80::1',
    'fe80::1%lo',
    '255.255.255.255',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::7f00:1',
    '2002:7f00:1::',
    '2002:a9fe:a9fe::1',
    '2001:0:101:101:0:0:80ff:fffe',
    '2130706433',
    '0177.0.0.1',
    '0x7f000001',
    '127.1',
    '127.0.0.1.',
    '１２７.0.0.1',
  ]) {
    const names = new NameServer([address])
    const { upstream } = open(`http://rebound.example:${server.port}`, once, { lookup: names.lookup })
    const fault = await faultOf(t, upstream.send(get, never()), 'upstream-refused-address')
    t.notMatch(fault.message, address, 'and the client is not told which')
    t.equal(names.asked, 1, `${address}: asked once`)
    t.equal(upstream.state(), 'closed', 'which says nothing about its health')
    await upstream.close()
  }
  t.equal(server.connections, 0)
})

t.test('S01: private addresses pass, unless egress says otherwise', async (t) => {
  const server = await scriptedUpstream()
  t.teardown(() => server.close())
  for (const address of ['10.0.0.1', '192.168.0.1', '172.16.0.1', 'fd00::1', '::ffff:10.0.0.1']) {
    const names = new NameServer([address])
    const options = { ...once, egress: ['203.0.113.0/24'] }
    const { upstream } = open(`http://private.example:${server.port}`, options, { lookup: names.lookup })
    await faultOf(t, upstream.send(get, never()), 'upstream-refused-address')
    await upstream.close()
  }
})

t.test('S03: each connection has its own judgement, on the very answer that it connects to', async (t) => {
  const server = await scriptedUpstream()
  server.always(answer(200, 'x', { connection: 'close' }))
  t.teardown(() => server.close())
  const names = new NameServer(['127.0.0.1'], ['127.0.0.2'], ['127.0.0.1'])
  const options = { ...once, egress: ['127.0.0.1/32'] }
  const { upstream } = open(`http://rebound.example:${server.port}`, options, { lookup: names.lookup })
  t.equal(await text((await upstream.send(get, never())).body), 'x')
  await server.quiet()
  await faultOf(t, upstream.send(get, never()), 'upstream-refused-address')
  t.equal(await text((await upstream.send(get, never())).body), 'x', 'a name that comes back is served again')
  t.strictSame([names.asked, server.connections], [3, 2], 'one question a connection, none beside it')
  await upstream.close()
})

t.test('S03: of several addresses only those that may be reached are tried', async (t) => {
  const server = await scriptedUpstream()
  server.always(answer(200, 'x'))
  t.teardown(() => server.close())
  const names = new NameServer(['169.254.169.254', '127.0.0.2', '::1', '127.0.0.1'])
  const options = { ...once, egress: ['127.0.0.1/32'] }
  const { upstream } = open(`http://many.example:${server.port}`, options, { lookup: names.lookup })
  t.equal(await text((await upstream.send(get, never())).body), 'x')
  const [socket] = server.sockets
  t.equal(socket?.localAddress, '127.0.0.1')
  await upstream.close()
})

t.test('localhost means loopback, by whatever the resolver says it is, and nothing else', async (t) => {
  const server = await scriptedUpstream()
  server.always(answer(200, 'x'))
  t.teardown(() => server.close())
  const url = `http://localhost:${server.port}`
  const meant = open(url, once, { lookup: new NameServer(['127.0.0.1']).lookup })
  t.equal(await text((await meant.upstream.send(get, never())).body), 'x')
  await meant.upstream.close()
  const lying = open(url, once, { lookup: new NameServer(['169.254.169.254']).lookup })
  await faultOf(t, lying.upstream.send(get, never()), 'upstream-refused-address')
  await lying.upstream.close()
})

t.test(
  'an address written in the URL, and localhost, are reached beside an egress that does not hold them',
  async (t) => {
    const server = await scriptedUpstream()
    server.always(answer(200, 'x'))
    t.teardown(() => server.close())
    const options = { ...once, egress: ['203.0.113.0/24'] }
    const names = new NameServer(['127.0.0.1'])
    for (const host of ['127.0.0.1', 'localhost']) {
      const { upstream } = open(`http://${host}:${server.port}`, options, { lookup: names.lookup })
      t.equal(await text((await upstream.send(get, never())).body), 'x', host)
      await upstream.close()
    }
    const lying = open(`http://localhost:${server.port}`, options, { lookup: new NameServer(['10.0.0.1']).lookup })
    await faultOf(t, lying.upstream.send(get, never()), 'upstream-refused-address')
    await lying.upstream.close()
  },
)

const judged = (url: string, egress?: string[]): string | undefined =>
  compileUpstream({ protocol: 'http', url, ...(egress === undefined ? {} : { egress }) }, []).problems[0]?.message

t.test('S02: an address in the URL has one verdict, however it is written', async (t) => {
  for (const host of [
    '127.0.0.1',
    '2130706433',
    '0177.1',
    '0x7f.1',
    '127.1',
    '127.0.0.1.',
    '１２７.0.0.1',
    '０x7f.1',
  ]) {
    const { settings } = compileUpstream({ protocol: 'http', url: `http://${host}:8080` }, [])
    t.equal(settings?.origin, 'http://127.0.0.1:8080', host)
    t.equal(judged(`http://${host}`, ['203.0.113.0/24']), undefined, host)
  }
  t.match(judged('http://[fe80::1%25eth0]'), /not a URL/, 'a zone')
})

t.test('S05: what is put into a URL from outside cannot take its end off', async (t) => {
  for (const resource of ['evil.test#', 'evil.test?', 'user@evil.test', 'a:b@evil.test', '[', ' ', '%2e%2e@'])
    t.type(judged(`https://${resource}.openai.example`), 'string', resource)
})

t.test('S06: only http and https', async (t) => {
  for (const url of [
    'unix:/run/x.sock',
    'http+unix://%2Frun%2Fx.sock',
    'file:///etc/passwd',
    'gopher://x.test/_GET',
    'ftp://x.test',
    'ws://x.test',
    'javascript:alert(1)',
    'data:,x',
  ])
    t.type(judged(url), 'string', url)
  t.equal(judged('HTTPS://api.example.com/v1'), undefined)
})
