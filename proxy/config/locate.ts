// Owns the located tree: a document in which every key and value remembers the file and the place it was written at.
// It turns paths into places. It does not know what any key means.
import type { Json } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'

/** One file as it was read. `lineStarts` are offsets into `text`, ascending, the first is 0. */
export type Source = {
  readonly file: string
  readonly text: string
  readonly lineStarts: readonly number[]
  /** `text` without what errors must not show, every other character in its place. */
  readonly visible: string
}

/** A stretch of a source, end exclusive, UTF-16 offsets. */
export type Span = { readonly source: Source; readonly start: number; readonly end: number }

export type LocatedScalar = {
  readonly kind: 'scalar'
  readonly at: Span
  readonly value: null | boolean | number | string
  /** The text before variables were put in. Errors show this, because a variable may hold a secret. */
  readonly template?: string
  /** What was put into the template, in order. */
  readonly replacements?: readonly Replacement[]
  /** Nothing but one variable: its text may be read as a number or a boolean. */
  readonly wholly?: true
}

/** At offset `at` of a template `written` characters gave way to `put` others. */
export type Replacement = { readonly at: number; readonly written: number; readonly put: number }

export type LocatedMap = {
  readonly kind: 'map'
  readonly at: Span
  readonly entries: ReadonlyMap<string, { readonly keyAt: Span; readonly node: Located }>
}

export type LocatedList = { readonly kind: 'list'; readonly at: Span; readonly items: readonly Located[] }

export type Located = LocatedScalar | LocatedMap | LocatedList

/** A problem with its place. `line` and `column` are 1-based; columns count UTF-16 units. */
export type LocatedProblem = {
  readonly file: string
  readonly line: number
  readonly column: number
  /** Characters to underline, at least 1, never past the end of the line. */
  readonly length: number
  /** `rules[0].effect`; empty for the document itself. */
  readonly path: string
  readonly message: string
  readonly hint?: string
  readonly severity: 'error' | 'warning'
  /** The line itself as far as it may be shown, for a caret. Absent when the file could not be read. */
  readonly sourceLine?: string
}

/** The place of a problem: the deepest part of its path that was written down (defaults and missing keys were not). */
export function locateProblem(root: Located, problem: Problem): LocatedProblem {
  let node = root
  let keyAt: Span | undefined
  let whole = true
  for (const step of problem.path) {
    const next = childOf(node, step)
    if (next === undefined) {
      whole = false
      break
    }
    node = next.node
    keyAt = next.keyAt
  }
  let span = whole && problem.atKey !== true ? node.at : (keyAt ?? node.at)
  if (whole && problem.offset !== undefined && node.kind === 'scalar') span = spanWithin(node, problem.offset)
  return problemAt(span, {
    path: formatPath(problem.path),
    message: problem.message,
    severity: problem.severity,
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
  })
}

export function problemAt(
  span: Span,
  said: Pick<LocatedProblem, 'path' | 'message' | 'severity' | 'hint'>,
): LocatedProblem {
  const { source, start, end } = span
  const { line, column } = positionOf(source, start)
  const sourceLine = lineText(source, line)
  const length = Math.max(1, Math.min(end - start, sourceLine.length - column + 1))
  return { file: source.file, line, column, length, ...said, sourceLine }
}

export function childOf(node: Located, step: string | number): { node: Located; keyAt?: Span } | undefined {
  if (node.kind === 'map') return node.entries.get(String(step))
  if (node.kind !== 'list' || typeof step !== 'number') return undefined
  const item = node.items[step]
  return item === undefined ? undefined : { node: item }
}

export function nodeAt(root: Located, path: Path): Located | undefined {
  let node: Located | undefined = root
  for (const step of path) {
    if (node === undefined) return undefined
    node = childOf(node, step)?.node
  }
  return node
}

/** Whether errors may show all of what was written there. */
export function isVisible({ at: { source, start, end } }: Located): boolean {
  return source.visible.slice(start, end) === source.text.slice(start, end)
}

/** The value without its places. */
export function plainValue(node: Located): Json {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plainValue)
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainValue(entry.node)]))
}

/** `rules[0].effect`, `tools["github/x"].tags[1]`; empty for the root. */
export function formatPath(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === '' ? step : `.${step}`
    else text += `[${JSON.stringify(step)}]`
  }
  return text
}

export function positionOf(source: Source, offset: number): { line: number; column: number } {
  const { lineStarts } = source
  let low = 0
  let high = lineStarts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((lineStarts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 }
}

/** Lines for `positionOf`; LF, CRLF and lone CR-free files look the same. */
export function lineStartsOf(text: string): number[] {
  const starts = [0]
  for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  return starts
}

function lineText(source: Source, line: number): string {
  const start = source.lineStarts[line - 1] ?? 0
  const end = source.lineStarts[line]
  return source.visible.slice(start, end === undefined ? undefined : end - 1).replace(/\r$/, '')
}

/**
 * Where character `offset` of a string value stands in the source; one that a variable brought stands where the variable
 * does. What was written and the source are walked side by side: a run of white space in one stands for a run in the
 * other (block and folded scalars), an escape stands for one character.
 */
function spanWithin(node: LocatedScalar, offset: number): Span {
  const { source, start, end } = node.at
  const value = node.template ?? String(node.value)
  const until = writtenOffset(node.replacements ?? [], offset)
  const text = source.text
  const quote = text[start]
  let at = start
  if (quote === '"' || quote === "'") at += 1
  if (quote === '|' || quote === '>') at = skipSpace(text, lineEnd(text, start))
  for (let i = 0; i < until && at < end; i++) {
    if (isSpace(value[i])) {
      const next = skipSpace(text, at)
      // Blanks inside a line are kept one for one; only line breaks bring indentation with them.
      at = text.slice(at, next).includes('\n') ? (isSpace(value[i + 1]) ? at : next) : at + 1
    } else at += escapeLength(text, at, quote)
  }
  return { source, start: Math.min(at, end), end }
}

/** An offset in the value as one in the template. */
function writtenOffset(replacements: readonly Replacement[], offset: number): number {
  let longer = 0
  for (const { at, written, put } of replacements) {
    if (offset < at + longer) break
    if (offset < at + longer + put) return at
    longer += put - written
  }
  return offset - longer
}

function escapeLength(text: string, at: number, quote: string | undefined): number {
  if (quote === "'" && text.startsWith("''", at)) return 2
  if (quote !== '"' || text[at] !== '\\') return 1
  return { x: 4, u: 6, U: 10 }[text[at + 1] ?? ''] ?? 2
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (isSpace(text[at])) at += 1
  return at
}

function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\n' || char === '\t' || char === '\r'
}
