import t from 'tap'
import { holdEvent, nearestBefore, newDraft, pushDelta, stepOf, type Draft } from '../../../proxy/protocol/step.ts'
import type { TextPart } from '../../../proxy/protocol/content.ts'

const none = { parts: [], uninspected: [] }
const part: TextPart = { address: { path: ['a'] }, text: 'x', role: 'assistant', form: 'string' }

function growing(change: (draft: Draft) => void = () => undefined): Draft {
  const draft = newDraft()
  draft.repeats = true
  pushDelta(draft, { channel: 'text:0', address: { path: ['a'] }, text: 'x', kind: 'text' })
  change(draft)
  return draft
}

void t.test('what an event does not say is not in its step', async (t) => {
  t.strictSame(stepOf({}, newDraft(), none), {
    ok: true,
    value: {},
    deltas: [],
    ends: [],
    calls: [],
    parts: [],
    terminal: false,
  })
  const draft = newDraft()
  pushDelta(draft, { channel: 'text:0', address: { path: [] }, text: '', kind: 'text' })
  t.same(draft.deltas, [], 'no text is no delta')
  holdEvent(draft, 'call:1')
  Object.assign(draft, { behind: 'call:0', unknown: 'why', terminal: true, error: true, failed: true })
  Object.assign(draft, { usage: { input: 1 } })
  t.strictSame(stepOf(null, draft, { parts: [part], uninspected: ['audio'] }), {
    ok: true,
    value: null,
    deltas: [],
    ends: [],
    calls: [],
    parts: [part],
    held: [{ channel: 'call:1', address: { path: [] } }],
    withheld: [{ path: [] }],
    behind: 'call:0',
    uninspected: ['audio'],
    unknown: 'why',
    terminal: true,
    error: true,
    failed: true,
    usage: { input: 1 },
  })
})

void t.test('one piece of text and nothing else may repeat', async (t) => {
  t.match(stepOf({}, growing(), none), { repeatable: true })
  const others: Record<string, (draft: Draft) => void> = {
    'a type that never does': (draft) => (draft.repeats = false),
    'a second piece': (draft) => pushDelta(draft, { channel: 'b', address: { path: ['b'] }, text: 'y', kind: 'text' }),
    'an end': (draft) => draft.ends.push('text:0'),
    'a call': (draft) => draft.calls.push({ channel: 'c', name: 'look', address: { path: [] } }),
    'a call before it': (draft) => (draft.behind = 'call:0'),
    'a piece of a call': (draft) => draft.held.push({ channel: 'call:0', address: { path: ['call'] } }),
    'what does not leave': (draft) => draft.withheld.push({ path: ['call'] }),
    'what the model wrote unseen': (draft) => (draft.unreadBytes = 7),
    'an unknown type': (draft) => (draft.unknown = 'why'),
    'an error': (draft) => (draft.error = true),
    'a failure': (draft) => (draft.failed = true),
    usage: (draft) => (draft.usage = { input: 1 }),
    'the end of all': (draft) => (draft.terminal = true),
  }
  for (const [name, change] of Object.entries(others)) t.notOk('repeatable' in stepOf({}, growing(change), none), name)
  t.notOk('repeatable' in stepOf({}, growing(), { parts: [part], uninspected: [] }), 'another text')
  t.notOk('repeatable' in stepOf({}, growing(), { parts: [], uninspected: ['audio'] }), 'what is not read')
  const args = newDraft()
  args.repeats = true
  pushDelta(args, { channel: 'arguments:0', address: { path: ['a'] }, text: '{', kind: 'arguments' })
  t.notOk('repeatable' in stepOf({}, args, none), 'arguments')
})

void t.test('an event is behind the nearest call that began before it', async (t) => {
  const calls = new Set([4, 1, 2])
  t.equal(nearestBefore(3, calls), 2)
  t.equal(nearestBefore(9, calls), 4)
  t.equal(nearestBefore(2, calls), 1, 'and not behind itself')
  t.equal(nearestBefore(1, calls), undefined)
  t.equal(nearestBefore(undefined, calls), undefined)
  t.equal(nearestBefore(3, new Set()), undefined)
})
