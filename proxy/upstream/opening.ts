// Owns holding an answer back until its stream has begun, for a moment at most: a provider that is overloaded says so in
// the first event of a stream whose status was 200. What an event says is for its caller to read.
import type { Clock } from '../lib/clock.ts'
import type { Opening } from './answer.ts'
import type { Body } from './body.ts'

// Longer than the way from a head to a first event that is an error, shorter than anybody waits for a head.
const heldMsMax = 1000
const heldBytesMax = 64 * 1024

/**
 * Takes nothing away: whoever reads the body next reads it from its beginning. `late`: nothing that says anything has come.
 * `broken`: and nothing will, for its body has failed.
 */
export async function awaitOpening(
  body: Body,
  read: (bytes: Uint8Array) => Opening | undefined,
  clock: Clock,
): Promise<Opening | 'late' | 'broken'> {
  let late = false
  let wake = (): void => {}
  const timer = clock.after(heldMsMax, () => {
    late = true
    wake()
  })
  try {
    for (;;) {
      const { bytes, ended, fault } = body.peek()
      const opening = bytes.length === 0 ? undefined : read(bytes)
      if (opening !== undefined) return opening
      if (fault !== undefined) return 'broken'
      // A stream without a word is no answer to anything either.
      if (ended && bytes.length === 0) return 'failed'
      if (ended || bytes.length >= heldBytesMax) return 'content'
      if (late) return 'late'
      await new Promise<void>((resolve) => {
        wake = resolve
        body.whenChanged(resolve)
      })
    }
  } finally {
    timer.cancel()
  }
}

export function isStream(headers: readonly string[]): boolean {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] === 'content-type')
      return /^\s*(?:text\/event-stream|application\/x-ndjson)\s*(?:;|$)/i.test(headers[at + 1] ?? '')
  }
  return false
}

/** Of an answer that asks to wait: some providers say so of a budget that is used up as well. */
export function readQuota(bytes: Uint8Array): Opening | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  return /insufficient_quota|spend_limit|billing_hard_limit/.test(text) ? 'exhausted' : undefined
}
