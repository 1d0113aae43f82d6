// The shortcut through a stream takes an event only if the strict reader would find in it the event before with another
// text; and what it writes is that event again, whatever the text.
import t from 'tap'
import { array, assert, boolean, constantFrom, nat, property, string, tuple } from 'fast-check'
import { parseJsonText, type Json } from '../../proxy/lib/json.ts'
import { parseBlock, SseDecoder, type SseEvent } from '../../proxy/lib/sse.ts'
import { RepeatedEvent } from '../../proxy/pipeline/filters/repeated-event.ts'
import { openChatStream } from '../../proxy/protocol/openai-stream.ts'
import { runsOf } from '../support/runs.ts'

const limits = { depthMax: 64, keysMax: 10_000 }
const runs = runsOf(3000)

function rawOf(text: string, lineEnd: string): string {
  const choices = [{ index: 0, delta: { content: text }, logprobs: null, finish_reason: null }]
  return `data: ${JSON.stringify({ id: 'c', created: 1, choices })}${lineEnd}${lineEnd}`
}

function templateOf(raw: string): RepeatedEvent {
  const event = parseBlock(raw)
  const step = openChatStream().read(event)
  const delta = step.ok && step.repeatable === true ? step.deltas[0] : undefined
  const template = delta === undefined ? undefined : RepeatedEvent.from(event, delta)
  if (template === undefined) throw new Error('no template')
  return template
}

/** Undefined where the bytes are not exactly one block of valid JSON. */
function strictly(raw: string): { readonly event: SseEvent; readonly value: Json } | undefined {
  const { blocks, error } = new SseDecoder({ eventBytesMax: 100_000 }).split(Buffer.from(raw))
  if (error !== undefined || blocks.length !== 1 || blocks[0] !== raw) return undefined
  const event = parseBlock(raw)
  const parsed = parseJsonText(event.data, limits)
  return parsed.ok ? { event, value: parsed.value } : undefined
}

/** Whether `raw` is the event `rawOf(text)`, in whatever writing. */
function says(raw: string, text: string, lineEnd: string): boolean {
  const read = strictly(raw)
  const meant = strictly(rawOf(text, lineEnd))
  return (
    read !== undefined &&
    read.event.event === 'message' &&
    !read.event.comment &&
    JSON.stringify(read.value) === JSON.stringify(meant?.value)
  )
}

const lineEnds = constantFrom('\n', '\r\n', '\r')
const wellFormed = string({ unit: 'binary', maxLength: 12 })
const hostile = constantFrom(
  '"',
  '\\',
  '\\"',
  '\\u',
  '\\ud800',
  '\\ud83d\\ude00',
  '\n',
  '\r',
  '\n\n',
  '\ndata: ',
  '\0',
  '\u2028',
  '\ufeff',
  '😀',
  '","content":"x',
  '"},"delta":{"content":"',
  '"}]}',
  '}',
  '{',
  'data: ',
  ' ',
  '\u007f',
  'é',
)

t.test('what is taken is what the strict reader finds', async () => {
  const changes = array(tuple(nat(400), nat(3), hostile), { maxLength: 3 })
  const around = property(
    wellFormed,
    wellFormed,
    changes,
    boolean(),
    lineEnds,
    (before, text, changed, inText, end) => {
      const template = templateOf(rawOf(before === '' ? 'a' : before, end))
      let raw = rawOf(text, end)
      const textAt = raw.indexOf('"content":"') + 11
      for (const [at, removed, added] of changed) {
        const index = inText ? textAt + (at % (text.length + 1)) : at % (raw.length + 1)
        raw = raw.slice(0, index) + added + raw.slice(index + (inText ? 0 : removed))
      }
      // Decoding gives no halves of characters.
      raw = raw.toWellFormed()
      const [taken] = template.textsIn([raw], 0)
      if (taken === undefined) return changed.length > 0
      return says(raw, taken, end)
    },
  )
  assert(around, { numRuns: runs })
})

t.test('events with text spread over them say it, and keep their bytes where nothing was changed', async () => {
  const texts = array(wellFormed, { minLength: 1, maxLength: 6 })
  const over = property(texts, wellFormed, nat(20), lineEnds, (own, other, heldBefore, end) => {
    const template = templateOf(rawOf('a', end))
    const raws = ['x', ...own.map((text) => rawOf(text, end))]
    if (template.spread(raws, 1, own, own.join(''), 0) !== raws.slice(1).join('')) return false
    for (const released of [other + own.join(''), other, '😀'.repeat(7), '']) {
      const out = template.spread(raws, 1, own, released, heldBefore)
      const blocks = new SseDecoder({ eventBytesMax: 100_000 })
        .split(Buffer.from(out + end))
        .blocks.slice(0, own.length)
      const said = template.textsIn(blocks, 0)
      if (said.length !== own.length || said.join('') !== released) return false
      if (blocks.some((block, i) => !says(block, said[i] ?? '', end))) return false
    }
    return true
  })
  assert(over, { numRuns: runsOf(3000, 5) })
})

t.test('a run ends before the first event that differs', async (t) => {
  const template = templateOf(rawOf('a', '\n'))
  const alike = ['x', '"', 'é'].map((text) => rawOf(text, '\n'))
  t.same(template.textsIn([...alike, rawOf('y', '\r\n'), ...alike], 1), ['"', 'é'])
  t.same(template.textsIn(alike, 3), [])
})
