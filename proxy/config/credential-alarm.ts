// Owns when an operator is told that an upstream refuses whom we say we are: one refusal may be about what a caller asked for,
// several in a row are about a credential that has expired or was revoked. It does not know what becomes of the requests.
import type { Attempt } from '../upstream/answer.ts'

/** In a row. */
const refusalsMin = 5

/** Told of each attempt. True: now is the time; again only after something else was answered. */
export function credentialAlarm(): (attempt: Attempt) => boolean {
  let refusals = 0
  return ({ status }) => {
    if (status === undefined) return false
    refusals = isRefusal(status) ? refusals + 1 : 0
    return refusals === refusalsMin
  }
}

export function isRefusal(status: number | undefined): boolean {
  return status === 401 || status === 403
}
