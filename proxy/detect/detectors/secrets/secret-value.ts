// Owns which values may be secrets when only their name says so: not references, placeholders, words of code or prose.
import { digit, isChange, kinds, sign } from '../../character-kinds.ts'
import { countDifferent, isReference, isReferenceWithin, isUniform } from '../../filler.ts'
import type { Probe } from '../../probe.ts'
import type { Tally } from '../../tally.ts'

const tokenLengthMin = 10
const keyLengthMin = 20
export const keyLengthMax = 200
export const passwordLengthMax = 128
const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i
/** What schemas, forms and code give to something called a password. */
const stopValues =
  /^(?:pass(?:word|wd|phrase|code|wort|ord)?s?|mot[ _-]?de[ _-]?passe|contrase[nñ]a|kennwort|senha|palavra[ _-]?passe|wachtwoord|has[lł]o|heslo|pwd|secrets?|tokens?|credentials?|string|str|text|char|varchar|bytes?|object|any|unknown|never|optional|required|none|null|nil|undefined|true|false|yes|no|empty|hidden|username|user|email|login|admin_?password|new|delete|const|return|await|self|this|function|type|void)$/i
const identifier = /^[A-Za-z_$][\w$]*(?:(?:\.|->|::|\?\.)[A-Za-z_$][\w$]*)+$/

export type Writing = {
  readonly isQuoted: boolean
  /** `NAME=value` or `--name=value` without spaces: an environment file or a command, where a bare word is a value. */
  readonly isEnvironment: boolean
}

export function isPassword(value: string, { isQuoted, isEnvironment }: Writing): boolean {
  if (value.length > passwordLengthMax) return false
  const traits = traitsOf(value)
  const hasDigit = (traits & digitTrait) !== 0
  if (value.length < (hasDigit ? 4 : 6) || (traits & maskTrait) !== 0 || beginsOther(value.charCodeAt(0))) return false
  // None of them has a digit, or a sign of ASCII that joins no words.
  if (
    ((traits & (digitTrait | asciiTrait)) === 0 && stopValues.test(value)) ||
    isReference(value) ||
    countDifferent(value, 3) < 3
  )
    return false
  if (!isQuoted && (traits & joinTrait) !== 0 && identifier.test(value)) return false
  const hasSign = (traits & signTrait) !== 0
  const hasLetter = (traits & letterTrait) !== 0
  if ((traits & spaceTrait) !== 0) return isQuoted && hasDigit && hasSign && value.split(/\s/).length < 3
  if (hasDigit) return value.length > 5 || (isQuoted && hasLetter)
  if (hasSign) return hasLetter && (isQuoted || isEnvironment || !/[*!?/+]$|^[!?&~]/.test(value))
  return (isQuoted || isEnvironment) && !(secretWord.test(value) && /[-_./#]/.test(value))
}

/** What a value has; `join`: a sign that joins words of code; `mask`: three marks in a row, as something hidden is shown. */
const digitTrait = 1
const letterTrait = 2
const spaceTrait = 4
const signTrait = 8
const joinTrait = 16
const markTrait = 32
const maskTrait = 64
/** Of signs: it is of ASCII. */
const asciiTrait = 128
const traitsOfUnits = new Uint8Array(128).fill(signTrait | asciiTrait)
for (let code = 0; code < 128; code++) {
  const unit = String.fromCharCode(code)
  if (/\d/.test(unit)) traitsOfUnits[code] = digitTrait
  else if (/\s/.test(unit)) traitsOfUnits[code] = spaceTrait
  else if (/[\w./#-]/.test(unit)) traitsOfUnits[code] = /[A-Za-z]/.test(unit) ? letterTrait : 0
  if (/[.:>]/.test(unit)) traitsOfUnits[code] = (traitsOfUnits[code] as number) | joinTrait
  if (/[*x]/i.test(unit)) traitsOfUnits[code] = (traitsOfUnits[code] as number) | markTrait
}

/** In one go: of thousands of values each would else be gone over by a pattern for each trait. */
function traitsOf(value: string): number {
  let traits = 0
  let marks = 0
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at)
    const own = code < 128 ? (traitsOfUnits[code] as number) : traitsBeyond(code)
    traits |= own
    marks = (own & markTrait) === 0 ? 0 : marks + 1
    if (marks === 3) traits |= maskTrait
  }
  return traits
}

function traitsBeyond(code: number): number {
  if (code === 0xa0 || code === 0xfeff) return spaceTrait
  // Between these two are all others.
  if (code >= 0x1680 && code <= 0x3000 && /\s/.test(String.fromCharCode(code))) return spaceTrait
  return code === 0x2022 ? signTrait | markTrait : signTrait
}

/** A comment, or a path. */
function beginsOther(first: number): boolean {
  return first === 35 || first === 46 || first === 47
}

/** `edit_password`, `cms/passwords#edit` */
const secretWord = /pass|pwd|secret|token|key/i

/** A random string, as machines make them. */
export function isToken(probe: Probe, from: number, to: number): boolean {
  // A name's value and a header's credentials may be the same.
  if (asked.text === probe.textNumber && asked.from === from && asked.to === to) return asked.is
  asked.text = probe.textNumber
  asked.from = from
  asked.to = to
  asked.is = to - from >= tokenLengthMin && isRandom(probe, from, to)
  return asked.is
}

/** What was asked about last. */
const asked = { text: 0, from: 0, to: 0, is: false }

function isRandom(probe: Probe, from: number, to: number): boolean {
  const { digits, letters, changes, mayBreak } = kindsOf(probe.units, from, to)
  if (digits < 2 || letters < 3) return false
  const value = probe.text.slice(from, to)
  const different = countDifferent(value, differentMin)
  const isVaried = changes / value.length >= changesMin && different >= Math.min(differentMin, value.length / 2)
  if (!isVaried && !uuid.test(value)) return false
  // Fillers' words are among those of references.
  return !(mayBreak && /[\s<>{}()[\]]/.test(value)) && !isReference(value) && !isUniform(different, value.length)
}

const changesMin = 0.2
const differentMin = 10

/** The same of the beginning of a long run without white space and brackets. */
export function isTokenWithin(probe: Probe, from: number, to: number, tally: Tally): boolean {
  if (!probe.hasDigit(from, to)) return false
  const counts = tally.over(probe, from, to)
  if (counts === undefined) return isToken(probe, from, to)
  const { digits, letters, changes, different } = counts
  if (digits < 2 || letters < 3 || changes < changesMin * (to - from) || different < differentMin) return false
  return !isReferenceWithin(probe, from, to)
}

/** Chosen by people where a random string was asked for, but with signs that names and words do not have. */
export function isPhrase(value: string): boolean {
  return (
    value.length >= tokenLengthMin &&
    /[#!%^&*@?;|]/.test(value) &&
    !/[\s:]/.test(value) &&
    /[a-z]/i.test(value) &&
    isPassword(value, quoted)
  )
}

const quoted: Writing = { isQuoted: true, isEnvironment: false }

/** As random as a token, of all kinds of characters, and neither a hash nor a UUID. */
export function isKey(probe: Probe, from: number, to: number): boolean {
  const length = to - from
  if (length < keyLengthMin || length > keyLengthMax || !isToken(probe, from, to)) return false
  const value = probe.text.slice(from, to)
  if (/[.:]/.test(value) || !/[a-z]/.test(value) || !/[A-Z]/.test(value)) return false
  return kindsOf(probe.units, from, to).changes / length >= 0.3
}

/** `changes`: how many neighbours are of different kinds. `mayBreak`: it may have white space or brackets. */
function kindsOf(
  units: Uint16Array,
  from: number,
  to: number,
): {
  readonly digits: number
  readonly letters: number
  readonly changes: number
  readonly mayBreak: boolean
} {
  let digits = 0
  let letters = 0
  let changes = 0
  let mayBreak = false
  let previous = sign
  for (let at = from; at < to; at++) {
    const code = units[at] as number
    const kind = code < 128 ? (kindsWithBreaks[code] as number) : breaking
    if (kind === digit) digits++
    else if (kind === breaking) mayBreak = true
    else if (kind !== sign) letters++
    if (at > from && kind !== breaking && isChange(previous, kind)) changes++
    previous = kind
  }
  return { digits, letters, changes, mayBreak }
}

/** White space, a bracket, or anything beyond ASCII, where there is white space as well. */
const breaking = 4
const kindsWithBreaks = kinds.slice().fill(breaking, 9, 14)
for (const unit of ' <>{}()[]') kindsWithBreaks[unit.charCodeAt(0)] = breaking
