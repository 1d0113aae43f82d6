// Answers kept for their keys, without sockets: how much those that are still coming may hold together.
import t from 'tap'
import { openReplays, type Replays } from '../../../proxy/pipeline/replays.ts'
import type { UpstreamAnswer } from '../../../proxy/upstream/answer.ts'
import { ManualClock } from '../../support/clock.ts'

const mebibyte = Buffer.alloc(1024 * 1024)
const atOnceMax = 64

async function* oneChunk(): AsyncGenerator<Uint8Array> {
  yield mebibyte
}

function ask(replays: Replays, key: string): Promise<UpstreamAnswer> {
  const asked = { scope: key, request: '', keepMs: 1000, signal: new AbortController().signal }
  const answer = { status: 200, headers: [], contentLength: undefined, attempts: [], settle: () => undefined }
  return replays.answer(asked, () => Promise.resolve({ ...answer, body: oneChunk() }))
}

async function read(answer: UpstreamAnswer): Promise<number> {
  let size = 0
  for await (const chunk of answer.body) size += chunk.length
  return size
}

t.test('answers under way are copied as long as there is room, and given on in any case', async (t) => {
  const replays = openReplays(new ManualClock())
  const many = await Promise.all(Array.from({ length: atOnceMax + 1 }, (_, at) => ask(replays, `k${at}`)))
  for (const answer of many) t.equal(await read(answer), mebibyte.length)
  const [first] = many
  const last = many.at(-1)
  for (const answer of [last, first]) answer?.settle('complete')
  t.equal((await ask(replays, 'k0')).replayed, true)
  const again = await ask(replays, `k${atOnceMax}`)
  t.equal(again.replayed, undefined, 'there was no room for its copy')
  await read(again)
  again.settle('complete')
  t.equal((await ask(replays, `k${atOnceMax}`)).replayed, true, 'now there is')
})
