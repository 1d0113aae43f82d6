// Owns the reading of a query as names and values (WHATWG URL §5.1), and how many of them everybody reads.

/** `query` is what follows the first question mark. Another one belongs to the first name; the constructor would take it off. */
export function queryPairs(query: string): URLSearchParams {
  return new URLSearchParams(query.startsWith('?') ? `&${query}` : query)
}

/** Whether it says the same to everybody; its escapes have two digits each. Tools make different letters of other bytes. */
export function isUtf8(query: string): boolean {
  if (!/%[89A-F]/i.test(query)) return true
  try {
    decodeURIComponent(query)
    return true
  } catch {
    return false
  }
}

/** Frameworks stop there without a word (PHP's max_input_vars, qs, Node's querystring), and count what is empty, too. */
export const pairsReadMax = 1000
