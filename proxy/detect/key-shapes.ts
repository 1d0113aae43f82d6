// Owns the two shapes that keys have: a fixed beginning with a body, and a body that only a label before it tells from
// other random text. It knows no vendor.
import { characterClass, holds, isDigit, isLetter, type CharacterClass } from './characters.ts'
import { runBefore, startsWord } from './boundary.ts'
import type { Detector } from './detector.ts'
import type { Probe } from './probe.ts'

type PrefixedShape = {
  readonly body: string
  /** Least and most characters after the prefix. */
  readonly lengths: readonly [number, number]
  readonly isDigitNeeded?: true
  /** Stands somewhere in every key of this kind. */
  readonly infix?: string
}

/** The prefixes are matched with their case. */
export function prefixedKey(entity: string, prefixes: readonly string[], shape: PrefixedShape): Detector {
  const body = characterClass(shape.body)
  const [lengthMin, lengthMax] = shape.lengths
  const detector: Detector = {
    entity,
    group: 'secrets',
    triggers: prefixes,
    find(probe, start, bodyStart) {
      if (
        !startsWord(probe, start) ||
        !prefixes.includes(probe.text.slice(start, bodyStart)) ||
        isJoined(probe, start, body, prefixes)
      )
        return
      const runEnd = probe.runEnd(bodyStart, body, lengthMax + 1)
      const end = trimPunctuation(probe.text, bodyStart + lengthMin, runEnd)
      if (end - bodyStart < lengthMin || end - bodyStart > lengthMax) return
      if (end === runEnd && isWordUnit(probe.code(end))) return
      const value = probe.text.slice(bodyStart, end)
      if (shape.isDigitNeeded && !/\d/.test(value)) return
      if (shape.infix !== undefined && !value.includes(shape.infix)) return
      if (isFiller(value) || probe.text.startsWith('EXAMPLE', end - 7)) return
      probe.accept(detector, start, end, true)
    },
  }
  return detector
}

type LabelledShape = { readonly body: string; readonly length: number; readonly ending: string }

/** How much of an identifier may follow the label, and how much `" => "`-like text the value. */
const labelRestMax = 24
const gapMax = 12
const labelRest = characterClass('A-Za-z_')
const gap = characterClass(' \t\r\n"\'`=:>,|\\({[')

/** Case of labels does not matter. The finding is the value alone. */
export function labelledKey(entity: string, labels: readonly string[], shape: LabelledShape): Detector {
  const body = characterClass(shape.body)
  const detector: Detector = {
    entity,
    group: 'secrets',
    triggers: labels,
    find(probe, _start, labelEnd) {
      const gapStart = probe.runEnd(labelEnd, labelRest, labelRestMax)
      const start = probe.runEnd(gapStart, gap, gapMax)
      if (start === gapStart) return
      const bodyEnd = probe.runEnd(start, body, shape.length + 1)
      if (bodyEnd - start !== shape.length) return
      const end = bodyEnd + shape.ending.length
      for (let i = bodyEnd; i < end; i++) if (probe.code(i) !== shape.ending.charCodeAt(i - bodyEnd)) return
      if (isWordUnit(probe.code(end)) || probe.code(end) === 61) return
      const value = probe.text.slice(start, bodyEnd)
      if (!/[a-z]/.test(value) || !/[A-Z]/.test(value) || !/\d/.test(value)) return
      if (isFiller(value) || value.endsWith('EXAMPLEKEY')) return
      probe.accept(detector, start, end, true)
    },
  }
  return detector
}

/**
 * A dash or a dot joins it to what stands before, so it is a later part of something else. After more punctuation it
 * still is if the same run has such a prefix, from which it has been read: a run of prefixes is not read at every one.
 */
function isJoined(probe: Probe, start: number, body: CharacterClass, prefixes: readonly string[]): boolean {
  const previous = probe.before(start)
  if ((previous !== 45 && previous !== 46) || !holds(body, previous)) return false
  if (isWordUnit(probe.before(start - 1))) return true
  const run = runBefore(probe, start, body)
  return prefixes.some((prefix) => run.includes(prefix))
}

function isWordUnit(code: number): boolean {
  return isDigit(code) || (code >= 0 && isLetter(code)) || code === 95
}

/** Where a body may go on, a full stop or a dash at its end belongs to the sentence. */
function trimPunctuation(text: string, least: number, runEnd: number): number {
  let end = runEnd
  while (end > least && (text[end - 1] === '.' || text[end - 1] === '-' || text[end - 1] === '/')) end--
  return end
}

/** `xxxxxxxx`, `00000000`, `your-key-here`: what documentation prints in place of a key. */
function isFiller(value: string): boolean {
  const different = new Set(value).size
  if (different < Math.min(8, value.length / 2)) return true
  return (
    /(?:your|my|xxxx|insert|example|placeholder|redacted|changeme)/i.test(value) && !/[A-Z].*\d|\d.*[A-Z]/.test(value)
  )
}
