// Owns operations whose requests have no body: they look at what the provider has or keeps, or end it.
import type { Operation, Reading } from './protocol.ts'

export function bodiless(name: string, path: string, readAnswer: Operation['readAnswer']): Operation {
  return { name, path, action: 'none', body: 'none', idempotent: true, readRequest: refuseBody, readAnswer }
}

export function refuseBody(): Reading {
  return { ok: false, message: 'This operation takes no body.' }
}
