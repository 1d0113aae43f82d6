// Owns the planting of a value in every string of a sample, one after another: wherever it stands, an adapter must see it.
import type { Json } from '../../../proxy/lib/json.ts'
import { formatAddress } from '../../../proxy/lib/pointer.ts'

export const planted = 'mail ada@example.org about it'

type Place = { readonly owner: Json[] | { [key: string]: Json }; readonly key: string | number; readonly at: string }

/** Calls back with the document as it is with the planted value in one string after another. */
export function plant(value: Json, look: (text: string, at: string) => void): void {
  for (const { owner, key, at } of strings(value)) {
    const before = (owner as Record<string | number, Json>)[key] as Json
    ;(owner as Record<string | number, Json>)[key] = planted
    look(JSON.stringify(value), at)
    ;(owner as Record<string | number, Json>)[key] = before
  }
}

/** Every string of a document, where it can be replaced. */
function strings(value: Json, path: readonly (string | number)[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return []
  const entries: [string | number, Json][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return entries.flatMap(([key, member]) =>
    typeof member === 'string'
      ? [{ owner: value, key, at: formatAddress({ path: [...path, key] }) }]
      : strings(member, [...path, key]),
  )
}
