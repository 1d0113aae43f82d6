// Owns turning what the HTTP client and the socket report into a Fault. The public message is the catalogue's; what went
// wrong in detail goes into `cause`, as text, because the errors themselves can carry bytes of an answer.
import { Fault, type FaultCode } from '../errors.ts'
import { scrub, type Credential } from './credential.ts'

/** How far the attempt had come. */
export type Stage = 'connecting' | 'waiting' | 'head' | 'body'

export function faultOf(error: unknown, stage: Stage, credential: Credential | undefined): Fault {
  if (error instanceof Fault) return error
  const { code, message } = readError(error)
  const faultCode = codeOf(code, message, stage)
  const silent = faultCode === 'upstream-unreachable' && stage === 'waiting'
  return new Fault(faultCode, silent ? 'The upstream closed the connection without answering.' : undefined, {
    cause: scrub(credential, `${code}: ${message}`),
  })
}

function readError(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: 'unknown', message: '' }
  // Parser errors carry no code that can be relied on: undici looks it up in a table that is keyed the other way round.
  const coded = error.name !== 'HTTPParserError' && 'code' in error && typeof error.code === 'string'
  const code = coded ? String(error.code) : error.name
  // Connecting to several addresses fails with one error for each and no message of its own.
  return { code, message: error instanceof AggregateError ? error.errors.map(String).join('; ') : error.message }
}

function codeOf(code: string, message: string, stage: Stage): FaultCode {
  switch (code) {
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
      return 'internal'
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return 'shutting-down'
    case 'UND_ERR_HEADERS_OVERFLOW':
      return 'upstream-invalid'
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return stage === 'connecting' ? 'upstream-timeout' : byStage[stage]
    case 'UND_ERR_SOCKET':
      // An unasked 100 or 101, which the client answers by destroying the socket.
      return message === 'bad response' || message === 'bad upgrade' ? 'upstream-invalid' : byStage[stage]
    case 'HTTPParserError':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      // Within the head the latter stands for a framing that contradicts itself.
      return stage === 'body' ? 'upstream-truncated' : 'upstream-invalid'
    default:
      return byStage[stage]
  }
}

const byStage: { readonly [S in Stage]: FaultCode } = {
  connecting: 'upstream-unreachable',
  waiting: 'upstream-unreachable',
  head: 'upstream-truncated',
  body: 'upstream-truncated',
}
