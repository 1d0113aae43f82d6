// Owns variables in values: `${VAR}` and `${VAR:-default}`, replaced after parsing, so a variable can never add keys.
// Keys are left alone; `$${` writes a plain `${`. It does not know what the values are for: of an expression, too, a
// variable is a piece of the text.
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import type { Located, LocatedScalar, Replacement } from './locate.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export type Interpolation = { readonly root: Located; readonly problems: readonly Problem[] }

/** Replaces the variables of a whole tree. A variable that is unset, and has no default, is a problem. */
export function interpolate(root: Located, env: Environment): Interpolation {
  const problems: Problem[] = []
  const walk = (node: Located, path: Path): Located => {
    if (node.kind === 'scalar') return interpolateScalar(node, path, env, problems)
    if (node.kind === 'list') return { ...node, items: node.items.map((item, i) => walk(item, [...path, i])) }
    const entries = new Map<string, { keyAt: typeof node.at; node: Located }>()
    for (const [key, entry] of node.entries) entries.set(key, { ...entry, node: walk(entry.node, [...path, key]) })
    return { ...node, entries }
  }
  return { root: walk(root, []), problems }
}

const variableRegExp = /\$\$\{|\$\{([^}]*)\}?/g
const referenceRegExp = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s

function interpolateScalar(node: LocatedScalar, path: Path, env: Environment, problems: Problem[]): LocatedScalar {
  const template = node.value
  if (typeof template !== 'string' || !template.includes('${')) return node
  const say = (message: string, hint: string): string => {
    problems.push({ path, message, hint, severity: 'error' })
    return ''
  }
  const replaced = (written: string, inner: string | undefined): string => {
    if (inner === undefined) return '${'
    const [, name, fallback] = referenceRegExp.exec(written.endsWith('}') ? inner : '') ?? []
    if (name === undefined) {
      return say(`"${written}" is not a variable`, 'write ${NAME} or ${NAME:-default}, and $${ for a plain ${')
    }
    // It would end at the first `}`, and what follows it be left behind whether the variable is set or not.
    if (fallback?.includes('{')) {
      return say(`the default of ${name} holds a {, but ends at the first }`, 'a default is plain text, without { or }')
    }
    const set = env[name]
    // As in a shell: `:-` also replaces a variable that is set to nothing.
    if (fallback !== undefined && (set === undefined || set === '')) return fallback
    return set ?? say(`the variable ${name} is not set`, `set it, or write \${${name}:-default}`)
  }
  const replacements: Replacement[] = []
  const value = template.replaceAll(variableRegExp, (written: string, inner: string | undefined, at: number) => {
    const text = replaced(written, inner)
    replacements.push({ at, written: written.length, put: text.length })
    return text
  })
  const wholly = /^\$\{[^}]*\}$/.test(template)
  return { ...node, value, template, replacements, ...(wholly ? { wholly } : {}) }
}
