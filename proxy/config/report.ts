// Owns how problems are printed: for people, for programs, and as annotations of a GitHub workflow.
import type { LocatedProblem } from './locate.ts'

export type ReportFormat = 'text' | 'json' | 'github'

/** All problems, in the order of their places. Ends with a newline unless there is nothing to say. */
export function report(problems: readonly LocatedProblem[], format: ReportFormat): string {
  const ordered = [...problems].sort(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  )
  if (format === 'json') return `${JSON.stringify(ordered, null, 2)}\n`
  return ordered.map((problem) => `${format === 'github' ? annotationOf(problem) : textOf(problem)}\n`).join('')
}

/** `file:line:column: error: message (hint)`, then the line with what is meant underlined. */
function textOf(problem: LocatedProblem): string {
  const { file, line, column, severity, message, hint, sourceLine } = problem
  const head = `${file}:${line}:${column}: ${severity}: ${message}${hint === undefined ? '' : ` (${hint})`}`
  if (sourceLine === undefined || sourceLine.trim() === '') return head
  const number = String(line)
  // A long line is cut to a window around the place, and control characters must not reach a terminal.
  const from = Math.max(0, column - 1 - windowBefore)
  const shown = sourceLine.slice(from, from + windowLength).replaceAll(controls, ' ')
  const pad = ' '.repeat(column - 1 - from)
  const marks = '^'.repeat(Math.max(1, Math.min(problem.length, shown.length - pad.length)))
  return `${head}\n ${number} | ${shown}\n ${' '.repeat(number.length)} | ${pad}${marks}`
}

const windowBefore = 60
const windowLength = 120
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const controls = /[\u0000-\u001f\u007f-\u009f]/g

/** Workflow command of GitHub Actions; property values also escape `:` and `,`. */
function annotationOf({ file, line, column, severity, message, hint }: LocatedProblem): string {
  const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
  const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
  const said = data(`${message}${hint === undefined ? '' : ` (${hint})`}`)
  return `::${severity} file=${property(file)},line=${line},col=${column}::${said}`
}
