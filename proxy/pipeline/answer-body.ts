// Owns an answer's body in clear: decoded where it came encoded, within limits, and with the upstream's credential kept out
// of what was decoded. It does not know what the bytes mean or who reads them.
import { Fault } from '../errors.ts'
import { decodePieces, openDecoder } from '../lib/encoding.ts'
import type { Gatherable } from '../lib/gather.ts'
import { headerValue } from '../lib/headers.ts'
import type { Answered } from './exchange.ts'
import type { Runtime } from './runtime.ts'

/**
 * The body itself where it came in clear. Faults: `upstream-invalid` where it cannot be decoded, `answer-too-large` where
 * what it becomes is out of proportion.
 */
export function clearBody(x: Answered, { limits }: Runtime): Gatherable {
  const { body, scrub, status } = x.answer
  const coding = codingOf(x)
  if (coding === undefined) return body
  // A piece of something encoded does not begin where a decoder could.
  const decoder = status === 206 ? undefined : openDecoder(coding)
  if (decoder === undefined) throw unreadable('it is encoded in a way that is not read here.')
  const pieces = decodePieces(body, decoder, limits.bodyBytesMax, (flaw) =>
    flaw === 'too-large' ? new Fault('answer-too-large') : unreadable('it is not what its content encoding says.'),
  )
  return scrub?.(pieces) ?? pieces
}

/** Whether the upstream's credential may stand in it where nobody has looked for it. */
export function mayHideCredential(x: Answered): boolean {
  return x.answer.scrub !== undefined && codingOf(x) !== undefined
}

function codingOf({ answer }: Answered): string | undefined {
  const coding = headerValue(answer.headers, 'content-encoding')?.trim().toLowerCase()
  return coding === '' || coding === 'identity' ? undefined : coding
}

function unreadable(why: string): Fault {
  return new Fault('upstream-invalid', `The answer cannot be read: ${why}`)
}
