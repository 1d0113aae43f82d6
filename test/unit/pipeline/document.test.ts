// The filter for whole answers: whatever JSON comes in, JSON goes out, with nothing changed but what was redacted.
import t from 'tap'
import { check, constantFrom, jsonValue, letrec, oneof, property, string, tuple, array, dictionary } from 'fast-check'
import { Fault } from '../../../proxy/errors.ts'
import { filterDocument } from '../../../proxy/pipeline/filters/document.ts'
import type { Json } from '../../../proxy/lib/json.ts'
import { openBack } from './answered.ts'

const masked = openBack(
  'redaction: [{ id: back, direction: response, detect: [us-ssn, email, payment-card], action: mask }]',
)
// Random numbers are card numbers now and then, but never this.
const onlySsn = openBack('redaction: [{ id: back, direction: response, detect: [us-ssn], action: mask }]')
const runs = Number(process.env['RUNS'] ?? 1000)

const values = [
  '378-07-9520',
  'ada@example.org',
  'to "ada@example.org"\n',
  '4111 1111 1111 1111',
  '😀 378-07-9520 \u2028',
  '{"in":"378-07-9520"}',
  'plain',
  '',
]
const { document } = letrec<{ document: unknown }>((tie) => ({
  document: oneof(
    { depthSize: 'small' },
    constantFrom<unknown>(...values, 4111111111111111, 1.5, null, true),
    jsonValue(),
    array(tie('document'), { maxLength: 4 }),
    dictionary(
      oneof(string(), constantFrom('note', 'to', '__proto__', 'x-378-07-9520', 'ada@example.org', 'bob@example.org')),
      tie('document'),
      { maxKeys: 4 },
    ),
  ),
}))

/** The bytes that come out; undefined when the answer is refused. */
function filtered(text: string, way: 'http' | 'openai' | 'anthropic', status = 200, back = masked): string | undefined {
  const { x } = back.answered(way, [], status)
  try {
    return Buffer.from(filterDocument(x, back.runtime, 'json', Buffer.from(text), true)).toString()
  } catch (error) {
    if (error instanceof Fault && error.code === 'upstream-invalid') return undefined
    throw error
  }
}

t.test('arbitrary JSON stays JSON, and holds nothing that was to be redacted', async (t) => {
  let refused = 0
  const outcome = check(
    property(
      document,
      constantFrom('http' as const, 'openai' as const, 'anthropic' as const),
      constantFrom(200, 400),
      (value, way, status) => {
        const text = JSON.stringify(value)
        const out = filtered(text, way, status)
        if (out === undefined) {
          refused += 1
          return
        }
        JSON.parse(out)
        for (const secret of ['378-07-9520', 'ada@example.org', 'bob@example.org']) {
          if (out.includes(secret)) throw new Error(`${secret} in ${out}`)
        }
        // Any long number may be that of a card.
        if (!/378-07|@|[0-9]{12}|4111/.test(text) && out !== text)
          throw new Error(`changed without need: ${text} to ${out}`)
      },
    ),
    { numRuns: runs },
  )
  t.notOk(outcome.failed, `${outcome.seed} ${JSON.stringify(outcome.counterexample)}: ${String(outcome.errorInstance)}`)
  t.ok(refused < runs * 0.9, `${refused} of ${runs} were not of the format`)
})

t.test('what is not redacted keeps every byte', async (t) => {
  const outcome = check(
    property(tuple(jsonValue(), jsonValue()), ([before, after]) => {
      const [left, right] = [JSON.stringify({ before }, undefined, 1), JSON.stringify({ after })]
      const out = filtered(`[${left}, "378-07-9520" ,${right}, 1.50e+2]`, 'http', 200, onlySsn)
      return out === undefined || out === `[${left}, "[US_SSN]" ,${right}, 1.50e+2]`
    }),
    { numRuns: runs },
  )
  t.notOk(outcome.failed, `${outcome.seed} ${JSON.stringify(outcome.counterexample)}`)
})

t.test('the answer of a model: text, arguments of calls, and members nobody knows', async (t) => {
  const answer = (content: Json, args: string): string =>
    JSON.stringify({
      id: 'c',
      object: 'chat.completion',
      note: 'ada@example.org',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content,
            tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'send', arguments: args } }],
          },
          finish_reason: 'tool_calls',
        },
      ],
    })
  const out = filtered(
    answer('mail ada@example.org', '{"to":"ada@example.org","n":[378079520,"ssn 378-07-9520"]}'),
    'openai',
  )
  t.equal(
    out,
    answer('mail [EMAIL]', '{"to":"[EMAIL]","n":[378079520,"ssn [US_SSN]"]}').replace('ada@example.org', '[EMAIL]'),
  )
})

t.test('what must be read and cannot be is refused, what need not be is passed and recorded', async (t) => {
  const { x } = masked.answered('http')
  const bodies: readonly (readonly ['json' | 'text' | 'other', Buffer])[] = [
    ['json', Buffer.from('{')],
    ['json', Buffer.from('{"a":1,"a":2}')],
    ['json', Buffer.from([0x22, 0xff, 0x22])],
    ['text', Buffer.from([0xff])],
    ['other', Buffer.from('x')],
  ]
  for (const [kind, bytes] of bodies) {
    t.throws(() => filterDocument(x, masked.runtime, kind, bytes, true), { code: 'upstream-invalid' }, kind)
    t.equal(filterDocument(x, masked.runtime, kind, bytes, false), bytes, kind)
  }
  t.ok(x.trace.uninspected.has('answer:body'))
  t.equal(
    Buffer.from(filterDocument(x, masked.runtime, 'text', Buffer.from('é 378-07-9520'), true)).toString(),
    'é [US_SSN]',
  )
})

t.test('a stream is no document: where its operation has no reader for it, nobody looks into it', async (t) => {
  const stream = Buffer.from('data: {"to":"ada@exam"}\n\ndata: {"to":"ple.org"}\n\n')
  for (const way of ['http', 'openai'] as const)
    for (const kind of ['event-stream', 'ndjson'] as const)
      for (const status of [200, 400]) {
        const { x } = masked.answered(way, [], status)
        t.throws(() => filterDocument(x, masked.runtime, kind, stream, true), { code: 'upstream-invalid' })
        t.equal(filterDocument(x, masked.runtime, kind, stream, false), stream)
        t.same([...x.trace.uninspected], ['answer:stream'])
      }
})

void t.test('numbers of answers stay numbers where tokens can be', async (t) => {
  const back = openBack(
    'redaction: [{ id: back, direction: response, detect: [payment-card, email], action: token, format: preserve }]',
  )
  const { x } = back.answered('http')
  const text = '{"card":4111111111111111,"mail":"ada@example.org"}'
  const filtered = filterDocument(x, back.runtime, 'json', Buffer.from(text), true)
  t.match(Buffer.from(filtered).toString(), /^\{"card":[1-9][0-9]{15},"mail":"[0-9a-z]{10}@redacted\.invalid"\}$/)
  t.notMatch(Buffer.from(filtered).toString(), '4111111111111111')
})

t.test('a sentence about what cannot be read ends once', async (t) => {
  for (const [kind, body] of [
    ['json', '{"a":'],
    ['xml', '<!ENTITY a "b">'],
    ['html', 'a\0b'],
    ['form', 'a=%zz'],
  ] as const)
    t.throws(
      () => filterDocument(masked.answered('http').x, masked.runtime, kind, Buffer.from(body), true),
      { code: 'upstream-invalid', message: /[^.]\.$/ },
      kind,
    )
})
