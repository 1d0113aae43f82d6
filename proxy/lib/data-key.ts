// Owns the question whether an object's key may be a value. What formats and schemas call their members is told by its shape
// and left out; every other key is read like any text. It is asked for every key there is, so it looks at each unit once.

/** A word in one case: `responsibilities`, `AUTHENTICATION`. The ids of AWS keys are 20 capitals and a few figures. */
const lowerCaseMax = 20
const upperCaseMax = 16
/** Several words in one, of four letters on average: `includeServerSideToolInvocations`. Letters at random are seldom so. */
const camelCaseMax = 32
/** A word with figures or with any mixture of cases: `sha256`, `userID`. */
const mixedMax = 6
/** In all: an address has four (`1.1.1.1`), a number that belongs to anybody more. */
const digitsMax = 3
const lengthMax = 64
/** A hardware address has no letter beyond f; a name that long has. */
const hexMax = 11

/**
 * False where a key is plainly a name: words of letters, joined by `_`, `-` or `.`, with few figures or none. An email
 * address, a number, a secret and any sentence are none, nor is what is only likely to be one.
 */
export function isDataKey(key: string): boolean {
  let word = 0
  // Nearly all keys are words in lower case with underscores.
  for (let at = 0; at < key.length; at += 1) {
    const c = key.charCodeAt(at)
    if (isLower(c)) word += 1
    else if (c === 0x5f) word = 0
    else return !isName(key)
    if (word > lowerCaseMax) return true
  }
  return key.length > lengthMax
}

function isName(key: string): boolean {
  if (key.length > lengthMax) return false
  let digits = 0
  let isHex = true
  let cases = 0
  let hasUnderscore = false
  // `$ref`
  let from = key.charCodeAt(0) === 0x24 ? 1 : 0
  for (let at = from; at < key.length; at += 1) {
    const c = key.charCodeAt(at)
    if (isDigit(c)) digits += 1
    else if (isLower(c) || isCapital(c)) {
      isHex &&= (c | 0x20) <= 0x66
      cases |= isLower(c) ? 1 : 2
    } else {
      if (!isJoint(c) || !isWord(key, from, at)) return false
      hasUnderscore ||= c === 0x5f
      from = at + 1
    }
  }
  // What stands for a value, `EMAIL_k7q2m9xd4r`, has two, and must be found where it comes back.
  if (hasUnderscore && cases === 3) return false
  // The ids in `logit_bias` are short numbers, as are indexes.
  const hasFew = digits <= digitsMax || digits === key.length
  return hasFew && (!isHex || key.length <= hexMax) && isWord(key, from, key.length)
}

/** `key` has nothing but letters and digits from `from` to `to`. */
function isWord(key: string, from: number, to: number): boolean {
  const length = to - from
  let digits = 0
  let capitals = 0
  /** Since the last capital. */
  let lower = 0
  let isCamel = true
  for (let at = from; at < to; at += 1) {
    const c = key.charCodeAt(at)
    if (isDigit(c)) digits += 1
    else if (isCapital(c)) {
      isCamel &&= capitals === 0 || lower > 0
      capitals += 1
      lower = 0
    } else if ((lower += 1) > lowerCaseMax) return false
  }
  if (digits > 0 && length > mixedMax) return false
  if (capitals === 0 || (capitals === 1 && isCapital(key.charCodeAt(from)))) return true
  if (capitals + digits === length) return length <= upperCaseMax
  // Joined with others, mixed cases are rather the letters of a secret.
  if (from > 1 || to < key.length) return false
  return length <= mixedMax || (isCamel && lower > 0 && capitals * 4 <= length && length <= camelCaseMax)
}

function isLower(c: number): boolean {
  return c >= 0x61 && c <= 0x7a
}

function isCapital(c: number): boolean {
  return c >= 0x41 && c <= 0x5a
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39
}

/** `-`, `.` and `_`. */
function isJoint(c: number): boolean {
  return c === 0x2d || c === 0x2e || c === 0x5f
}
