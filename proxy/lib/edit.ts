// Owns writing edits back: the one module that changes a JSON document. It works on the source text, so whatever is not
// edited stays byte for byte, number sources included. It does not know why something is edited.
import { eachMember, isContainer, nodeAt, pathTree, skipSpace, valueEnd, decodeString } from './json-source.ts'
import type { PathTree } from './json-source.ts'
import { foldKey } from './json.ts'
import { formatAddress } from './pointer.ts'
import type { Address } from './pointer.ts'
import { spliceStrings, type Replacement } from './splice.ts'

/**
 * `text` replaces the string, the number (which becomes a string) or the key at the address. `json` replaces whatever
 * stands there, or becomes a new last member where the object has none of that name; it is JSON itself. `was` is the
 * string at the address where the caller knows it: such edits are found without walking the document.
 */
export type Edit =
  | { readonly address: Address; readonly text: string; readonly was?: string | undefined }
  | { readonly address: Address; readonly json: string }
  | { readonly address: Address; readonly remove: true }

/**
 * `text` is JSON that lib/json.ts has accepted, and so is what comes back: a key that an edit would make equal to a
 * sibling gets a number appended. Removing something beats replacing it, replacing it beats edits inside it, and of two
 * replacements the later one stands. Throws when nothing editable stands at an address: an edit is never silently lost.
 */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  if (edits.length === 0) return text
  const replacements = knownStrings(edits)
  const spliced = replacements === undefined ? undefined : spliceStrings(text, replacements)
  if (spliced !== undefined) return spliced
  const tree = pathTree<Plan>()
  for (const edit of edits) addEdit(tree, edit)
  return rewrite(text, tree)
}

/** Undefined where some edit is another than the replacing of a known string. */
function knownStrings(edits: readonly Edit[]): Replacement[] | undefined {
  const known: Replacement[] = []
  for (const edit of edits) {
    if (!('text' in edit) || edit.was === undefined || edit.address.inner !== undefined || edit.address.key === true)
      return undefined
    known.push({ was: edit.was, text: edit.text })
  }
  return known
}

/** What is to happen at one path. `used` tells afterwards whether the path exists. */
type Plan = {
  address: Address
  replace?: string
  json?: string
  rename?: string
  remove?: true
  inner?: PathTree<Plan>
  /** Some member of this object is renamed. */
  renames?: true
  used?: true
}

function addEdit(tree: PathTree<Plan>, edit: Edit): void {
  const { path, inner, deeper = [], key } = edit.address
  if (inner !== undefined) {
    const holder = planAt(tree, { path })
    holder.inner ??= pathTree()
    const [next, ...more] = deeper
    const hops = next === undefined ? undefined : { inner: next, deeper: more }
    addEdit(holder.inner, { ...edit, address: { path: inner, ...hops, ...(key === true ? { key } : undefined) } })
    return
  }
  const plan = planAt(tree, edit.address)
  if (path.length === 0 && ('remove' in edit || key === true)) throw new Error('The root can only be replaced.')
  if ('remove' in edit) plan.remove = true
  else if ('json' in edit) plan.json = edit.json
  else if (key === true) {
    plan.rename = edit.text
    planAt(tree, { path: path.slice(0, -1) }).renames = true
  } else plan.replace = edit.text
}

function planAt(tree: PathTree<Plan>, address: Address): Plan {
  const node = nodeAt(tree, address.path)
  node.leaf ??= { address }
  return node.leaf
}

/** A replacement of text[start, end), in order and never overlapping. */
type Span = { readonly start: number; readonly end: number; readonly text: string }

function rewrite(text: string, tree: PathTree<Plan>): string {
  const spans: Span[] = []
  planValue(text, tree, skipSpace(text, 0), spans)
  assertUsed(tree)
  const pieces: string[] = []
  let from = 0
  for (const span of spans) {
    pieces.push(text.slice(from, span.start), span.text)
    from = span.end
  }
  pieces.push(text.slice(from))
  return pieces.join('')
}

/** Adds the spans for the value at `start`; returns the index after it. */
function planValue(text: string, node: PathTree<Plan>, start: number, spans: Span[]): number {
  const plan = node.leaf
  if (plan !== undefined) plan.used = true
  if (plan?.json !== undefined) {
    const end = valueEnd(text, start)
    spans.push({ start, end, text: plan.json })
    markUsed(node)
    return end
  }
  if (plan?.replace !== undefined || plan?.inner !== undefined) {
    const end = valueEnd(text, start)
    spans.push({ start, end, text: encodeString(replacement(text.slice(start, end), plan)) })
    markUsed(node)
    return end
  }
  const untouched = node.members.size === 0 || !isContainer(text, start)
  return untouched ? valueEnd(text, start) : planMembers(text, node, start, spans)
}

function replacement(source: string, plan: Plan): string {
  const string = source.startsWith('"')
  if (plan.replace !== undefined && (string || /^[-0-9]/.test(source))) return plan.replace
  if (plan.replace === undefined && plan.inner !== undefined && string) return rewrite(decodeString(source), plan.inner)
  throw new Error(`Nothing that can be replaced stands at ${formatAddress(plan.address)}.`)
}

function planMembers(text: string, node: PathTree<Plan>, start: number, spans: Span[]): number {
  const names = node.leaf?.renames === true ? finalNames(text, node, start) : undefined
  // A removed member takes the comma before it along, or, while nothing before it stays, the comma after it.
  let keptEnd = -1
  let leading: { start: number; end: number } | undefined
  const end = eachMember(text, start, (step, keyStart, valueStart) => {
    const child = node.members.get(step)
    const memberStart = keyStart === -1 ? valueStart : keyStart
    if (child?.leaf?.remove === true) {
      markUsed(child)
      const memberEnd = valueEnd(text, valueStart)
      if (keptEnd === -1) leading = { start: leading?.start ?? memberStart, end: memberEnd }
      else {
        spans.push({ start: keptEnd, end: memberEnd, text: '' })
        keptEnd = memberEnd
      }
      return memberEnd
    }
    if (leading !== undefined) spans.push({ start: leading.start, end: memberStart, text: '' })
    leading = undefined
    const name = names?.get(step)
    if (name !== undefined) spans.push({ start: keyStart, end: valueEnd(text, keyStart), text: encodeString(name) })
    keptEnd = child === undefined ? valueEnd(text, valueStart) : planValue(text, child, valueStart, spans)
    return keptEnd
  })
  if (leading !== undefined) spans.push({ ...leading, text: '' })
  if (text.charCodeAt(start) === 0x7b) addMembers(node, end - 1, keptEnd === -1, spans)
  return end
}

/** Before the closing bracket, which stands at `at`. */
function addMembers(node: PathTree<Plan>, at: number, first: boolean, spans: Span[]): void {
  let comma = first ? '' : ','
  for (const [name, { leaf }] of node.members) {
    if (leaf?.json === undefined || leaf.used === true || typeof name !== 'string') continue
    leaf.used = true
    spans.push({ start: at, end: at, text: `${comma}${encodeString(name)}:${leaf.json}` })
    comma = ','
  }
}

/** The new names of the renamed members, each different from every other name in the object, case aside. */
function finalNames(text: string, node: PathTree<Plan>, start: number): Map<string | number, string> {
  const taken = new Set<string>()
  const wanted: { step: string | number; name: string }[] = []
  eachMember(text, start, (step, keyStart, valueStart) => {
    const plan = node.members.get(step)?.leaf
    if (plan?.rename !== undefined && plan.remove !== true) {
      if (keyStart === -1) throw new Error(`No key stands at ${formatAddress(plan.address)}.`)
      wanted.push({ step, name: plan.rename })
    } else if (plan?.remove !== true) taken.add(foldKey(String(step)))
    return valueEnd(text, valueStart)
  })
  const names = new Map<string | number, string>()
  // Thousands may get one name, and what was taken stays so: each goes on where the one before it ended.
  const counts = new Map<string, number>()
  for (const { step, name } of wanted) {
    let unique = name
    let count = counts.get(name) ?? 2
    for (; taken.has(foldKey(unique)); count += 1) unique = `${name}_${count}`
    counts.set(name, count)
    taken.add(foldKey(unique))
    names.set(step, unique)
  }
  return names
}

/** What is removed or replaced takes the edits inside it along. */
function markUsed(node: PathTree<Plan>): void {
  if (node.leaf !== undefined) node.leaf.used = true
  for (const child of node.members.values()) markUsed(child)
}

function assertUsed(node: PathTree<Plan>): void {
  if (node.leaf !== undefined && node.leaf.used !== true) {
    throw new Error(`Nothing stands at ${formatAddress(node.leaf.address)}.`)
  }
  for (const child of node.members.values()) assertUsed(child)
}

/** Half a surrogate pair would make the document unacceptable, so it becomes U+FFFD. */
function encodeString(text: string): string {
  return JSON.stringify(text.toWellFormed())
}
