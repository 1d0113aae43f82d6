// Owns the adding up of usage reports. Formats split them over events or repeat growing totals, so the largest of each
// field counts, never the last.
import type { Usage } from './content.ts'

export function largerUsage(before: Usage | undefined, now: Usage | undefined): Usage | undefined {
  if (before === undefined || now === undefined) return before ?? now
  const merged: { -readonly [K in keyof Usage]: Usage[K] } = { ...before }
  for (const field of ['input', 'output', 'cacheRead', 'cacheWrite'] as const) {
    const value = now[field]
    if (value !== undefined) merged[field] = Math.max(merged[field] ?? 0, value)
  }
  return merged
}
