// Owns what documentation, templates and code print in place of a secret.
import type { Probe } from './probe.ts'
import { Sought, type Counts } from './tally.ts'

const words =
  /your|my[-_]|xxxx|\.\.\.|\*\*\*|insert|example|sample|placeholder|redacted|changeme|change_me|dummy|replace|todo/i
const soughtWords = new Sought(words, 11)
const references = /\$[{(]|[{%]\{|\}\}|#\{|<[A-Za-z]|&lt;/
const soughtReferences = new Sought(references, 4)

/** `xxxxxxxx`, `00000000`, `your-key-here`: of a body whose length is known. */
export function isFiller(value: string): boolean {
  if (isUniform(countDifferent(value, uniformMax), value.length)) return true
  return (traitsOf(value) & wordTrait) !== 0 && words.test(value) && !(/[A-Z]/.test(value) && /\d/.test(value))
}

/** The same of the beginning of a long run, which may have to be asked about again and again. */
export function isFillerWithin(probe: Probe, from: number, to: number, counts: Counts | undefined): boolean {
  if (counts === undefined) return isFiller(probe.text.slice(from, to))
  if (isUniform(counts.different, to - from)) return true
  return soughtWords.isWithin(probe, from, to) && !(counts.capitals > 0 && counts.digits > 0)
}

const uniformMax = 5

/** It has hardly any different characters. */
export function isUniform(different: number, length: number): boolean {
  return different < Math.min(uniformMax, length / 2)
}

/** By character: the number of the last value that had it, so that nothing needs to be cleared. */
const seenIn = new Uint32Array(128)
let values = 0

/** Up to `enough`: nobody minds how many more there are. */
export function countDifferent(value: string, enough: number): number {
  values = (values + 1) >>> 0
  let different = 0
  for (let i = 0; i < value.length && different < enough; i++) {
    const code = value.charCodeAt(i)
    if (code >= 128) return countDifferentBeyond(value, enough)
    if (seenIn[code] !== values) different++
    seenIn[code] = values
  }
  return different
}

/** The same beyond ASCII. */
function countDifferentBeyond(value: string, enough: number): number {
  let different = 0
  for (let i = 0; i < value.length && different < enough; i++) if (value.indexOf(value.charAt(i)) === i) different++
  return different
}

/** What refers to a secret that is kept elsewhere, or stands for one: of a value of any length. */
export function isReference(value: string): boolean {
  const traits = traitsOf(value)
  if ((traits & (markTrait | openTrait)) !== 0 && beginning.test(value)) return true
  return ((traits & markTrait) !== 0 && references.test(value)) || ((traits & wordTrait) !== 0 && words.test(value))
}

/** The same of the beginning of a long run. */
export function isReferenceWithin(probe: Probe, from: number, to: number): boolean {
  if (beginning.test(probe.text.slice(from, to))) return true
  return soughtReferences.isWithin(probe, from, to) || soughtWords.isWithin(probe, from, to)
}

const beginning =
  /^[$%<{[(#@&*!~]*[<{[(]|^\$\w+$|^%\w+%?$|^(?:env|process|os|var|vars|local|self|this|secrets?|config|settings|data|params|args|ctx|input|request|req|vault|file|kms|ref|op|arn|urn|https?|ENC)[.:([]/

/** What a value must have for the patterns to be tried, most of which look for words everywhere. */
const markTrait = 1
const wordTrait = 2
/** A beginning has one of these, or a mark. */
const openTrait = 4
const signTraits = new Uint8Array(128)
for (const mark of '$%{}#<&') signTraits[mark.charCodeAt(0)] = markTrait
for (const open of '.:([') signTraits[open.charCodeAt(0)] = openTrait
/** By the lower five bits of each: the first three characters of the words. */
const wordBeginnings = new Uint8Array(1 << 15)
for (const [first = 0, second = 0, third = 0] of 'you my- my_ xxx ... *** ins exa sam pla red cha dum rep tod'
  .split(' ')
  .map((word) => Array.from(word, (character) => character.charCodeAt(0) & 31)))
  wordBeginnings[(first << 10) | (second << 5) | third] = wordTrait

function traitsOf(value: string): number {
  let traits = 0
  let packed = 0
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    packed = ((packed << 5) | (code & 31)) & 0x7fff
    traits |= wordBeginnings[packed] as number
    if (code < 128) traits |= signTraits[code] as number
  }
  return traits
}
