// Makes documents out of the paths in which proxy/protocol declares its fields (proxy/protocol/posture.ts).

export type Planted = { [key: string]: unknown }

/** Without the event before it and the mark of growth after it. */
export type FieldPath = { readonly event: string | undefined; readonly path: string; readonly grows: boolean }

export function parseField(field: string): FieldPath {
  const grows = field.endsWith(' +')
  const bare = grows ? field.slice(0, -2) : field
  const colon = bare.indexOf(': ')
  if (colon === -1) return { event: undefined, path: bare, grows }
  return { event: bare.slice(0, colon), path: bare.slice(colon + 2), grows }
}

/** The smallest document that has the field, with `value` in it. */
export function documentWith(path: string, value: unknown): unknown {
  if (path === '' || path === '$') return value
  if (path.startsWith('.')) return documentWith(path.slice(1), value)
  if (path.startsWith('[') || path.startsWith('(')) {
    const end = closing(path)
    const said = conditions(path.slice(1, end))
    const inner = documentWith(path.slice(end + 1), value)
    const entry = typeof inner === 'object' && !Array.isArray(inner) ? { ...said, ...inner } : inner
    return path.startsWith('[') ? [entry] : entry
  }
  const end = path.search(/[.[(]/)
  const name = end === -1 ? path : path.slice(0, end)
  if (name === '@') return { [String(value)]: 'a' }
  return { [name === '*' ? 'note' : name]: documentWith(end === -1 ? '' : path.slice(end), value) }
}

function closing(path: string): number {
  let depth = 0
  for (let at = 0; at < path.length; at += 1) {
    if ('[({'.includes(path[at] as string)) depth += 1
    else if ('])}'.includes(path[at] as string)) depth -= 1
    if (depth === 0) return at
  }
  throw new Error(`A bracket is not closed: ${path}`)
}

function conditions(text: string): Planted {
  const said: Planted = {}
  let from = 0
  while (from < text.length) {
    const to = from + entryLength(text.slice(from))
    const [key = '', ...value] = text.slice(from, to).split('=')
    said[key] = parsed(value.join('='))
    from = to + 1
  }
  return said
}

/** Up to a comma that is in no bracket. */
function entryLength(text: string): number {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    if ('[{'.includes(text[at] as string)) depth += 1
    else if (']}'.includes(text[at] as string)) depth -= 1
    else if (text[at] === ',' && depth === 0) return at
  }
  return text.length
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value) as unknown
  } catch {
    return value
  }
}
