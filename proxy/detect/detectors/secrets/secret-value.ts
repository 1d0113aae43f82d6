// Owns which values may be secrets when only their name says so: not references, placeholders, words of code or prose.
import { isFiller, isReference } from '../../filler.ts'

const tokenLengthMin = 10
const keyLengthMin = 20
const passwordLengthMax = 128
const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i
/** What schemas, forms and code give to something called a password. */
const stopValues =
  /^(?:pass(?:word|wd|phrase|code)?s?|pwd|secrets?|tokens?|credentials?|string|str|text|char|varchar|bytes?|object|any|unknown|never|optional|required|none|null|nil|undefined|true|false|yes|no|empty|hidden|username|user|email|login|admin_?password|new|delete|const|return|await|self|this|function|type|void)$/i
const identifier = /^[A-Za-z_$][\w$]*(?:(?:\.|->|::|\?\.)[A-Za-z_$][\w$]*)+$/

export type Writing = {
  readonly isQuoted: boolean
  /** `NAME=value` without spaces: an environment file, where a bare word is a value. */
  readonly isEnvironment: boolean
}

export function isPassword(value: string, { isQuoted, isEnvironment }: Writing): boolean {
  if (value.length < 4 || value.length > passwordLengthMax || stopValues.test(value) || isReference(value)) return false
  if (new Set(value).size < 3 || /[*•x]{3}|^#+|^[./]/i.test(value)) return false
  if (!isQuoted && identifier.test(value)) return false
  const hasDigit = /\d/.test(value)
  const hasSign = /[^\w.\s/-]/.test(value)
  if (/\s/.test(value)) return isQuoted && hasDigit && hasSign && value.split(/\s/).length < 3
  if (/pass|pwd|secret|token|key/i.test(value) && /[-_.]/.test(value) && !hasDigit && !hasSign) return false
  if (hasDigit) return value.length > 5 || (isQuoted && /[A-Za-z]/.test(value))
  if (hasSign)
    return value.length > 5 && /[A-Za-z]/.test(value) && (isQuoted || isEnvironment || !/[*!?/+]$|^[!?&~]/.test(value))
  return (isQuoted || isEnvironment) && value.length > 5
}

/** A random string, as machines make them. */
export function isToken(value: string): boolean {
  if (value.length < tokenLengthMin || /[\s<>{}()[\]]/.test(value) || isReference(value) || isFiller(value))
    return false
  if (uuid.test(value)) return true
  const digits = value.match(/\d/g)?.length ?? 0
  const letters = value.match(/[A-Za-z]/g)?.length ?? 0
  if (digits < 2 || letters < 3) return false
  return changes(value) >= 0.2 && new Set(value).size >= Math.min(10, value.length / 2)
}

/** As random as a token, of all kinds of characters, and neither a hash nor a UUID. */
export function isKey(value: string): boolean {
  if (value.length < keyLengthMin || /^[0-9a-f-]+$|^[0-9A-F-]+$|[.:]/.test(value) || !isToken(value)) return false
  return /[a-z]/.test(value) && /[A-Z]/.test(value) && changes(value) >= 0.3 && value.length < 200
}

/**
 * The share of neighbours that are of different kinds: lower case, upper case, digits, signs. The first letter of a
 * capitalised word does not count. About .4 in random text of lower case and digits, .2 in names in camel case.
 */
function changes(value: string): number {
  let count = 0
  let previous = kindOf(value.charCodeAt(0))
  for (let i = 1; i < value.length; i++) {
    const kind = kindOf(value.charCodeAt(i))
    if (kind !== previous && !(previous === 'upper' && kind === 'lower') && kind !== 'sign') count++
    previous = kind
  }
  return count / value.length
}

function kindOf(code: number): 'lower' | 'upper' | 'digit' | 'sign' {
  if (code >= 97 && code <= 122) return 'lower'
  if (code >= 65 && code <= 90) return 'upper'
  return code >= 48 && code <= 57 ? 'digit' : 'sign'
}
