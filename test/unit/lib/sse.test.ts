import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { formatEvent, SseDecoder } from '../../../proxy/lib/sse.ts'
import type { SseEvent } from '../../../proxy/lib/sse.ts'

const utf8 = new TextEncoder()

function decode(bytes: Uint8Array, size: number) {
  const decoder = new SseDecoder({ eventBytesMax: 1000 })
  const blocks: SseEvent[] = []
  let error: string | undefined
  for (let at = 0; at < bytes.length && error === undefined; at += size) {
    const step = decoder.push(bytes.subarray(at, at + size))
    blocks.push(...step.events)
    error = step.error
  }
  return { blocks, error, events: blocks.filter((block) => !block.comment), end: decoder.end() }
}

t.test('blocks keep their exact text, comments and all', async (t) => {
  const text = ': hello\n\nevent: a\r\nid: 7\r\ndata: 1\r\ndata:2\r\n\r\n\n: note\ndata: x\n\n'
  for (const size of [1, 2, 5, 1000]) {
    const { blocks, events, end } = decode(utf8.encode(text), size)
    t.equal(blocks.map((block) => block.raw).join(''), text)
    t.match(events, [
      { event: 'a', data: '1\n2', id: '7' },
      { event: 'message', data: 'x', id: undefined },
    ])
    t.match(blocks[0], { comment: true, raw: ': hello\n\n', data: '' })
    t.equal(end, 'clean')
  }
  const { events } = decode(utf8.encode(text), 1000)
  t.match(events, [{ raw: 'event: a\r\nid: 7\r\ndata: 1\r\ndata:2\r\n\r\n' }, { raw: ': note\ndata: x\n\n' }])
})

t.test('an event is given out with its last byte', async (t) => {
  const decoder = new SseDecoder({ eventBytesMax: 1000 })
  t.same(
    decoder.push(utf8.encode('data: a\r\n\r')).events.map((event) => event.data),
    ['a'],
  )
  t.match(decoder.push(utf8.encode('\n')).events, [{ comment: true, raw: '\n' }])
  t.same(
    decoder.push(utf8.encode('data: b\n\n')).events.map((event) => event.data),
    ['b'],
  )
})

t.test('what is left at the end is told', async (t) => {
  const rows: [string, string][] = [
    ['', 'clean'],
    ['data: a\n\n', 'clean'],
    ['data: a\n\n\n', 'clean'],
    ['data: a\n', 'partial'],
    ['data: a', 'partial'],
    ['data: a\n\nd', 'partial'],
  ]
  for (const [text, end] of rows) t.equal(decode(utf8.encode(text), 3).end, end, JSON.stringify(text))
  t.equal(decode(Uint8Array.of(0x64, 0x0a, 0x0a, 0xc3), 1).end, 'partial')
})

t.test('invalid UTF-8 is an error, however it is split', async (t) => {
  for (const size of [1, 100]) {
    const bytes = [...utf8.encode('data: a\n\ndata: '), 0xff, 0x0a, 0x0a]
    t.match(decode(Uint8Array.from(bytes), size).error, 'not-utf8')
  }
  t.match(decode(Uint8Array.of(0x61, 0xed, 0xa0, 0x80), 1).error, 'not-utf8')
})

t.test('an event has a limit', async (t) => {
  const event = (size: number) => utf8.encode(`data: ${'x'.repeat(size)}\n\n`)
  for (const size of [1, 64, 5000]) {
    t.equal(decode(event(992), size).error, undefined)
    t.match(decode(event(993), size).error, 'too-large')
    t.match(decode(utf8.encode(':'.repeat(1001)), size).error, 'too-large')
    t.match(decode(utf8.encode(':x\n'.repeat(400)), size).error, 'too-large')
    t.equal(decode(utf8.encode('data: x\n\n'.repeat(400)), size).error, undefined)
  }
})

t.test('formatted events decode to themselves and cannot grow fields', async (t) => {
  t.equal(formatEvent('message', 'a'), 'data: a\n\n')
  t.equal(formatEvent('delta', 'a\nb', '7'), 'event: delta\nid: 7\ndata: a\ndata: b\n\n')
  t.equal(
    formatEvent('x\ndata: evil', 'a\r\rid: 1\r\nb'),
    'event: xdata: evil\ndata: a\ndata: \ndata: id: 1\ndata: b\n\n',
  )
  for (const data of ['', ' lead', 'a\n', '\n\n', ': x', 'data: y']) {
    t.match(decode(utf8.encode(formatEvent('e', data)), 1).events, [{ event: 'e', data }])
  }
})

const vectors = new URL('../../../../shared/vectors/sse/sse-vectors.jsonl', import.meta.url)

t.test(
  'vectors, in chunks of every small size',
  { skip: existsSync(vectors) ? false : 'shared/ is absent' },
  async (t) => {
    type Vector = { id: string; input_b64: string; events: { event?: string; id?: string; data: string }[] }
    for (const line of readFileSync(vectors, 'utf8').trim().split('\n')) {
      const vector = JSON.parse(line) as Vector
      for (const size of [1, 2, 3, 7, 1000]) {
        const { events } = decode(Buffer.from(vector.input_b64, 'base64'), size)
        const seen = events.map(({ event, id, data }) => ({ event, id, data }))
        const expected = vector.events.map(({ event, id, data }) => ({ event: event ?? 'message', id, data }))
        t.same(seen, expected, `${vector.id} by ${size}`)
      }
    }
  },
)
