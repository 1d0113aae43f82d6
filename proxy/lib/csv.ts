// Owns the writing of one line of CSV (RFC 4180, with LF) that spreadsheets may open. It knows no columns.

export function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\n`
}

/** Clients choose the names of models, and a spreadsheet takes what begins like a formula for one. */
function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
