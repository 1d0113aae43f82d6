// Owns how values are found that have no check of their own: a label wakes the detector, and the value must follow it
// with nothing but filling words between. What labels and values look like, each detector says.
import { characterClass } from './characters.ts'
import type { Detector } from './detector.ts'
import { acceptFollowing, type ListedNumber } from './number-list.ts'
import type { Probe } from './probe.ts'
import { letters, spellings, wordEndOrDigit } from './word-places.ts'

export type LabelledKind = {
  readonly entity: string
  /** ASCII literals at the start of a word, found regardless of case, and however identifiers write them. */
  readonly labels: readonly string[]
  /** What the rest of the label looks like. */
  readonly rest?: string
  /** May stand between in place of the usual filling words. */
  readonly filling?: string
  readonly value: string
  readonly valid?: (value: string) => boolean
}

/** After the label, in UTF-16 units: filling words and the value. */
const reach = 64
const line = characterClass('\0-\t\v\f\x0e-\x7f', () => true)
/** Every value has some. */
const digit = /\d/
const words =
  'numbers?|numbe?r|num|no|nos|nr|nummer|num[eé]ro|numero|numer|id|code|value|is|was|are|of|reads|card|licen[cs]e|the|de|das?|dos?|di|del|lautet|ist|to|est|es'
// The parts are patterns of their own, which all kinds share: for each kind one that holds all of them would have to be
// translated when it is met first, which takes up to 30 ms.
const fillingWord = new RegExp(`[\\s_.-]{0,2}(?:(?:${words})${wordEndOrDigit}|[#№º°])`, 'iy')
/** In Markdown the label may be emphasised, or the value. */
const emphasis = '[*_]{0,3}'
const assignment = new RegExp(
  `["'\`]?${emphasis}\\s{0,2}[:=#|-]?>?${emphasis}\\s{0,2}\\[?["'\`(#]?${emphasis}\\s?`,
  'y',
)
const letter = new RegExp(`[${letters}]`, 'y')
/** `MRNs` */
const plural = new RegExp(`s${wordEndOrDigit}`, 'iy')
/** Nothing goes on there, be it behind underscores. */
const valueEnd = `(?-i:(?!_{0,3}[${letters}\\d]))`

export function labelledDetector(kind: LabelledKind): Detector {
  const valueAfter = kind.filling === undefined ? afterFillingWords(kind) : afterFilling(kind, kind.filling)
  const detector: Detector = {
    entity: kind.entity,
    group: 'pii',
    triggers: spellings(kind.labels),
    isAtPartStart: true,
    find(probe, labelStart, labelEnd) {
      const text = textAfter(probe, labelEnd)
      const found = digit.test(text) ? valueAfter(text) : undefined
      if (found === undefined || kind.valid?.(text.slice(found.start, found.end)) === false) return
      const start = labelEnd + found.start
      const end = labelEnd + found.end
      probe.accept(detector, start, end, false)
      if (listed !== undefined) acceptFollowing(probe, labelStart, start, end, listed)
    },
  }
  const listed = kind.filling === undefined ? listedNumber(detector, kind) : undefined
  return detector
}

function listedNumber(of: Detector, { value, valid }: LabelledKind): ListedNumber {
  const pattern = valuePattern({ value })
  return {
    of,
    endOf: (probe, start) => {
      const text = textAfter(probe, start)
      const length = endAt(pattern, text, 0)
      return length === undefined || valid?.(text.slice(0, length)) === false ? -1 : start + length
    },
  }
}

/** To the end of the line, or as far as a value may be. */
function textAfter(probe: Probe, from: number): string {
  return probe.text.slice(from, probe.runEnd(from, line, reach))
}

type Stretch = { readonly start: number; readonly end: number }

function afterFilling({ rest = '', value }: LabelledKind, filling: string): (text: string) => Stretch | undefined {
  const pattern = new RegExp(`^${rest}${filling}(?<value>${value})${valueEnd}`, 'i')
  return (text) => {
    const match = pattern.exec(text)
    const length = match?.groups?.['value']?.length
    return match === null || length === undefined
      ? undefined
      : { start: match[0].length - length, end: match[0].length }
  }
}

function valuePattern({ value }: Pick<LabelledKind, 'value'>): RegExp {
  return new RegExp(`(?:${value})${valueEnd}`, 'iy')
}

/** A value may begin like a filling word (`no 123456`), so after the last of them it is looked for after the one before. */
function afterFillingWords({ rest, value }: LabelledKind): (text: string) => Stretch | undefined {
  const restOfLabel = rest === undefined ? undefined : new RegExp(rest, 'iy')
  const pattern = valuePattern({ value })
  return (text) => {
    const labelEnd = restOfLabel === undefined ? afterPlural(text) : endAt(restOfLabel, text, 0)
    if (labelEnd === undefined) return undefined
    const ends = fillingEnds(text, labelEnd)
    for (let n = ends.length - 1; n >= 0; n--) {
      const start = endAt(assignment, text, ends[n] as number)
      const end = start === undefined ? undefined : endAt(pattern, text, start)
      if (start !== undefined && end !== undefined) return { start, end }
    }
    return undefined
  }
}

function afterPlural(text: string): number {
  return (text.charCodeAt(0) | 32) === 115 ? (endAt(plural, text, 0) ?? 0) : 0
}

/** Where the label ends, unless a word goes on there (`patente` is no `patent`), and each filling word after it. */
function fillingEnds(text: string, labelEnd: number): number[] {
  const ends = endAt(letter, text, labelEnd) === undefined ? [labelEnd] : []
  for (let at = endAt(fillingWord, text, labelEnd); at !== undefined; at = endAt(fillingWord, text, at)) {
    ends.push(text[at] === '.' ? at + 1 : at)
  }
  return ends
}

/** `pattern` is sticky. */
function endAt(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : undefined
}
