// Owns the scan of text with markup (XML, HTML): what is not shown, or only changes how letters look, does not split a value.
// What other elements divide counts as divided: whether `<td>12</td><td>34</td>` is one number, nobody knows.
import type { Markup } from '../lib/xml-text.ts'
import type { Finding } from './finding.ts'
import { countingIn } from './overlap.ts'
import type { Scanner } from './scanner.ts'

/** Elements of HTML that stand within words. */
const inline =
  'a|abbr|acronym|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|mark|nobr|q|s|samp|small|span|strike|strong|sub|sup|tt|u|var|wbr'
/** What is not closed goes on to the end, so that nothing is read twice. */
const notShown = ['<!--.*?(?:-->|$)', '<\\?.*?(?:\\?>|$)', '<!\\[CDATA\\[|\\]\\]>']
const unseenIn: Readonly<Record<Markup, RegExp>> = {
  xml: new RegExp(notShown.join('|'), 'gs'),
  html: new RegExp(
    [...notShown, `</?(?:${inline})(?:[\\s/][^<>"']*(?:(?:"[^"<]{0,2000}"|'[^'<]{0,2000}')[^<>"']*){0,64})?>`].join(
      '|',
    ),
    'gis',
  ),
}

/** As a plain scan; of a value that markup splits, each piece is found by itself, so that the markup stays. */
export function scanMarkup(scanner: Scanner, text: string, markup: Markup): readonly Finding[] {
  const found = scanner.scan(text)
  const shown = shownOf(text, unseenIn[markup])
  if (shown === undefined) return found
  const counts = countingIn(text, scanner.matters)
  const countsShown = countingIn(shown.text, scanner.matters)
  const kept = counts === undefined ? [] : found.filter(counts)
  // What is only observed hides nothing from what is not.
  const pieces = scanner.scan(shown.text).flatMap((finding) => {
    const some = piecesOf(finding, shown.parts)
    return countsShown?.(finding) === false ? some.filter((one) => isApart(one, kept)) : some
  })
  if (pieces.length === 0) return found
  return [...found.filter((one) => isApart(one, pieces)), ...pieces].sort((a, b) => a.start - b.start)
}

function isApart(finding: Finding, others: readonly Finding[]): boolean {
  return !others.some(({ start, end }) => finding.start < end && start < finding.end)
}

/** A stretch of the source that is shown, and where it stands in what is shown. */
type Part = { readonly at: number; readonly start: number; readonly length: number }

function shownOf(text: string, unseen: RegExp): { readonly text: string; readonly parts: readonly Part[] } | undefined {
  if (!text.includes('<') && !text.includes(']]>')) return undefined
  const parts: Part[] = []
  let shown = ''
  let from = 0
  const add = (to: number): void => {
    if (to > from) parts.push({ at: shown.length, start: from, length: to - from })
    shown += text.slice(from, to)
  }
  for (const { 0: markup, index } of text.matchAll(unseen)) {
    add(index)
    from = index + markup.length
  }
  if (from === 0) return undefined
  add(text.length)
  return { text: shown, parts }
}

/** None of a value that stands in one part: it has been found there. */
function piecesOf(finding: Finding, parts: readonly Part[]): Finding[] {
  const first = partAt(parts, finding.start)
  const pieces: Finding[] = []
  for (let index = first; index < parts.length; index++) {
    const { at, start, length } = parts[index] as Part
    if (at >= finding.end) break
    const from = start + Math.max(0, finding.start - at)
    pieces.push({ ...finding, start: from, end: start + Math.min(length, finding.end - at) })
  }
  return pieces.length > 1 ? pieces : []
}

/** The index of the last part that begins at or before `at`. */
function partAt(parts: readonly Part[], at: number): number {
  let low = 0
  let high = parts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((parts[middle] as Part).at <= at) low = middle
    else high = middle - 1
  }
  return low
}
