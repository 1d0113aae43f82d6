// Owns the detectors of words that operators list: found as whole words, in any case unless they say otherwise, with any
// white space where a word has a space.
import type { Node, Range } from '../lib/regexp-syntax.ts'
import type { Allowed } from './allow.ts'
import { startsWord } from './boundary.ts'
import { holds, isForeignLetter, wordCharacters } from './characters.ts'
import { patternDetector } from './custom-pattern.ts'
import type { Detector } from './detector.ts'
import type { EntityGroup } from './finding.ts'
import { compileNode, type PatternProblem } from './pattern.ts'
import type { Probe } from './probe.ts'

export type WordsSpec = {
  readonly entity: string
  readonly group: EntityGroup
  readonly words: readonly string[]
  readonly isCaseSensitive: boolean
  readonly allowed: Allowed
}

/** A list of names is woken by their beginnings; what begins with characters that wake nobody is one pattern. */
export function wordDetectors(spec: WordsSpec): readonly Detector[] | PatternProblem {
  const words = spec.words.map((word) => word.trim().replaceAll(/\s+/g, ' '))
  const woken = words.filter((word) => triggerOf(word) !== undefined)
  const others = words.filter((word) => triggerOf(word) === undefined)
  const detectors: Detector[] = woken.length === 0 ? [] : [wokenWords(spec, woken)]
  if (others.length > 0) {
    const pattern = compileNode(anyOf(others, spec.isCaseSensitive))
    if ('error' in pattern) return pattern
    const { entity, group, allowed } = spec
    const plain = { validate: undefined, context: [], contextBefore: 0, isWholeWord: true } as const
    detectors.push(patternDetector({ entity, group, pattern, allowed, ...plain }))
  }
  return detectors
}

const triggerLengthMin = 2
const triggerLengthMax = 32
/** White space that one space of a word may stand for. */
const spaceMax = 4

/** Characters that the automaton of all detectors knows anyway. */
function triggerOf(word: string): string | undefined {
  const [trigger = ''] = /^[a-z0-9_-]*/.exec(word.toLowerCase().slice(0, triggerLengthMax)) ?? []
  return trigger.length < triggerLengthMin ? undefined : trigger
}

function wokenWords(spec: WordsSpec, words: readonly string[]): Detector {
  const tries = new Map<string, Trie>()
  for (const word of words) {
    const trigger = triggerOf(word) ?? ''
    const trie = tries.get(trigger) ?? { next: new Map(), isEnd: false }
    tries.set(trigger, trie)
    insert(trie, folded(word, spec))
  }
  const detector: Detector = {
    entity: spec.entity,
    group: spec.group,
    triggers: [...tries.keys()],
    find(probe, start, triggerEnd) {
      const previous = probe.before(start)
      // What operators list are words, and identifiers are made of words: to them an underscore is a letter.
      if (previous === 95 || isForeignLetter(previous) || !startsWord(probe, start)) return
      const trie = tries.get(probe.text.slice(start, triggerEnd).toLowerCase())
      const end = trie === undefined ? -1 : longestWordEnd(probe, start, trie, spec)
      if (end !== -1 && !spec.allowed(probe.text.slice(start, end))) probe.accept(detector, start, end, false)
    },
  }
  return detector
}

function folded(text: string, { isCaseSensitive }: WordsSpec): string {
  return isCaseSensitive ? text : text.toLowerCase()
}

/** Words that begin alike, by UTF-16 unit, so that a text is read once for all of them. */
type Trie = { readonly next: Map<string, Trie>; isEnd: boolean }

function insert(trie: Trie, word: string): void {
  let node = trie
  for (let i = 0; i < word.length; i++) {
    const unit = word.charAt(i)
    const child = node.next.get(unit) ?? { next: new Map(), isEnd: false }
    node.next.set(unit, child)
    node = child
  }
  node.isEnd = true
}

/** -1: none of the words stands there whole. */
function longestWordEnd(probe: Probe, start: number, trie: Trie, spec: WordsSpec): number {
  let node: Trie | undefined = trie
  let at = start
  let end = -1
  for (;;) {
    const code = probe.code(at)
    if (code === -1) return end
    const afterSpace: number = node.next.has(' ') ? spaceEnd(probe, at) : at
    const unit = String.fromCharCode(code)
    node = afterSpace > at ? node.next.get(' ') : node.next.get(folded(unit, spec))
    if (node === undefined) return end
    at = afterSpace > at ? afterSpace : at + 1
    if (node.isEnd && !isInsideWord(probe, at)) end = at
  }
}

function isInsideWord(probe: Probe, at: number): boolean {
  return isWordUnit(probe.text.charCodeAt(at - 1)) && isWordUnit(probe.code(at))
}

function spaceEnd(probe: Probe, from: number): number {
  let at = from
  while (at < from + spaceMax && isSpace(probe.code(at))) at++
  return at
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0xa0
}

function isWordUnit(code: number): boolean {
  return holds(wordCharacters, code) || isForeignLetter(code)
}

function anyOf(words: readonly string[], isCaseSensitive: boolean): Node {
  // The longest first: of two that begin alike the first is taken.
  const longestFirst = words.toSorted((a, b) => b.length - a.length)
  return { kind: 'choice', options: longestFirst.map((word) => wordNode(word, isCaseSensitive)) }
}

function wordNode(word: string, isCaseSensitive: boolean): Node {
  const parts = Array.from(word, (character): Node => {
    if (character === ' ') return { kind: 'repeat', part: { kind: 'ranges', ranges: spaces }, min: 1, max: spaceMax }
    const cases = isCaseSensitive ? [character] : [character, character.toLowerCase(), character.toUpperCase()]
    // What has two characters in another case (ß) is found as it is written.
    const codes = new Set(cases.filter((text) => Array.from(text).length === 1).map((text) => text.codePointAt(0) ?? 0))
    return { kind: 'ranges', ranges: [...codes].map((code): Range => [code, code]) }
  })
  return { kind: 'sequence', parts }
}

const spaces: readonly Range[] = [[9, 13], [32, 32], [0xa0, 0xa0]] // prettier-ignore
