// Owns how the URI of a resource reads to whoever judges it (RFC 3986 §6.2.2): servers resolve it before they look what it
// names, so it is judged in one spelling, and refused where readers resolve it to another one. What is sent stays as it is.

/** Undefined: it has dot segments, or characters that no URI has and readers leave out or take for others. */
export function judgedUri(uri: string): string | undefined {
  if (resolvedOtherwise.test(uri)) return undefined
  return uri
    .replace(scheme, (name) => name.toLowerCase())
    .replaceAll(escape, (written) => {
      const meant = String.fromCharCode(Number.parseInt(written.slice(1), 16))
      return /[\w.~-]/.test(meant) ? meant : written
    })
}

const resolvedOtherwise = /^ | $|[\p{Cc}\\]|^[^?#]*[/:](?:\.|%2e){1,2}(?:[/?#]|$)/iu
const scheme = /^[a-z][a-z\d+.-]*:/i
const escape = /%[\da-f]{2}/gi
