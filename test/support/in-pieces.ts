// Owns redacting a text as a whole and as it comes in pieces, for properties that say both are the same.
import type { Plan } from '../../proxy/detect/redaction.ts'
import { replace } from '../../proxy/detect/replace.ts'
import type { Vault } from '../../proxy/detect/vault.ts'
import { openWindow } from '../../proxy/detect/window.ts'

/** Of a text that might have come in pieces. */
export function whole(text: string, plan: Plan, vault: Vault): string {
  return vault.restore(replace(text, plan.scanner.scan(text), plan, vault, { inPieces: true }).text)
}

export function inPieces(pieces: readonly string[], plan: Plan, vault: Vault): string {
  const window = openWindow({ plan, vault })
  return pieces.map((piece) => window.push(piece)).join('') + window.end()
}

/** At any numbers. */
export function cut(text: string, cuts: readonly number[]): string[] {
  const at = [...new Set(cuts.map((one) => one % (text.length + 1)))].sort((a, b) => a - b)
  return [...at, text.length].map((end, i) => text.slice(at[i - 1] ?? 0, end))
}

/** Each of this length but the last. */
export function steps(text: string, length: number): string[] {
  return Array.from({ length: Math.ceil(text.length / length) }, (_, i) => text.slice(i * length, (i + 1) * length))
}
