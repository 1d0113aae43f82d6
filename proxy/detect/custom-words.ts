// Owns the detectors of words that operators list: found as whole words, in any case unless they say otherwise, with any
// white space where a word has a space.
import type { Allowed } from './allow.ts'
import { startsWord } from './boundary.ts'
import { holds, wordCharacters } from './characters.ts'
import type { Detector } from './detector.ts'
import type { EntityGroup } from './finding.ts'
import { matchLengthMax } from './pattern.ts'
import type { Probe } from './probe.ts'

export type WordsSpec = {
  readonly entity: string
  readonly group: EntityGroup
  readonly words: readonly string[]
  readonly isCaseSensitive: boolean
  readonly allowed: Allowed
}

/** Most are woken by their beginnings; what begins with characters that wake nobody is looked for unit by unit. */
export function wordDetectors(spec: WordsSpec): readonly Detector[] {
  const woken = new Map<string, Trie>()
  const sought = newTrie()
  for (const word of spec.words.map((one) => one.trim().replaceAll(/\s+/g, ' '))) {
    const trigger = triggerOf(word)
    const trie = trigger === undefined ? sought : (woken.get(trigger) ?? newTrie())
    if (trigger !== undefined) woken.set(trigger, trie)
    insert(trie, word, spec)
  }
  return [
    ...(woken.size === 0 ? [] : [wokenWords(spec, woken)]),
    ...(sought.next.size === 0 ? [] : [soughtWords(spec, sought)]),
  ]
}

const triggerLengthMin = 2
const triggerLengthMax = 32
/** White space that one space of a word may stand for: a line's end and how far the next is indented. */
const spaceMax = 64

/** Characters that the automaton of all detectors knows anyway. */
function triggerOf(word: string): string | undefined {
  const [trigger = ''] = /^[a-z0-9_-]*/.exec(word.toLowerCase().slice(0, triggerLengthMax)) ?? []
  return trigger.length < triggerLengthMin ? undefined : trigger
}

function wokenWords(spec: WordsSpec, tries: ReadonlyMap<string, Trie>): Detector {
  const detector: Detector = {
    entity: spec.entity,
    group: spec.group,
    triggers: [...tries.keys()],
    find(probe, start, triggerEnd) {
      const trie = tries.get(probe.text.slice(start, triggerEnd).toLowerCase())
      if (trie !== undefined) findAt(detector, spec, trie, probe, start)
    },
  }
  return detector
}

function soughtWords(spec: WordsSpec, trie: Trie): Detector {
  const beginsOne = Uint8Array.from({ length: unitsCount }, (_, unit) => Number(trie.next.has(foldedUnit(unit, spec))))
  const detector: Detector = {
    entity: spec.entity,
    group: spec.group,
    find: () => {},
    sweep(probe, from) {
      for (let at = from; at < probe.text.length; at++) {
        if (beginsOne[probe.units[at] as number] !== 1) continue
        probe.arm(at)
        findAt(detector, spec, trie, probe, at)
        probe.settle(detector)
      }
    },
  }
  return detector
}

function findAt(detector: Detector, spec: WordsSpec, trie: Trie, probe: Probe, start: number): void {
  if (!beginsWord(probe, start)) return
  const end = longestWordEnd(probe, start, trie, spec)
  if (end !== -1 && !spec.allowed(probe.text.slice(start, end))) probe.accept(detector, start, end, false)
}

const unitsCount = 1 << 16
/** By unit: what it is whatever its case, as one unit, too (`İ`, `ς`). */
const folds = new Uint16Array(unitsCount)

function foldedUnit(unit: number, { isCaseSensitive }: WordsSpec): number {
  if (isCaseSensitive) return unit
  if (folds[unit] === 0) folds[unit] = foldOf(String.fromCharCode(unit))
  return folds[unit] as number
}

function foldOf(unit: string): number {
  const upper = unit.toUpperCase()
  return (upper.length === 1 ? upper : unit).toLowerCase().charCodeAt(0)
}

/** Words that begin alike, by UTF-16 unit, so that a text is read once for all of them. */
type Trie = { readonly next: Map<number, Trie>; isEnd: boolean }

function newTrie(): Trie {
  return { next: new Map(), isEnd: false }
}

function insert(trie: Trie, word: string, spec: WordsSpec): void {
  let node = trie
  for (let i = 0; i < word.length; i++) {
    const unit = foldedUnit(word.charCodeAt(i), spec)
    const child = node.next.get(unit) ?? newTrie()
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
  while (at < start + matchLengthMax) {
    const code = probe.code(at)
    if (code === -1) return end
    const afterSpace: number = node.next.has(space) ? spaceEnd(probe, at) : at
    node = node.next.get(afterSpace > at ? space : foldedUnit(code, spec))
    if (node === undefined) return end
    at = afterSpace > at ? afterSpace : at + 1
    if (node.isEnd && !isInsideWord(probe, at)) end = at
  }
  return end
}

/** What operators list are words, and identifiers are made of words: to them an underscore is a letter. */
function beginsWord(probe: Probe, start: number): boolean {
  if (!isWordUnit(probe.code(start))) return true
  const previous = probe.before(start)
  if (previous === underscore || (previous >= 128 && isWordUnit(previous))) return false
  return startsWord(probe, start)
}

function isInsideWord(probe: Probe, at: number): boolean {
  return isWordUnit(probe.text.charCodeAt(at - 1)) && isWordUnit(probe.code(at))
}

function spaceEnd(probe: Probe, from: number): number {
  let at = from
  while (at < from + spaceMax && isSpace(probe.code(at))) at++
  return at
}

const space = 32
const underscore = 95

/** Unicode's property White_Space. */
function isSpace(code: number): boolean {
  if (code <= 0xa0) return code === space || (code >= 9 && code <= 13) || code === 0x85 || code === 0xa0
  if (code < 0x2000) return code === 0x1680
  return code <= 0x200a || code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f || code === 0x3000
}

/** A letter with its marks, a digit or an underscore. */
function isWordUnit(code: number): boolean {
  if (code < 128) return holds(wordCharacters, code)
  return /[\p{L}\p{M}\p{N}]/u.test(String.fromCharCode(code))
}
