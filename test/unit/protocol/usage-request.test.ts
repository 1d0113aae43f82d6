// What is added to a request so that its stream says what it used, and which event answers that.
import t from 'tap'
import { applyEdits } from '../../../proxy/lib/edit.ts'
import { parseJsonText, type Json } from '../../../proxy/lib/json.ts'
import { askUsage, isUsageOnly } from '../../../proxy/protocol/usage-request.ts'
import type { ProtocolName } from '../../../proxy/protocol/protocol.ts'

function asking(text: string, operation = 'chat.completions', protocol: ProtocolName = 'openai'): string | undefined {
  const parsed = parseJsonText(text, { depthMax: 8, keysMax: 100 })
  if (!parsed.ok) throw new Error(parsed.message)
  const edit = askUsage(protocol, operation, parsed.value)
  return edit === undefined ? undefined : applyEdits(text, [edit])
}

t.test('a stream is asked for its usage', async (t) => {
  t.equal(asking('{"stream":true}'), '{"stream":true,"stream_options":{"include_usage":true}}')
  t.equal(asking('{"stream":true}', 'completions'), '{"stream":true,"stream_options":{"include_usage":true}}')
  t.equal(
    asking('{"stream_options":{"include_obfuscation":false},"stream":true}'),
    '{"stream_options":{"include_obfuscation":false,"include_usage":true},"stream":true}',
  )
  for (const no of ['false', 'null', '0', '"no"', '1'])
    t.equal(
      asking(`{"stream":true,"stream_options":{"include_usage":${no}}}`),
      '{"stream":true,"stream_options":{"include_usage":true}}',
    )
  for (const none of ['null', 'false', '[]', '""'])
    t.equal(
      asking(`{"stream":true,"stream_options":${none}}`),
      '{"stream":true,"stream_options":{"include_usage":true}}',
    )
})

t.test('what asks itself, and what is no such stream, stays as it is', async (t) => {
  t.equal(asking('{"stream":true,"stream_options":{"include_usage":true}}'), undefined)
  for (const text of ['{"stream":false}', '{"stream":null}', '{}', '[]']) t.equal(asking(text), undefined)
  t.equal(asking('{"stream":true}', 'responses'), undefined)
  t.equal(asking('{"stream":true}', 'messages', 'anthropic'), undefined)
})

t.test('the event that says only what was used', async (t) => {
  const usage = { prompt_tokens: 1 }
  for (const choices of [[], null]) t.ok(isUsageOnly({ choices, usage }))
  t.ok(isUsageOnly({ usage }))
  const others: readonly (Json | undefined)[] = [
    { choices: [{ index: 0, delta: {} }], usage },
    // The first event of Azure's.
    { choices: [], prompt_filter_results: [] },
    { choices: [], usage: null },
    [],
    undefined,
  ]
  for (const other of others) t.notOk(isUsageOnly(other))
})
