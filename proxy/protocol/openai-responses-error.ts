// Owns how a failure is said in a stream of OpenAI's Responses format, where errors are events of a type of their own.
import { formatEvent } from '../lib/sse.ts'
import { openaiError } from './openai-error.ts'
import type { FaultView } from './protocol.ts'

/**
 * The event has the error inside, as the API sends it; some clients accept no other form. Codex reads no errors but those
 * of a response that has failed. Nobody knows the number of the event that would have come, and none is lower.
 */
export function responsesStreamError(fault: FaultView): string {
  const error = openaiError(fault)
  if (fault.preset !== 'codex') return eventOf('error', { error })
  const response = { id: fault.requestId, object: 'response', status: 'failed', output: [], error }
  return eventOf('response.failed', { response })
}

function eventOf(type: string, more: object): string {
  return formatEvent(type, JSON.stringify({ type, sequence_number: 0, ...more }))
}
