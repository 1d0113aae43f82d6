// How denied calls leave answers that are known whole: what is edited, and what is left as it was.
import t from 'tap'
import { applyEdits } from '../../../proxy/lib/edit.ts'
import type { Json } from '../../../proxy/lib/json.ts'
import { anthropicProtocol } from '../../../proxy/protocol/anthropic.ts'
import { geminiProtocol } from '../../../proxy/protocol/gemini.ts'
import { openaiProtocol } from '../../../proxy/protocol/openai.ts'
import type { Operation } from '../../../proxy/protocol/protocol.ts'

/** The answer without the calls at these places in the list of its calls. */
function refuse(operation: Operation | undefined, body: object, ...which: number[]): unknown {
  const text = JSON.stringify(body)
  const value = JSON.parse(text) as Json
  const reading = operation?.readAnswer(value, text)
  if (reading?.ok !== true) throw new Error(reading?.message ?? 'not served')
  const calls = reading.content.toolCalls
  const refused = which.map((at) => ({ call: calls[at] as (typeof calls)[number], text: `No ${at}.` }))
  return JSON.parse(applyEdits(text, operation?.refuseCalls?.(value, refused) ?? []))
}

const chat = openaiProtocol.resolve('POST', '/v1/chat/completions')
const messages = anthropicProtocol.resolve('POST', '/v1/messages')
const generate = geminiProtocol.resolve('POST', '/v1beta/models/m:generateContent')

const called = (name: string) => ({ id: name, type: 'function', function: { name, arguments: '{"n":1.50}' } })
const choices = (message: object, finish_reason: string) => ({ choices: [{ index: 0, message, finish_reason }] })

t.test('OpenAI', async (t) => {
  const both = [called('a'), called('b')]
  t.same(
    refuse(chat, choices({ content: null, tool_calls: both }, 'tool_calls'), 0, 1),
    choices({ content: 'No 0.\n\nNo 1.' }, 'stop'),
  )
  t.same(
    refuse(chat, choices({ content: 'So.', tool_calls: both }, 'tool_calls'), 0),
    choices({ content: 'So.\n\nNo 0.', tool_calls: [called('b')] }, 'tool_calls'),
  )
  t.same(refuse(chat, choices({ tool_calls: [called('a')] }, 'length'), 0), choices({ content: 'No 0.' }, 'length'))
  const legacy = { name: 'a', arguments: '{}' }
  t.same(
    refuse(chat, choices({ content: '', function_call: legacy }, 'function_call'), 0),
    choices({ content: 'No 0.' }, 'stop'),
  )
  t.same(
    refuse(chat, choices({ content: null, tool_calls: [called('a')], function_call: legacy }, 'tool_calls'), 0),
    choices({ content: 'No 0.', function_call: legacy }, 'tool_calls'),
  )
  const parts = [{ type: 'text', text: 'So.' }]
  t.same(
    refuse(chat, choices({ content: parts, tool_calls: [called('a')] }, 'tool_calls'), 0),
    choices({ content: [...parts, { type: 'text', text: 'No 0.' }] }, 'stop'),
  )
  const two = {
    choices: [
      choices({ content: 'x' }, 'stop').choices[0],
      { index: 1, message: { tool_calls: [called('a')] }, finish_reason: 'tool_calls' },
    ],
  }
  t.match(refuse(chat, two, 0), {
    choices: [{ message: { content: 'x' } }, { message: { content: 'No 0.' }, finish_reason: 'stop' }],
  })
})

t.test('Anthropic', async (t) => {
  const use = (id: string, type = 'tool_use') => ({ type, id, name: id, input: {} })
  const text = (text: string) => ({ type: 'text', text })
  t.same(refuse(messages, { content: [text('So.'), use('a')], stop_reason: 'tool_use' }, 0), {
    content: [text('So.'), text('No 0.')],
    stop_reason: 'end_turn',
  })
  t.same(refuse(messages, { content: [use('a'), use('b')], stop_reason: 'tool_use' }, 0), {
    content: [text('No 0.'), use('b')],
    stop_reason: 'tool_use',
  })
  const result = { type: 'web_search_tool_result', tool_use_id: 's', content: [{ title: 'x' }] }
  const searched = { content: [use('s', 'server_tool_use'), result, text('Found.')], stop_reason: 'end_turn' }
  const withheld = text('[Gatewright withheld the result of a denied tool call.]')
  t.same(refuse(messages, searched, 0), { content: [text('No 0.'), withheld, text('Found.')], stop_reason: 'end_turn' })
})

t.test('Gemini', async (t) => {
  const of = (...parts: object[]) => ({ candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }] })
  const call = (name: string) => ({ functionCall: { name, args: {} }, thoughtSignature: 'c2ln' })
  t.same(
    refuse(generate, of({ text: 'So.' }, call('a'), call('b')), 0),
    of({ text: 'So.' }, { text: 'No 0.' }, call('b')),
  )
  t.throws(() => refuse(generate, of({ text: 'So.', ...call('a') })), /two kinds/)
})

const code = { code: 'x', language: 'PYTHON' }
const output = { outcome: 'OUTCOME_OK', output: 'secret' }
const withheld = { text: '[Gatewright withheld the result of a denied tool call.]' }

/** What a part's neighbours become; the calls at these places are denied. */
const runs: readonly [string, readonly object[], readonly number[], readonly object[]][] = [
  [
    'without ids',
    [
      { executableCode: code },
      { codeExecutionResult: output },
      { executableCode: code },
      { codeExecutionResult: output },
    ],
    [0],
    [{ text: 'No 0.' }, withheld, { executableCode: code }, { codeExecutionResult: output }],
  ],
  [
    'with ids, out of order',
    [
      { executableCode: { ...code, id: 'a' } },
      { executable_code: { ...code, id: 'b' } },
      { code_execution_result: { ...output, id: 'b' } },
      { codeExecutionResult: { ...output, id: 'a' } },
    ],
    [0],
    [
      { text: 'No 0.' },
      { executable_code: { ...code, id: 'b' } },
      { code_execution_result: { ...output, id: 'b' } },
      withheld,
    ],
  ],
  [
    'of a tool beside code',
    [
      { toolCall: { toolType: 'GOOGLE_SEARCH_WEB', args: {} } },
      { executableCode: code },
      { toolResponse: { toolType: 'GOOGLE_SEARCH_WEB', response: { r: 'secret' } } },
      { codeExecutionResult: output },
      { text: 'So.' },
    ],
    [0],
    [{ text: 'No 0.' }, { executableCode: code }, withheld, { codeExecutionResult: output }, { text: 'So.' }],
  ],
]

t.test("what came of a denied call of Gemini's own goes with it", async (t) => {
  const answer = (parts: readonly object[]) => ({ candidates: [{ index: 0, content: { parts } }] })
  for (const [name, parts, which, expected] of runs) {
    t.same(refuse(generate, answer(parts), ...which), answer(expected), name)
    const stream = generate?.openStream?.()
    let before = 0
    const seen = parts.map((part) => {
      const data = JSON.stringify(answer([part]))
      const step = stream?.read({ event: 'message', data })
      if (step?.ok !== true) throw new Error('not read')
      const refused = step.calls.flatMap((call) => (which.includes(before) ? [{ call, text: `No ${before}.` }] : []))
      before += step.calls.length
      const edits = stream?.amend?.(step.value ?? null, refused) ?? []
      return (JSON.parse(applyEdits(data, edits)) as ReturnType<typeof answer>).candidates[0]?.content.parts[0]
    })
    t.same(seen, expected, `${name}, as a stream`)
  }
  const other = { index: 1, content: { parts: [{ codeExecutionResult: output }] } }
  const both = { candidates: [{ index: 0, content: { parts: [{ executableCode: code }] } }, other] }
  t.match(refuse(generate, both, 0), { candidates: [{}, other] }, 'another candidate keeps its own')
})
