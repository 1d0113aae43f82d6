// Owns the demo's plain HTTP tool: an echo, and customer records that hold personal data, all invented.
import { type Answer, failureOf, jsonAnswer } from './dialect.ts'
import { readSwitches } from './switches.ts'

/** `path` is relative to the tool's own base path, without the query. `orders` is the text of `x-demo` and `?demo=`. */
export function runTool(method: string, path: string, query: URLSearchParams, text: string, orders: string): Answer {
  const switches = readSwitches(orders)
  const { status, body } = resultOf(method, path, query, text)
  return { ...jsonAnswer(status, body, switches), ...failureOf(switches, (status, detail) => problem(status, detail)) }
}

function resultOf(
  method: string,
  path: string,
  query: URLSearchParams,
  text: string,
): { status: number; body: object } {
  const [, collection, id, ...rest] = path.split('/')
  if (collection === 'echo')
    return { status: 200, body: { method, path, query: Object.fromEntries(query), body: jsonOf(text) } }
  if (collection !== 'customers' || rest.length > 0) return { status: 404, body: problem(404, `No ${path} here.`) }
  if (id === undefined || id === '') {
    if (method === 'GET') return { status: 200, body: { customers: [...customers.values()] } }
    if (method === 'POST') return { status: 201, body: { created: jsonOf(text) } }
  } else {
    const customer = customers.get(id)
    if (customer === undefined) return { status: 404, body: problem(404, `No customer ${id}.`) }
    if (method === 'GET') return { status: 200, body: customer }
    if (method === 'DELETE') return { status: 200, body: { deleted: id } }
    if (method === 'PUT' || method === 'PATCH') return { status: 200, body: { updated: id, to: jsonOf(text) } }
  }
  return { status: 405, body: problem(405, `${method} is not served on ${path}.`) }
}

/** Reserved names and numbers only (RFC 2606, 555-01xx), a test card, and the sample IBAN of ISO 13616. */
export const customers: ReadonlyMap<string, object> = new Map<string, object>(
  [
    {
      id: '42',
      name: 'Ada Example',
      email: 'ada@example.org',
      phone: '+1 202-555-0143',
      card: '4111 1111 1111 1111',
      ssn: '219-09-9999',
      note: 'Prefers mail. Second address: ada.example@example.com',
    },
    {
      id: '43',
      name: 'Bo Sample',
      email: 'bo@example.net',
      phone: '+1 202-555-0178',
      iban: 'GB82 WEST 1234 5698 7654 32',
      note: '',
    },
  ].map((customer) => [customer.id, customer]),
)

function problem(status: number, detail: string): object {
  return { type: 'about:blank', title: 'Demo tool', status, detail }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
