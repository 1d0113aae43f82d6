// Owns which values may be secrets when only their name says so: not references, placeholders, words of code or prose.
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
  const hasDigit = /\d/.test(value)
  if (value.length < (hasDigit ? 4 : 6) || value.length > passwordLengthMax) return false
  if (stopValues.test(value) || isReference(value)) return false
  if (countDifferent(value) < 3 || /[*•x]{3}|^#+|^[./]/i.test(value)) return false
  if (!isQuoted && identifier.test(value)) return false
  const hasSign = /[^\w.\s/#-]/.test(value)
  if (/\s/.test(value)) return isQuoted && hasDigit && hasSign && value.split(/\s/).length < 3
  if (hasDigit) return value.length > 5 || (isQuoted && /[A-Za-z]/.test(value))
  if (hasSign) return /[A-Za-z]/.test(value) && (isQuoted || isEnvironment || !/[*!?/+]$|^[!?&~]/.test(value))
  return (isQuoted || isEnvironment) && !(secretWord.test(value) && /[-_./#]/.test(value))
}

/** `edit_password`, `cms/passwords#edit` */
const secretWord = /pass|pwd|secret|token|key/i

/** A random string, as machines make them. */
export function isToken(value: string): boolean {
  if (value.length < tokenLengthMin) return false
  const { digits, letters, changes } = kindsOf(value)
  if (digits < 2 || letters < 3) return false
  const different = countDifferent(value)
  const isVaried = changes / value.length >= changesMin && different >= Math.min(differentMin, value.length / 2)
  if (!isVaried && !uuid.test(value)) return false
  // Fillers' words are among those of references.
  return !/[\s<>{}()[\]]/.test(value) && !isReference(value) && !isUniform(different, value.length)
}

const changesMin = 0.2
const differentMin = 10

/** The same of the beginning of a long run without white space and brackets. */
export function isTokenWithin(probe: Probe, from: number, to: number, tally: Tally): boolean {
  const counts = tally.over(probe, from, to)
  if (counts === undefined) return isToken(probe.text.slice(from, to))
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
export function isKey(value: string): boolean {
  if (value.length < keyLengthMin || value.length > keyLengthMax || /[.:]/.test(value) || !isToken(value)) return false
  return /[a-z]/.test(value) && /[A-Z]/.test(value) && kindsOf(value).changes / value.length >= 0.3
}

/**
 * `changes`: how many neighbours are of different kinds, lower case, upper case or digits. The first letter of a
 * capitalised word does not count. By length about .4 in random text of lower case and digits, .2 in names in camel case.
 */
function kindsOf(value: string): { readonly digits: number; readonly letters: number; readonly changes: number } {
  let digits = 0
  let letters = 0
  let changes = 0
  let previous = sign
  for (let i = 0; i < value.length; i++) {
    const kind = kindOf(value.charCodeAt(i))
    if (kind === digit) digits++
    else if (kind !== sign) letters++
    if (i > 0 && kind !== previous && kind !== sign && !(previous === upper && kind === lower)) changes++
    previous = kind
  }
  return { digits, letters, changes }
}

const sign = 0
const digit = 1
const lower = 2
const upper = 3

function kindOf(code: number): number {
  if (code >= 97 && code <= 122) return lower
  if (code >= 65 && code <= 90) return upper
  return code >= 48 && code <= 57 ? digit : sign
}
