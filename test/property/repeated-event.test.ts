// The shortcut through a stream takes an event only if the strict reader would find in it the event before with another
// text; and what it writes is that event again, whatever the text.
import t from 'tap'
import { array, assert, boolean, constantFrom, nat, property, string, tuple } from 'fast-check'
import { parseJsonText, type Json } from '../../proxy/lib/json.ts'
import { parseBlock, SseDecoder, type SseEvent } from '../../proxy/lib/sse.ts'
import { RepeatedEvent, type Run } from '../../proxy/pipeline/filters/repeated-event.ts'
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

const lineEnds = constantFrom('\n', '\r\n')
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
      const taken = template.runIn(raw, 0, 100_000)
      if (taken === undefined) return changed.length > 0
      return says(raw.slice(0, taken.ends[0]), taken.text.slice(0, taken.textEnds[0]), end)
    },
  )
  assert(around, { numRuns: runs })
})

t.test('events with text spread over them say it, and keep their bytes where nothing was changed', async () => {
  const texts = array(wellFormed, { minLength: 1, maxLength: 6 })
  const over = property(texts, wellFormed, nat(20), nat(20), lineEnds, (own, other, heldBefore, heldAfter, end) => {
    const template = templateOf(rawOf('a', end))
    const raws = own.map((text) => rawOf(text, end))
    const run = runIn(template, `x${raws.join('')}${rawOf('a', end === '\n' ? '\r\n' : '\n')}`, 1)
    const all = own.join('')
    if (run.text !== all || run.ends.length !== own.length) return false
    if (template.spread(run, all, 0) !== raws.join('')) return false
    const held = all.slice(0, Math.max(0, all.length - heldAfter))
    for (const released of [held, other + all, other + held, other, '😀'.repeat(7), '']) {
      for (const before of [heldBefore, other.length]) {
        const said = runIn(template, template.spread(run, released, before), 0)
        if (said.text !== released.toWellFormed() || said.ends.length !== own.length) return false
        if (textsOf(said).some((text, at) => !says(rawAt(said, at), text, end))) return false
      }
    }
    return true
  })
  assert(over, { numRuns: runsOf(3000, 5) })
})

t.test('what is held back changes only the first event and those at the end', async (t) => {
  const template = templateOf(rawOf('a', '\n'))
  const raws = ['one ', 'two ', 'three ', 'four ', 'five'].map((text) => `${rawOf(text, '\n').slice(0, -1)}\n`)
  const spelled = raws.map((raw) => raw.replace('"content":"t', '"content":"\\u0074'))
  const run = runIn(template, spelled.join(''), 0)
  const out = template.spread(run, 'zero one two three fo', 5)
  const expected = [rawOf('zero one ', '\n'), ...spelled.slice(1, 3), rawOf('fo', '\n'), rawOf('', '\n')]
  t.equal(out, expected.join(''))
})

t.test('a run ends before the first event that differs', async (t) => {
  const template = templateOf(rawOf('a', '\n'))
  const alike = ['x', '"', 'é'].map((text) => rawOf(text, '\n')).join('')
  const from = rawOf('x', '\n').length
  t.same(textsOf(runIn(template, alike + rawOf('y', '\r\n') + alike, from)), ['"', 'é'])
  for (const other of ['', alike.slice(0, -1).slice(2 * from), 'data: x\n\n']) {
    t.same(textsOf(runIn(template, alike + other, 0)), ['x', '"', 'é'], other)
    t.equal(template.runIn(alike + other, alike.length, 100_000), undefined)
  }
  t.equal(template.runIn(alike, 1, 100_000), undefined)
})

t.test('an event that is too long is left to whoever says so', async (t) => {
  const template = templateOf(rawOf('a', '\n'))
  const [short, long] = [rawOf('short', '\n'), rawOf('not so short', '\n')]
  t.same(textsOf(runIn(template, short + long + short, 0, short.length)), ['short'])
  t.same(textsOf(runIn(template, short + long + short, 0, long.length)), ['short', 'not so short', 'short'])
  t.equal(template.runIn(long, 0, short.length), undefined)
})

t.test('line ends of CR alone are read one by one', async (t) => {
  t.throws(() => templateOf(rawOf('a', '\r')), /no template/)
})

function runIn(template: RepeatedEvent, source: string, from: number, unitsMax = 100_000): Run {
  const run = template.runIn(source, from, unitsMax)
  if (run === undefined) throw new Error('no run')
  return run
}

function textsOf({ text, textEnds }: Run): string[] {
  return textEnds.map((end, at) => text.slice(textEnds[at - 1] ?? 0, end))
}

function rawAt({ source, start, ends }: Run, at: number): string {
  return source.slice(ends[at - 1] ?? start, ends[at])
}
