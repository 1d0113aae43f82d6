// Owns what documentation, templates and code print in place of a secret.

const words =
  /your|my[-_]|xxxx|\.\.\.|\*\*\*|insert|example|sample|placeholder|redacted|changeme|change_me|dummy|replace|todo/i

/** `xxxxxxxx`, `00000000`, `your-key-here`: of a body whose length is known. */
export function isFiller(value: string): boolean {
  const different = countDifferent(value)
  if (different < Math.min(5, value.length / 2)) return true
  return words.test(value) && !/[A-Z].*\d|\d.*[A-Z]/.test(value)
}

/** By character: the number of the last value that had it, so that nothing needs to be cleared. */
const seenIn = new Uint32Array(128)
let values = 0

function countDifferent(value: string): number {
  values = (values + 1) >>> 0
  let different = 0
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code >= 128) return new Set(value).size
    if (seenIn[code] !== values) different++
    seenIn[code] = values
  }
  return different
}

/** What refers to a secret that is kept elsewhere, or stands for one: of a value of any length. */
export function isReference(value: string): boolean {
  return (
    /^[$%<{[(#@&*!~]*[<{[(]|^\$\w+$|^%\w+%?$|^(?:env|process|os|var|vars|local|self|this|secrets?|config|settings|data|params|args|ctx|input|request|req|vault|file|kms|ref|op|arn|urn|https?|ENC)[.:([]/.test(
      value,
    ) ||
    /\$[{(]|[{%]\{|\}\}|#\{|<[A-Za-z]|&lt;/.test(value) ||
    words.test(value)
  )
}
