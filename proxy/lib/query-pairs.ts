// Owns the reading of a query as names and values (WHATWG URL §5.1), and how many of them everybody reads.

/** `query` is what follows the first question mark. Another one belongs to the first name; the constructor would take it off. */
export function queryPairs(query: string): URLSearchParams {
  return new URLSearchParams(query.startsWith('?') ? `&${query}` : query)
}

/** Frameworks stop there without a word (PHP's max_input_vars, qs, Node's querystring), and count what is empty, too. */
export const pairsReadMax = 1000
