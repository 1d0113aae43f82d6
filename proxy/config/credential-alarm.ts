// Owns when an operator is told that an upstream refuses whom we say we are: one refusal may be about what a caller asked for,
// several in a row are about a credential that has expired or was revoked. It does not know what becomes of the requests.
import type { Attempt } from '../upstream/answer.ts'

/** In a row. */
const refusalsMin = 5

/**
 * Told of each attempt. True: now is the time; again only after something else was answered. Of several credentials each
 * counts by itself: one that is refused rests, and the others are answered meanwhile.
 */
export function credentialAlarm(): (attempt: Attempt) => boolean {
  const refusals = new Map<string | undefined, number>()
  return ({ status, credential }) => {
    if (status === undefined) return false
    const before = refusals.get(credential) ?? 0
    if (!isRefusal(status)) {
      if (before > 0) refusals.delete(credential)
      return false
    }
    refusals.set(credential, before + 1)
    return before + 1 === refusalsMin
  }
}

export function isRefusal(status: number | undefined): boolean {
  return status === 401 || status === 403
}
