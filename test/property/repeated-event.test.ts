// The shortcut through a stream takes an event only if the strict reader would find in it the event before with another
// text; and what it writes is that event again, whatever the text.
import t from 'tap'
import {
  array,
  assert,
  boolean,
  constantFrom,
  maxSafeNat,
  nat,
  oneof,
  property,
  record,
  shuffledSubarray,
  string,
  tuple,
} from 'fast-check'
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

/** As OpenAI writes them: numbered, and with a word that says nothing. */
type Numbered = { readonly text: string; readonly number: number; readonly padding: string }

function numberedOf({ text, number, padding }: Numbered, order: readonly number[]): string {
  const members: [string, unknown][] = [
    ['type', 'response.output_text.delta'],
    ['sequence_number', number],
    ['delta', text],
    ['obfuscation', padding],
  ]
  const placed = order.map((at) => members[at]).filter((one) => one !== undefined)
  return `event: response.output_text.delta\ndata: ${JSON.stringify(Object.fromEntries(placed))}\n\n`
}

function numberedTemplate(order: readonly number[]): RepeatedEvent {
  const event = parseBlock(numberedOf({ text: 'a', number: 1, padding: 'b' }, order))
  const delta = { channel: 'text:0:0', address: { path: ['delta'] }, text: 'a', kind: 'text' } as const
  const template = RepeatedEvent.from(event, delta, [
    { address: { path: ['obfuscation'] }, kind: 'padding' },
    { address: { path: ['sequence_number'] }, kind: 'number' },
  ])
  if (template === undefined) throw new Error('no template')
  return template
}

const orders = shuffledSubarray([0, 1, 2, 3], { minLength: 4 })
const paddings = oneof(
  constantFrom('', 'a', 'a1B2', '2026-08-04T08:52:19.385Z', 'x'.repeat(128)),
  string({ unit: constantFrom('a', 'Z', '9', '_') }),
)
const numbered = record({ text: wellFormed, number: maxSafeNat(), padding: paddings })

t.test('what varies besides is a number or a word, and nothing else', async (t) => {
  const changes = array(tuple(nat(400), nat(2), oneof(hostile, constantFrom('7', '-', '.', 'e5', '00'))), {
    maxLength: 2,
  })
  let found = 0
  const varied = property(orders, numbered, changes, (order, one, changed) => {
    let raw = numberedOf(one, order)
    for (const [at, removed, added] of changed) {
      const index = at % (raw.length + 1)
      raw = raw.slice(0, index) + added + raw.slice(index + removed)
    }
    const run = numberedTemplate(order).runIn(raw.toWellFormed(), 0, 100_000)
    if (run === undefined)
      return changed.length > 0 || !/^$|[a-z]/i.test(one.padding) || one.number > 999_999_999_999_999
    found += 1
    const read = strictly(raw.toWellFormed().slice(0, run.ends[0]))?.value as { [name: string]: Json } | undefined
    return (
      read !== undefined &&
      Object.keys(read).length === 4 &&
      read['type'] === 'response.output_text.delta' &&
      read['delta'] === run.text.slice(0, run.textEnds[0]) &&
      (run.ends.length > 1 || read['sequence_number'] === run.number) &&
      /^$|^[\w.:/-]*[a-z][\w.:/-]*$/i.test(JSON.stringify(read['obfuscation']).slice(1, -1))
    )
  })
  assert(varied, { numRuns: runs })
  t.ok(found > 100)
})

t.test('what varies stays with its event, whatever becomes of the text', async () => {
  const all = array(
    numbered.filter(({ padding, number }) => /^$|[a-z]/i.test(padding) && number < 1e15),
    { minLength: 1, maxLength: 5 },
  )
  const kept = property(orders, all, wellFormed, nat(9), (order, events, other, heldAfter) => {
    const template = numberedTemplate(order)
    const run = runIn(template, events.map((one) => numberedOf(one, order)).join(''), 0)
    const text = events.map((one) => one.text).join('')
    if (run.text !== text || run.number !== events.at(-1)?.number) return false
    const released = other + text.slice(0, Math.max(0, text.length - heldAfter))
    const said = runIn(template, template.spread(run, released, other.length), 0)
    const expected = textsOf(said).map((own, at) => numberedOf({ ...(events[at] as Numbered), text: own }, order))
    return (
      said.text === released.toWellFormed() &&
      said.ends.length === events.length &&
      expected.every((raw, at) => says(rawAt(said, at), raw))
    )
  })
  assert(kept, { numRuns: runsOf(3000, 5) })

  function says(raw: string, meant: string): boolean {
    return JSON.stringify(strictly(raw)?.value) === JSON.stringify(strictly(meant)?.value)
  }
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

t.test('space before the end of an event may be any, and stays with it', async (t) => {
  const padded = (text: string, count: number): string =>
    `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":${JSON.stringify(text)}}${' '.repeat(count)}}\n\n`
  const delta = { channel: 'text:0', address: { path: ['delta', 'text'] }, text: 'a', kind: 'text' } as const
  const template = RepeatedEvent.from(parseBlock(padded('a', 3)), delta)
  if (template === undefined) throw new Error('no template')
  const events = [padded('So', 1), padded(' be', 0), padded(' it', 16)]
  const run = runIn(template, events.join(''), 0)
  t.same(textsOf(run), ['So', ' be', ' it'])
  t.equal(template.spread(run, run.text, 0), events.join(''))
  t.equal(template.spread(run, 'So be', 0), events.slice(0, 2).join('') + padded('', 16))
  t.equal(template.runIn(padded('So', 2).replace('  }', ' \t}'), 0, 100_000), undefined)
  t.equal(template.runIn(padded('So', 2).replace('  }', '  ,"a":1}'), 0, 100_000), undefined)
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
