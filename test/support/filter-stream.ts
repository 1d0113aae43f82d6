// Owns running a whole body through the filter for event streams, for tests that look at what comes out.
import type { AnswerRedaction } from '../../proxy/pipeline/filters/answer-redaction.ts'
import type { Answered } from '../../proxy/pipeline/exchange.ts'
import { ByteFilter } from '../../proxy/pipeline/filters/stream.ts'
import type { Runtime } from '../../proxy/pipeline/runtime.ts'

/** As the pipeline does it. */
export async function* filterStream(
  x: Answered,
  runtime: Runtime,
  redaction: AnswerRedaction,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<string> {
  const filter = new ByteFilter(x, runtime, redaction)
  try {
    for await (const chunk of body) yield* filter.push(chunk)
    const tail = filter.end()
    if (tail !== '') yield tail
  } finally {
    filter.close()
  }
}
