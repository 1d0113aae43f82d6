// Bodies whose length is not announced cannot get past a limit of bytes: the longest is reserved until it is known how long
// they are, whether they are read here or streamed on.
import { once } from 'node:events'
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import t, { type Test } from 'tap'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { answer, scriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts'

t.setTimeout(60_000)

type World = { readonly gateway: TestGateway; readonly upstream: ScriptedUpstream }

async function world(t: Test, more: string): Promise<World> {
  const upstream = (await scriptedUpstream()).always(answer(200, 'ok'))
  const gateway = await startGateway(`
server: { limits: { body: 4KiB } }
upstreams: { tool: { protocol: http, url: "${upstream.url}" } }
routes: [{ id: tool, path: /tool, upstream: tool }]
principals: [{ id: agent }]
anonymous: agent
${more}`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  return { gateway, upstream }
}

/** Chunked, and not ended yet. */
function begin({ gateway }: World): ClientRequest {
  const sent = request(`${gateway.url}/tool/a`, { method: 'POST', headers: { 'content-type': 'text/plain' } })
  sent.flushHeaders()
  return sent
}

async function reply(sent: ClientRequest): Promise<{ status: number; text: string; left: number }> {
  const [got] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const piece of got) text += String(piece)
  const left = Number(/"bytes:bytes";r=(\d+)/.exec(String(got.headers['ratelimit']))?.[1])
  return { status: got.statusCode ?? 0, text, left }
}

async function post({ gateway }: World, body: string): Promise<{ status: number; text: string; left: number }> {
  const headers = { 'content-type': 'text/plain', 'content-length': body.length }
  return reply(request(`${gateway.url}/tool/a`, { method: 'POST', headers }).end(body))
}

async function underWay({ gateway }: World, count: number): Promise<void> {
  while (gateway.gateway.metrics.inflight.level !== count) await new Promise(setImmediate)
}

const bytes = 'limits: [{ id: bytes, by: [principal], bytes: 10000/h }]'
const redaction = 'redaction: [{ id: out, direction: request, detect: [email], action: mask }]'

for (const [how, more] of [
  ['streamed on', `defaultEffect: allow\n${bytes}`],
  ['read', `defaultEffect: allow\n${bytes}\n${redaction}`],
] as const) {
  t.test(`a body of unknown length that is ${how}`, async (t) => {
    const at = await world(t, more)
    const [first, second] = [begin(at), begin(at)]
    first.write('x'.repeat(100))
    second.write('x')
    await underWay(at, 2)
    t.match(
      await reply(begin(at).end('x')),
      { status: 429, text: /does not say how long its body is/ },
      'two of the longest are reserved',
    )
    first.end('x'.repeat(900))
    second.end()
    t.match(await Promise.all([reply(first), reply(second)]), [{ status: 200 }, { status: 200 }])
    await underWay(at, 0)
    // 1000 and 1 went in, and `ok` came out of each; ten are reserved now.
    t.match(await post(at, 'x'.repeat(10)), { status: 200, left: 10_000 - 1000 - 1 - 2 * 2 - 10 })
  })
}

t.test('a body that is too long, or that nobody wants, counts as what came of it', async (t) => {
  const at = await world(t, `defaultEffect: deny\n${bytes}\n${redaction}`)
  for (const body of ['x'.repeat(100), 'x'.repeat(5000)]) await reply(begin(at).end(body))
  await underWay(at, 0)
  const { status, left } = await post(at, 'xx')
  t.equal(status, 403)
  t.ok(left <= 10_000 - 100 - 4097 - 2 && left > 0, `${left} are left`)
})

t.test('where a limit must know the body, its length is known, too', async (t) => {
  const calls = '{ id: calls, by: [principal], toolCalls: 100/h }'
  const at = await world(t, `defaultEffect: allow\n${bytes.replace('}]', `}, ${calls}]`)}`)
  const { status, left } = await reply(begin(at).end('x'.repeat(30)))
  t.same([status, left], [200, 10_000 - 30])
})
