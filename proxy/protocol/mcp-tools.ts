// Owns what makes the definition of a tool unusable: names with characters that cannot be seen, and headers for arguments
// that could break a request or stand for two arguments (SEP-2243, which has clients leave such tools out).
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'

/** Undefined: it may be used. */
export function flawOf(name: string, tool: JsonObject): string | undefined {
  if (/[\p{C}\p{Z}]/u.test(name)) return 'its name has characters that cannot be seen'
  const headers = new Set<string>()
  const open: Json[] = [tool['inputSchema'] ?? null]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (Array.isArray(next)) open.push(...next)
    else if (isObject(next)) {
      const header = next['x-mcp-header']
      if (typeof header === 'string') {
        if (!token.test(header) || headers.has(header.toLowerCase())) return 'it wants a header that may not be sent'
        headers.add(header.toLowerCase())
      }
      open.push(...Object.values(next))
    }
  }
  return undefined
}

/** RFC 9110 section 5.6.2. */
const token = /^[!#$%&'*+.^`|~\w-]{1,64}$/
