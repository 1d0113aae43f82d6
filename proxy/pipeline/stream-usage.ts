// Owns what happens where a stream was asked for its usage on behalf of a limit, and the upstream does not know that
// question: it is asked once more, as the client put it. Nothing was done yet, and the client has seen nothing.
import type { UpstreamAnswer } from '../upstream/answer.ts'
import { grow, type Prepared } from './exchange.ts'
import type { Runtime } from './runtime.ts'

type Send = () => Promise<UpstreamAnswer>

export async function sendAsking(x: Prepared, runtime: Runtime, send: Send): Promise<UpstreamAnswer> {
  const { unasked } = x.outgoing
  if (unasked === undefined) return send()
  x.trace.usageAsked = 'asked'
  const answer = await send()
  if (answer.status !== 400 && answer.status !== 422) return answer
  const { pieces, rest } = await beginning(answer.body)
  if (rest !== undefined || !Buffer.concat(pieces).includes(member)) return { ...answer, body: joined(pieces, rest) }
  answer.settle('complete')
  x.trace.usageAsked = 'refused'
  const body = unasked()
  if (body !== undefined) x.trace.digestForwarded = runtime.audit.digest(body)
  const { path, headers } = x.outgoing
  grow(x, { outgoing: { path, headers, body } })
  return send()
}

/** Every server that refuses it names it. */
const member = 'stream_options'
const readBytesMax = 65_536

type Beginning = { readonly pieces: Uint8Array[]; readonly rest: AsyncIterator<Uint8Array> | undefined }

/** `rest` is there where it is longer than a refusal. */
async function beginning(body: UpstreamAnswer['body']): Promise<Beginning> {
  const pieces: Uint8Array[] = []
  const iterator = body[Symbol.asyncIterator]()
  for (let size = 0; size <= readBytesMax;) {
    const next = await iterator.next()
    if (next.done === true) return { pieces, rest: undefined }
    pieces.push(next.value)
    size += next.value.length
  }
  return { pieces, rest: iterator }
}

async function* joined(
  pieces: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array> | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces
    for (let next = await rest?.next(); next !== undefined && next.done !== true; next = await rest?.next())
      yield next.value
  } finally {
    await rest?.return?.()
  }
}
