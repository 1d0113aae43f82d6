// Owns addresses: where in a JSON document a value stands (RFC 6901), with hops into JSON that is embedded in a string (the
// arguments of a tool call, and the body that such an argument holds).
import type { Json } from './json.ts'

/** Object keys and array indexes from the root. */
export type Path = readonly (string | number)[]

/**
 * `inner` continues inside the JSON text that the string at `path` holds, and each of `deeper` inside that which the string
 * before it holds. `key: true` means the last step's key itself, not its value. `beside`: what another member of the same
 * object calls the value, as in `{"name": "DB_PASSWORD", "value": …}`; it is no part of where the value stands.
 */
export type Address = {
  readonly path: Path
  readonly inner?: Path
  readonly deeper?: readonly Path[]
  readonly key?: true
  readonly beside?: string
}

/** The path within the innermost document. */
export function lastPath({ path, inner, deeper }: Address): Path {
  return deeper?.at(-1) ?? inner ?? path
}

/**
 * For people and the audit log, so it never repeats data: `/messages/0/content`, with a hop
 * `/messages/1/tool_calls/0/function/arguments#/to`. A key that looks like data (isDataKey) is written `~*`, and the
 * address of a key itself is that of its object, `/metadata@key`. `#` and `@` in a token are `~2` and `~3`, next to
 * RFC 6901's `~0` and `~1`.
 */
export function formatAddress(address: Address): string {
  const { path, inner, deeper = [], key } = address
  const format = (steps: Path): string => (key === true ? `${formatPath(steps.slice(0, -1))}@key` : formatPath(steps))
  if (inner === undefined) return format(path)
  const outer = [path, inner, ...deeper].slice(0, -1)
  return [...outer.map(formatPath), format(lastPath(address))].join('#')
}

/**
 * Whether an object key may be a value rather than a field's name: an email address, a number, a secret. Words of any
 * length are names.
 */
export function isDataKey(key: string): boolean {
  let digits = 0
  // A loop, because it is asked for every key there is.
  for (let at = 0; at < key.length; at += 1) {
    const c = key.charCodeAt(at)
    if (c === 0x40) return true
    if (c >= 0x30 && c <= 0x39) digits += 1
  }
  return digits >= 7 || (key.length > 20 && !wordsOnly.test(key))
}

const wordsOnly = /^[A-Za-z_.-]*$/

/** The value at a path; undefined where the document has none. Only own members count. */
export function valueAt(json: Json, path: Path): Json | undefined {
  let value: Json | undefined = json
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    if (Array.isArray(value)) {
      if (typeof step !== 'number') return undefined
      value = value[step]
    } else {
      if (typeof step !== 'string' || !Object.hasOwn(value, step)) return undefined
      value = value[step]
    }
  }
  return value
}

function formatPath(path: Path): string {
  let text = ''
  for (const step of path) text += typeof step === 'number' ? `/${step}` : `/${formatToken(step)}`
  return text
}

function formatToken(token: string): string {
  if (isDataKey(token)) return '~*'
  return /[~/#@]/.test(token) ? token.replaceAll(/[~/#@]/g, (c) => tokenEscapes[c as keyof typeof tokenEscapes]) : token
}

const tokenEscapes = { '~': '~0', '/': '~1', '#': '~2', '@': '~3' } as const
