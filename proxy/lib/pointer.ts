// Owns addresses: where in a JSON document a value stands (RFC 6901), with hops into JSON that is embedded in a string (the
// arguments of a tool call, and the body that such an argument holds).
import { isDataKey } from './data-key.ts'
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
 * `/messages/1/tool_calls/0/function/arguments#/to`. A key that may be data (isDataKey) is written `~*`, and the address of
 * a key itself is that of its object, `/metadata@key`. Other keys have nothing in them that RFC 6901 would escape.
 */
export function formatAddress(address: Address): string {
  const { path, inner, deeper = [], key } = address
  const format = (steps: Path): string => (key === true ? `${formatPath(steps.slice(0, -1))}@key` : formatPath(steps))
  if (inner === undefined) return format(path)
  const outer = [path, inner, ...deeper].slice(0, -1)
  return [...outer.map(formatPath), format(lastPath(address))].join('#')
}

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
  for (const step of path) text += `/${typeof step === 'string' && isDataKey(step) ? '~*' : step}`
  return text
}
