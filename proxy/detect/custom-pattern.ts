// Owns the detectors of patterns: which matches are values, by check digits, by words before them, and by what is let be.
import type { Allowed } from './allow.ts'
import type { Detector } from './detector.ts'
import type { EntityGroup } from './finding.ts'
import type { Pattern } from './pattern.ts'
import type { Probe } from './probe.ts'
import { isWordPlace } from './word-places.ts'

export type PatternSpec = {
  readonly entity: string
  readonly group: EntityGroup
  readonly pattern: Pattern
  readonly validate: ((value: string) => boolean) | undefined
  /** In lower case; one of them stands at most `contextBefore` units before the value. Empty: nothing needs to. */
  readonly context: readonly string[]
  readonly contextBefore: number
  readonly allowed: Allowed
}

/** Woken by what its matches begin with, where they all begin alike; else it goes over the text by itself. */
export function patternDetector(spec: PatternSpec): Detector {
  const { entity, group, pattern } = spec
  const { prefixes } = pattern
  if (prefixes === undefined) return { entity, group, find: unasked, sweep: (probe, from) => sweep(spec, probe, from) }
  return {
    entity,
    group,
    triggers: prefixes,
    find(probe, start) {
      const { end, more } = pattern.matchAt(probe.text, start, probe.final)
      // Reading where the text ends says that nothing is decided yet.
      if (more) probe.touchEnd()
      else if (end !== -1 && isValue(spec, probe.text, start, end)) accept(spec, probe, start, end)
    },
  }
}

function unasked(): void {}

function sweep(spec: PatternSpec, probe: Probe, from: number): void {
  const { pattern } = spec
  const { text, final } = probe
  let tail = final ? text.length : pattern.tailStart(text, from)
  pattern.each(text, from, (start, end) => {
    probe.arm(start)
    if (isValue(spec, text, start, end)) accept(spec, probe, start, end)
    // The next match is looked for behind this one, so a scan must not begin inside of it.
    else probe.keepWhole(start, end)
    // So nothing begins inside of it, once it is whole.
    if (start < tail && tail < end) tail = pattern.tailStart(text, end)
  })
  if (!final) probe.leaveFrom(tail)
}

function accept(spec: PatternSpec, probe: Probe, start: number, end: number): void {
  probe.accept(spec, start, end, spec.validate !== undefined)
}

function isValue(spec: PatternSpec, text: string, start: number, end: number): boolean {
  const { validate, context, contextBefore, allowed } = spec
  const value = text.slice(start, end)
  if (validate !== undefined && !validate(value)) return false
  if (allowed(value)) return false
  if (context.length === 0) return true
  const before = text.slice(Math.max(0, start - contextBefore), start)
  const small = before.toLowerCase()
  // Few letters are more units when they are small.
  const written = small.length === before.length ? before : small
  return context.some((word) => hasWord(small, written, word))
}

function hasWord(text: string, written: string, word: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    if (isWordPlace(written, at) && isWordPlace(written, at + word.length)) return true
  }
  return false
}
