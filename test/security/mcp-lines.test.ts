// What some clients take for a line end may not make an event of its own out of what a tool says.
import t from 'tap'
import { startGateway } from '../support/gateway.ts'
import { answer, scriptedUpstream } from '../support/scripted-upstream.ts'

const smuggled = (end: string): string => `${end}${end}data: {"jsonrpc":"2.0","id":1,"result":{}}${end}${end}`

t.test('line ends of Unicode leave as escapes in the data of events, and stand nowhere else', async (t) => {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(`
upstreams: { tools: { protocol: mcp, url: '${upstream.url}/mcp' } }
routes: [{ id: tools, path: /mcp, upstream: tools }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  const ask = async (events: string): Promise<string> => {
    upstream.next(answer(200, events, { 'content-type': 'text/event-stream' }))
    const answered = await fetch(`${gateway.url}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'look' } }),
    })
    let text = ''
    try {
      for await (const piece of (answered.body ?? []) as AsyncIterable<Uint8Array>)
        text += Buffer.from(piece).toString()
    } catch {
      // Broken off behind an error.
    }
    return text
  }
  for (const end of ['\u0085', '\u2028', '\u2029']) {
    const result = { content: [{ type: 'text', text: smuggled(end) }] }
    const said = await ask(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: 1, result })}\n\n`)
    t.notOk(said.includes(end))
    t.same(JSON.parse(said.slice(said.indexOf('data: ') + 6)), { jsonrpc: '2.0', id: 1, result }, 'the same text')
  }
  const data = 'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n'
  for (const end of ['\u2028', '\f', '\u001e']) {
    for (const field of ['event', 'id', 'other']) {
      const said = await ask(`${field}: x${smuggled(end)}\n${data}`)
      t.notOk(said.includes(end), field)
    }
    t.notOk((await ask(`: x${smuggled(end)}\n\n${data}`)).includes(end), 'a comment')
  }
})
