import t from 'tap'
import { applyEdits } from '../../../proxy/lib/edit.ts'
import { geminiProtocol } from '../../../proxy/protocol/gemini.ts'
import type { StreamReader } from '../../../proxy/protocol/protocol.ts'
import { feed } from './golden.ts'

function open(): StreamReader {
  const reader = geminiProtocol.resolve('POST', '/v1/models/m:streamGenerateContent')?.openStream?.()
  if (reader === undefined) throw new Error('no stream')
  return reader
}

const chunk = (parts: readonly object[], more: object = {}) => ({
  candidates: [{ content: { parts, role: 'model' }, index: 0, ...more }],
})
const text = (said: string) => chunk([{ text: said }])
const stop = { finishReason: 'STOP' }

t.test('what has no single meaning is refused', async (t) => {
  const rows: [string, unknown[]][] = [
    ['nothing', ['']],
    ['not JSON', ['[DONE]']],
    ['a list', [[text('a')]]],
    ['candidates that are none', [{ candidates: {} }]],
    ['a candidate that is none', [{ candidates: ['a'] }]],
    ['an index that is none', [{ candidates: [{ index: 'a' }] }]],
    ['an index between two', [{ candidates: [{ index: 0.5 }] }]],
    ['a candidate twice', [{ candidates: [{ index: 0 }, { index: 0 }] }]],
    ['a candidate twice, once without index', [{ candidates: [{ index: 1 }, {}] }]],
    ['parts that are none', [{ candidates: [{ content: { parts: { text: 'a' } } }] }]],
    ['a text that is none', [chunk([{ text: ['a'] }])]],
    ['a call of nothing', [chunk([{ functionCall: { args: {} } }])]],
    ['a call in pieces', [chunk([{ functionCall: { name: 'f', willContinue: true } }])]],
    ['both spellings', [chunk([{ functionCall: { name: 'f' }, function_call: { name: 'g' } }])]],
    ['both spellings of the reason', [chunk([], { finishReason: null, finish_reason: 'STOP' })]],
    ['text after the end', [chunk([], stop), text('a')]],
    ['a call after the end', [chunk([], stop), chunk([{ functionCall: { name: 'f' } }])]],
  ]
  for (const [name, data] of rows) t.match(feed(open(), ...data), { ok: false }, name)
})

t.test('the end is a reason for every candidate', async (t) => {
  const ends = (...data: unknown[]) => (feed(open(), ...data) as { terminal?: boolean }).terminal
  const second = (more: object) => ({ candidates: [{ index: 1, content: { parts: [{ text: 'b' }] }, ...more }] })
  t.equal(ends(text('a')), false)
  t.equal(ends(text('a'), chunk([], stop)), true)
  t.equal(ends(chunk([{ text: 'a' }], stop)), true)
  t.equal(ends(chunk([{ text: 'a' }], { finish_reason: 'STOP' })), true)
  t.equal(ends(chunk([{ text: 'a' }], { finishReason: 1 })), true)
  for (const finishReason of ['', null, 0, 'FINISH_REASON_UNSPECIFIED'])
    t.equal(ends(chunk([], { finishReason })), false, String(finishReason))
  t.equal(ends(text('a'), second({}), chunk([], stop)), false, 'the second goes on')
  t.equal(ends(text('a'), second({}), chunk([], stop), second(stop)), true)
  t.equal(ends({ candidates: [{ content: { parts: [{ text: 'a' }] }, ...stop }] }), true, 'without an index')
  t.equal(ends({ usageMetadata: {} }), false, 'nothing was said')
  t.equal(ends({ promptFeedback: { blockReason: 'SAFETY' } }), true)
  t.equal(ends({ promptFeedback: { safetyRatings: [] } }), false)
  t.equal(ends(chunk([], stop), { usageMetadata: {} }, chunk([{ text: '' }])), true, 'what follows says nothing')
})

t.test('texts of one kind in a row are one', async (t) => {
  const reader = open()
  const thought = { text: 'a', thought: true }
  const channels = (...parts: object[]) => {
    const step = feed(reader, chunk(parts))
    return step.ok ? [step.deltas.map((delta) => delta.channel), step.ends] : undefined
  }
  t.same(channels(thought), [['thought:0:0'], []])
  t.same(channels(thought, thought), [['thought:0:0', 'thought:0:0'], []])
  t.same(channels({ text: '', thoughtSignature: 'CpwBAdHtim9Kz0Vw' }), [[], []], 'an empty text ends nothing')
  t.same(channels({ text: 'b', thoughtSignature: 'CpwBAdHtim9Kz0Vw' }), [['text:0:1'], ['thought:0:0']])
  t.same(channels({ text: 'b' }, { functionCall: { name: 'f' } }, { text: 'c' }), [
    ['text:0:1', 'text:0:2'],
    ['text:0:1'],
  ])
  t.same(channels({ inlineData: { mimeType: 'image/png', data: 'AAAA' } }), [[], ['text:0:2']])
})

t.test('a call is whole at once, and its arguments are whole texts', async (t) => {
  const step = feed(open(), text('a'), chunk([{ function_call: { id: 'c', name: 'f', args: { mail: 'ada' } } }]))
  t.match(step, {
    ok: true,
    calls: [{ name: 'f', id: 'c', args: { mail: 'ada' }, channel: 'arguments:0' }],
    parts: [
      { text: 'ada', address: { path: ['candidates', 0, 'content', 'parts', 0, 'function_call', 'args', 'mail'] } },
    ],
    ends: ['text:0:0'],
    deltas: [],
  })
})

t.test('a delta can be written back', async (t) => {
  const value = { candidates: [{ content: { parts: [{ text: 'a', thought: true }, { text: 'b' }] }, index: 3 }] }
  const data = JSON.stringify(value)
  const reader = open()
  const step = feed(reader, data)
  if (!step.ok) throw new Error(step.message)
  const edits = step.deltas.map(({ address }, index) => ({ address, text: `X${index}` }))
  const parts = [{ text: 'X0', thought: true }, { text: 'X1' }]
  t.same(JSON.parse(applyEdits(data, edits)), { candidates: [{ content: { parts }, index: 3 }] })
  const written = step.deltas.map(({ channel }) => JSON.parse(reader.deltaEvent(channel, 'Y').slice(6)) as unknown)
  const alone = (part: object) => ({ candidates: [{ content: { parts: [part], role: 'model' }, index: 3 }] })
  t.same(written, [alone({ text: 'Y', thought: true }), alone({ text: 'Y' })])
})

t.test('which events stand for others', async (t) => {
  const repeats = (...data: unknown[]) => (feed(open(), ...data) as { repeatable?: true }).repeatable
  t.equal(repeats(text('a')), true)
  t.equal(repeats(text('a'), { ...text('b'), modelVersion: 'm' }), true)
  t.equal(repeats({ ...text('a'), usageMetadata: { promptTokenCount: 1 } }), undefined)
  t.equal(repeats(chunk([{ text: 'a' }], stop)), undefined)
  t.equal(repeats(chunk([{ text: 'a', thoughtSignature: 'CpwBAdHtim9Kz0Vw' }])), undefined)
  t.equal(repeats(chunk([{ text: 'a' }, { text: 'b' }])), undefined)
  t.equal(repeats(chunk([{ text: 'a', thought: true }]), text('b')), undefined, 'it ends the thought')
})

t.test('usage only grows, and an error is told', async (t) => {
  const usage = (promptTokenCount: number, candidatesTokenCount: number) => ({
    usageMetadata: { promptTokenCount, candidatesTokenCount },
  })
  t.match(feed(open(), usage(5, 9), usage(7, 3)), { usage: { input: 7, output: 9 } })
  t.match(feed(open(), { error: { code: 503, message: 'Overloaded.' } }), { error: true, terminal: false })
  t.match(feed(open(), { error: 'Overloaded.' }), { error: true })
  t.match(feed(open(), { error: {} }), { error: true })
})
