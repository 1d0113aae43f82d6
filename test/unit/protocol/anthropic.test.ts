import t from 'tap'
import { applyEdits } from '../../../proxy/lib/edit.ts'
import type { Json } from '../../../proxy/lib/json.ts'
import { anthropicProtocol } from '../../../proxy/protocol/anthropic.ts'

t.test('what is refused on purpose says why', async (t) => {
  const rows: [string, string, RegExp | undefined][] = [
    ['POST', '/v1/messages/batches', /one by one/],
    ['GET', '/v1/messages/batches', /past this proxy/],
    ['GET', '/v1/messages/batches/msgbatch_1/results', /past this proxy/],
    ['POST', '/v1/messages/batches/msgbatch_1/cancel', /past this proxy/],
    ['DELETE', '/v1/messages/batches/msgbatch_1', /past this proxy/],
    ['POST', '/v1/files', /content in messages/],
    ['GET', '/v1/files/file_1/content', /files/],
    ['POST', '/v1/complete', /use messages/],
    ['POST', '/v1/skills', /kept and run/],
    ['POST', '/v1/sessions/s/events', /kept and run/],
    ['POST', '/v1/messages/else', undefined],
    ['POST', '/v1/else', undefined],
  ]
  for (const [method, path, why] of rows) {
    t.equal(anthropicProtocol.resolve(method, path), undefined, `${method} ${path}`)
    const said = anthropicProtocol.whyUnserved?.(method, path)
    if (why === undefined) t.equal(said, undefined, path)
    else t.match(said, why, path)
  }
})

const messages = anthropicProtocol.resolve('POST', '/v1/messages')
const addition = (tool: Json) => ({ type: 'tool_addition', tool })
const defined = (name: string) => addition({ type: 'tool_definition', definition: { name, input_schema: {} } })

t.test('other models that may answer or be asked are named', async (t) => {
  const advisor = { type: 'advisor_20260301', name: 'advisor', model: 'claude-dear' }
  const added = [{ role: 'user', content: [addition({ type: 'tool_definition', definition: advisor })] }]
  const read = (members: { readonly [key: string]: Json }): unknown => {
    const body: Json = { model: 'm', max_tokens: 9, messages: [], ...members }
    const reading = messages?.readRequest(body, JSON.stringify(body))
    return reading?.ok === true ? reading.content : reading
  }
  const list: Json = [{ model: 'a', max_tokens: 50 }, { model: 'b' }, 'c']
  t.match(read({ fallbacks: list }), {
    alternates: [
      { address: { path: ['fallbacks', 0] }, model: 'a' },
      { address: { path: ['fallbacks', 1] }, model: 'b' },
      { address: { path: ['fallbacks', 2] }, model: undefined },
    ],
    maxTokens: 50,
  })
  t.match(read({ fallbacks: 'default' }), { alternates: [{ address: { path: ['fallbacks'] } }], maxTokens: 9 })
  t.match(read({ fallbacks: null }), { alternates: undefined, maxTokens: 9 })
  t.match(read({ fallbacks: 5 }), { ok: false, message: /fallbacks must be/ })
  t.match(read({ Fallbacks: 'default' }), { ok: false, message: /almost like fallbacks/ })
  t.match(read({ tools: [advisor] }), { tools: [{ name: 'advisor', models: ['claude-dear'] }] })
  t.match(read({ messages: added }), { tools: [{ name: 'advisor', models: ['claude-dear'] }] })
})

/** The request without the tools of the given names. */
function without(names: readonly string[], body: { readonly [key: string]: Json }): unknown {
  const whole: Json = { model: 'm', max_tokens: 9, messages: [], ...body }
  const text = JSON.stringify(whole)
  const reading = messages?.readRequest(whole, text)
  if (reading?.ok !== true) throw new Error('not read')
  const withheld = reading.content.tools.filter(({ name }) => names.includes(name))
  return JSON.parse(applyEdits(text, messages?.withdrawTools?.(whole, withheld) ?? [])) as unknown
}

t.test('tools leave the list, with the choice that names one or that nothing is left for', async (t) => {
  const tools: Json = [
    { name: 'look', input_schema: {} },
    { type: 'bash_20250124', name: 'bash' },
  ]
  t.match(without(['bash'], { tools, tool_choice: { type: 'auto' } }), { tools: [{ name: 'look' }], tool_choice: {} })
  t.match(without(['bash'], { tools, tool_choice: { type: 'tool', name: 'bash' } }), { tool_choice: undefined })
  t.match(without(['bash'], { tools, tool_choice: { type: 'tool', name: 'look' } }), { tool_choice: { name: 'look' } })
  const none = without(['look', 'bash'], { tools, tool_choice: { type: 'auto' } })
  t.match(none, { tools: undefined, tool_choice: undefined })
})

t.test(
  'tools that a message adds are offered, too, and a text takes the place of one that may not be called',
  async (t) => {
    const content: Json = [
      defined('delete_all'),
      defined('look'),
      addition({ type: 'tool_reference', name: 'delete_all' }),
      { type: 'tool_removal', tool: { type: 'tool_reference', name: 'look' } },
    ]
    const tools: Json = [{ name: 'look', input_schema: {} }]
    const { messages: said } = without(['delete_all'], { tools, messages: [{ role: 'user', content }] }) as {
      messages: [{ content: { type: string; text?: string }[] }]
    }
    t.same(
      said[0].content.map(({ type }) => type),
      ['text', 'tool_addition', 'text', 'tool_removal'],
    )
    t.match(said[0].content[0]?.text, 'withheld a tool')
    const broken: Json = { model: 'm', messages: [{ role: 'user', content: [addition({ type: 'tool_definition' })] }] }
    t.match(messages?.readRequest(broken, JSON.stringify(broken)), { ok: false })
  },
)

t.test('so are those that a compaction adds again, and they go without a text in their place', async (t) => {
  const compaction = (...changes: Json[]) => [
    { role: 'assistant', content: [{ type: 'compaction', content: 'a', tool_changes: changes }] },
  ]
  const removal = { type: 'tool_removal', tool: { type: 'tool_reference', name: 'look' } }
  const changes = [defined('delete_all'), removal, addition({ type: 'tool_reference', name: 'delete_all' })]
  const { messages: said } = without(['delete_all'], { messages: compaction(...changes) }) as { messages: Json }
  t.same(said, compaction(removal))
})
