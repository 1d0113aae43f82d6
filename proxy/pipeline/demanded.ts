// Owns what schemas in a request demand of the values that a model writes: one that is held to a schema can write no
// token of words where an address or digits must stand.
import type { Demanded } from '../detect/replace.ts'
import { lastPath } from '../lib/pointer.ts'
import type { TextPart } from '../protocol/content.ts'

export function demandedBy(parts: readonly TextPart[]): Demanded {
  let mail = false
  let number = false
  for (const { role, text, address } of parts) {
    if (role !== 'definition') continue
    const name = lastPath(address).at(-1)
    if (name === 'format') mail ||= text === 'email' || text === 'idn-email'
    else if (name === 'pattern') number ||= digitsOnly.test(text)
  }
  return { mail, number }
}

/** `^\d{16}$`, `^\+[1-9]\d{1,14}$`, `\d{3}-\d{2}-\d{4}`. */
const digitsOnly = /^\^?(?:\\\+\??)?(?:(?:\\d|\[0-9\]|\[1-9\])(?:[+*]|\{\d+(?:,\d*)?\})?(?:[ -]\??)?)+\$?$/
