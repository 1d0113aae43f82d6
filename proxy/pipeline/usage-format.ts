// Owns how a report of usage is asked for and written: the query, JSON, CSV and a table for people.
import { csvLine } from '../lib/csv.ts'
import { printable } from '../lib/printable.ts'
import { usageKeys, type UsageKey, type UsageQuery, type UsageRow } from './usage-log.ts'

export const usageFormats = ['json', 'csv'] as const
export type UsageFormat = (typeof usageFormats)[number]

export type UsageAsked = { readonly by?: string; readonly from?: string; readonly to?: string }

/** An error is a sentence for whoever asks. */
export function parseUsageQuery({ by, from, to }: UsageAsked): UsageQuery | { readonly error: string } {
  const names = by === undefined ? [...usageKeys] : by.split(',')
  const unknown = names.find((name) => !(usageKeys as readonly string[]).includes(name))
  if (unknown !== undefined) return { error: `usage cannot be listed by "${unknown}": one of ${usageKeys.join(', ')}` }
  for (const day of [from, to])
    if (day !== undefined && !isIsoDay(day)) return { error: `"${day}" is not a day as 2026-11-21` }
  if (from !== undefined && to !== undefined && from > to) return { error: `no day is from ${from} to ${to}` }
  return {
    by: usageKeys.filter((name) => names.includes(name)),
    ...(from === undefined ? undefined : { from }),
    ...(to === undefined ? undefined : { to }),
  }
}

const sums = ['requests', 'input', 'output', 'cacheRead', 'cacheWrite'] as const

export function usageJson(rows: readonly UsageRow[]): string {
  return `${JSON.stringify({ usage: rows.map(({ costNanos, unpriced, ...row }) => ({ ...row, costUsd: dollars(costNanos), unpriced })) }, null, 2)}\n`
}

export function usageCsv(rows: readonly UsageRow[], by: readonly UsageKey[]): string {
  const head = [...by, ...sums, 'costUsd', 'unpriced']
  return [head, ...rows.map((row) => cells(row, by))].map(csvLine).join('')
}

export function usageTable(rows: readonly UsageRow[], by: readonly UsageKey[]): string {
  const head = [...by, ...sums, 'cost (USD)', 'unpriced']
  // Clients choose the names of models.
  const lines = [head, ...rows.map((row) => cells(row, by).map(printable))]
  const widths = head.map((_, column) => lines.reduce((most, line) => Math.max(most, line[column]?.length ?? 0), 0))
  const written = lines.map((line) =>
    line.map((cell, at) => (at < by.length ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  '),
  )
  return `${written.map((line) => line.trimEnd()).join('\n')}\n`
}

function cells(row: UsageRow, by: readonly UsageKey[]): string[] {
  const names = by.map((name) => row[name] ?? '')
  return [...names, ...sums.map((name) => String(row[name])), dollars(row.costNanos).toFixed(6), String(row.unpriced)]
}

/** `2026-02-30` is none. */
function isIsoDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text) && text.length === 10
}

function dollars(nanos: number): number {
  return nanos / 1e9
}
