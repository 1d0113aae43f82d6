// Owns header lists as node:http gives them: flat, name, value, name, value, in wire order, names in any case. It does
// not know what any of them means to the proxy, except which belong to one hop only.

/**
 * A new list without what belongs to this connection (RFC 9110 §7.6.1): Connection and all it names, and those that
 * were always hop-by-hop. Framing and `Expect` are the business of whoever writes the message anew.
 */
export function stripHopByHop(list: readonly string[]): string[] {
  const named = connectionNames(list)
  const kept: string[] = []
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = list[at] as string
    const lower = name.toLowerCase()
    if (hopByHop.has(lower) || lower.startsWith('proxy-') || named?.has(lower) === true) continue
    kept.push(name, list[at + 1] as string)
  }
  return kept
}

/** All values of a header joined as RFC 9110 §5.3 says, so that a repeated one is seen; `name` in lower case. */
export function headerValue(list: readonly string[], name: string): string | undefined {
  let value: string | undefined
  for (let at = 0; at + 1 < list.length; at += 2) {
    const candidate = list[at] as string
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue
    value = value === undefined ? (list[at + 1] as string) : `${value}, ${list[at + 1] as string}`
  }
  return value
}

/** A new list without the named headers; `names` in lower case. */
export function withoutHeaders(list: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = []
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = list[at] as string
    if (!names.has(name.toLowerCase())) kept.push(name, list[at + 1] as string)
  }
  return kept
}

/** What is said of the bytes of a body (RFC 9530), which holds of no other ones; and from which those can be guessed. */
export const bodyDigests: readonly string[] = ['content-md5', 'digest', 'content-digest', 'repr-digest']

const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
])

function connectionNames(list: readonly string[]): Set<string> | undefined {
  const value = headerValue(list, 'connection')
  if (value === undefined) return undefined
  return new Set(value.split(',').map((name) => name.trim().toLowerCase()))
}
