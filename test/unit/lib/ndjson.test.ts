import t from 'tap'
import { formatLine, NdjsonDecoder, parseLine } from '../../../proxy/lib/ndjson.ts'

const utf8 = new TextEncoder()

function decode(bytes: Uint8Array, size: number) {
  const decoder = new NdjsonDecoder({ eventBytesMax: 100 })
  const blocks: string[] = []
  let error: string | undefined
  for (let at = 0; at < bytes.length && error === undefined; at += size) {
    const step = decoder.split(bytes.subarray(at, at + size))
    blocks.push(...step.blocks)
    error = step.error
  }
  return { blocks, error, end: decoder.end() }
}

t.test('lines keep their exact text, whatever the split', async (t) => {
  const text = '{"a":1}\n\n{"é":"😀"}\r\n  \n{"b":"\\n"}\n'
  for (let size = 1; size <= text.length; size += 1) {
    const { blocks, error, end } = decode(utf8.encode(text), size)
    t.same(blocks, ['{"a":1}\n', '\n', '{"é":"😀"}\r\n', '  \n', '{"b":"\\n"}\n'])
    t.equal(error, undefined)
    t.equal(end, 'clean')
  }
})

t.test('a line is read without its end; a blank one is no event', async (t) => {
  t.match(parseLine('{"a":1}\r\n'), { event: 'message', data: '{"a":1}', comment: false, raw: '{"a":1}\r\n' })
  t.match(parseLine(' \r\n'), { comment: true })
  t.equal(parseLine(formatLine('{"a":1}')).data, '{"a":1}')
})

t.test('what is left over is told: half a line, half a character', async (t) => {
  t.match(decode(utf8.encode('{"a":1}\n{"b"'), 3), { blocks: ['{"a":1}\n'], end: 'partial' })
  t.match(decode(utf8.encode('x\né').subarray(0, 3), 1), { blocks: ['x\n'], end: 'partial' })
})

t.test('what cannot be a line is an error', async (t) => {
  const cr = decode(utf8.encode('{"a":1}\r{"b":2}\n'), 100)
  t.equal(cr.blocks.length, 1, 'a lone CR ends no line')
  const invalid = new NdjsonDecoder({ eventBytesMax: 100 }).split(Uint8Array.of(0x7b, 0xff, 0x0a))
  t.match(invalid, { error: 'not-utf8' })
  t.match(decode(utf8.encode(`ok\n${'x'.repeat(101)}\n`), 1000), { blocks: ['ok\n'], error: 'too-large' })
  for (const size of [1, 7, 1000])
    t.match(decode(utf8.encode('x'.repeat(200)), size), { blocks: [], error: 'too-large' })
})
