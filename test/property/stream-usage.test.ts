// However a stream is cut into chunks: where its usage was asked for on behalf of a limit, the client reads what it would
// have read had nobody asked, and the count is the provider's; where the client asked itself, every byte stays.
import t from 'tap'
import { array, assert, asyncProperty, boolean, constantFrom, nat, record } from 'fast-check'
import { filterStream } from '../support/filter-stream.ts'
import { chunks, openBack } from '../unit/pipeline/answered.ts'

const plain = openBack('')
const masked = openBack('redaction: [{ id: back, direction: response, detect: [email], action: mask }]')

const event = (more: object): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...more })}\n\n`
const said = (content: string): string =>
  event({ choices: [{ index: 0, delta: { content }, finish_reason: null }], usage: null })
const last = event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: null })
const done = 'data: [DONE]\n\n'

async function written(text: string, cuts: readonly number[], masks: boolean, asked: boolean) {
  const back = masks ? masked : plain
  const { x, redaction } = back.answered('openai')
  if (asked) Object.assign(x.outgoing, { unasked: () => undefined })
  const bytes = Buffer.from(text)
  const places = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length]
  const pieces = places.slice(1).map((end, at) => bytes.subarray(places[at], end))
  let out = ''
  for await (const part of filterStream(x, back.runtime, redaction, chunks(pieces))) out += part
  return { out, usage: x.trace.usage }
}

/** The text as a whole, since redaction may spread it over other events, and whatever else was said. */
function read(out: string): string {
  let text = ''
  const others: string[] = []
  for (const one of out.split('\n\n')) {
    const content = /"delta":\{"content":("(?:[^"\\]|\\.)*")/.exec(one)?.[1]
    if (content === undefined) others.push(one)
    else text += JSON.parse(content) as string
  }
  return JSON.stringify([text, others])
}

t.test('asked for by a limit or by the client', async (t) => {
  const trial = record({
    texts: array(constantFrom('ä', 'one ', 'a@b.example', ' ', 'jo', 'hn@corp.example ', '{"'), { maxLength: 8 }),
    output: nat(100_000),
    cuts: array(nat(10_000), { maxLength: 12 }),
    masks: boolean(),
  })
  await assert(
    asyncProperty(trial, async ({ texts, output, cuts, masks }) => {
      const usage = { prompt_tokens: 7, completion_tokens: output }
      const before = texts.map(said).join('') + last
      const question = before + event({ choices: [], usage }) + done
      const ours = await written(question, cuts, masks, true)
      const never = await written(before + done, [], masks, true)
      const theirs = await written(question, cuts, masks, false)
      const whole = await written(question, [], masks, false)
      return (
        (masks ? read(ours.out) === read(never.out) : ours.out === never.out) &&
        ours.usage?.output === output &&
        (masks ? read(theirs.out) === read(whole.out) : theirs.out === question) &&
        theirs.usage?.output === output
      )
    }),
  )
  t.pass()
})
