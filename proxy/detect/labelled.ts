// Owns how values are found that have no check of their own: a label wakes the detector, and the value must follow it
// with nothing but filling words between. What labels and values look like, each detector says.
import { characterClass } from './characters.ts'
import type { Detector } from './detector.ts'
import type { Probe } from './probe.ts'
import { letters, noLetterNext, spellings, wordEndOrDigit } from './word-places.ts'

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
/** Without any the label must end there: `patente` is no `patent`. */
const fillingWords = `(?:(?:[\\s_.-]{0,2}(?:(?:${words})${wordEndOrDigit}|[#№º°]))+\\.?|${noLetterNext})`
const assignment = `["'\`]?\\s{0,2}[:=#|-]?>?\\s{0,2}\\[?["'\`(#]?\\s?`

export function labelledDetector(kind: LabelledKind): Detector {
  const between = kind.filling ?? fillingWords + assignment
  const pattern = new RegExp(`^${kind.rest ?? ''}${between}(?<value>${kind.value})(?-i:(?![${letters}\\d_]))`, 'i')
  const detector: Detector = {
    entity: kind.entity,
    group: 'pii',
    triggers: spellings(kind.labels),
    isAtPartStart: true,
    find(probe, _start, end) {
      const text = textAfter(probe, end)
      if (!digit.test(text)) return
      const match = pattern.exec(text)
      const value = match?.groups?.['value']
      if (match === null || value === undefined || kind.valid?.(value) === false) return
      const valueEnd = end + match[0].length
      probe.accept(detector, valueEnd - value.length, valueEnd, false)
    },
  }
  return detector
}

/** To the end of the line, or as far as a value may be. */
function textAfter(probe: Probe, from: number): string {
  return probe.text.slice(from, probe.runEnd(from, line, reach))
}
