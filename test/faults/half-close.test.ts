// Clients that end their side of the connection once they have asked, which HTTP lets them (RFC 9112 §9.6) and which looks
// just like leaving: they get a whole answer or one that is visibly cut, and the record says which.
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { untilOutcomes } from '../support/audit-lines.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { answer, chunk, chunkedHead, scriptedUpstream, type Scene } from '../support/scripted-upstream.ts'

t.setTimeout(30_000)

const plain = { 'content-type': 'text/plain' }
/** Answers that stop in their middle, as long as somebody is there. */
const stopping: Record<string, string> = {
  'of a known length': answer(200, 'one two three', plain).slice(0, -6),
  chunked: chunkedHead(200, plain) + chunk('one two'),
  'that ends with its connection': 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\none two',
  'as a stream': chunkedHead(200, { 'content-type': 'text/event-stream' }) + chunk('data: {"one":1}\n\n'),
}
const asking: Record<string, (path: string) => string> = {
  'HTTP/1.0': (path) => `GET ${path} HTTP/1.0\r\n\r\n`,
  'HTTP/1.1': (path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`,
  'HTTP/1.1 that closes': (path) => `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
}

type Got = { readonly text: string; readonly how: 'end' | 'reset' }

/** Ends its side with the request, or with the first bytes of the answer. */
function halfClose(gateway: TestGateway, request: string, when: 'at once' | 'in its middle'): Promise<Got> {
  return new Promise((resolve) => {
    const socket = connect({ port: gateway.gateway.data.port, host: '127.0.0.1', allowHalfOpen: true })
    let text = ''
    let how: Got['how'] = 'end'
    if (when === 'at once') socket.end(request)
    else socket.write(request)
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      socket.end()
    })
    socket.on('error', () => (how = 'reset'))
    socket.on('close', () => resolve({ text, how }))
  })
}

type Setup = { readonly gateway: TestGateway; readonly play: (script: (scene: Scene) => Promise<void>) => void }

async function open(t: Test): Promise<Setup> {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(`
upstreams: { crm: { protocol: http, url: "${upstream.url}", breaker: { consecutive: 1000, minimum: 1000 } } }
routes: [{ id: crm, path: /crm, upstream: crm }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  return { gateway, play: (script) => void upstream.always(script) }
}

t.test('an answer that is cut never looks whole', async (t) => {
  const { gateway, play } = await open(t)
  let count = 0
  for (const [version, ask] of Object.entries(asking)) {
    for (const [framing, beginning] of Object.entries(stopping)) {
      const told = new Promise<void>((resolve) => {
        play(async (scene) => {
          await scene.write(beginning)
          await scene.closed
          resolve()
        })
      })
      const { text, how } = await halfClose(gateway, ask('/crm/x'), 'in its middle')
      const what = `${version}, an answer ${framing}`
      t.match(text, /^HTTP\/1\.1 200 /, what)
      t.match(text, /one/, what)
      const headers = text.slice(0, text.indexOf('\r\n\r\n'))
      const framed = /transfer-encoding: chunked|content-length/i.test(headers)
      t.ok(how === 'reset' || framed, `${what}: it can be seen`)
      t.notMatch(text, /\r\n0\r\n\r\n$/, what)
      await told
      count += 1
      t.match((await untilOutcomes(gateway.auditDir, count)).at(-1), {
        end: /client-gone|broken-off/,
        fault: 'client-aborted',
      })
    }
  }
})

t.test('who ends before the answer begins gets nothing that looks like one', async (t) => {
  const { gateway, play } = await open(t)
  play(({ closed }) => closed)
  const got = await Promise.all(Object.values(asking).map((ask) => halfClose(gateway, ask('/crm/x'), 'at once')))
  t.same(
    got.map(({ text }) => text),
    ['', '', ''],
  )
  for (const outcome of await untilOutcomes(gateway.auditDir, 3))
    t.match(outcome, { end: 'client-gone', fault: 'client-aborted' })
})

t.test('what is there soon is whole', async (t) => {
  const { gateway, play } = await open(t)
  for (const [version, ask] of Object.entries(asking)) {
    const { text, how } = await halfClose(gateway, ask('/nowhere'), 'at once')
    t.match(text, /^HTTP\/1\.1 404 [^]*\r\n\r\n\{.*\}$/, version)
    t.equal(how, 'end', version)
  }
  const two = await halfClose(gateway, asking['HTTP/1.1']?.('/nowhere').repeat(2) ?? '', 'at once')
  t.equal(two.text.match(/HTTP\/1\.1 404 /g)?.length, 2, 'so is what was asked ahead')
  await untilOutcomes(gateway.auditDir, 5)
  play((scene) => scene.write(answer(200, 'one two three', plain)))
  const { text, how } = await halfClose(gateway, asking['HTTP/1.0']?.('/crm/x') ?? '', 'at once')
  // How long the upstream takes is its own business here.
  const end = (await untilOutcomes(gateway.auditDir, 6)).at(-1)?.['end']
  t.equal(end === 'complete', text.endsWith('\r\n\r\none two three') && how === 'end', 'the record tells')
})
