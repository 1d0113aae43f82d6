// Owns the tools of a Gemini request: which it offers, and how some of them are taken out so that the rest still reads as
// a whole to the provider. It does not know who may not have them.
import type { Edit } from '../lib/edit.ts'
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { ToolDefinition } from './content.ts'
import { camelName, itemsOf, keyOf } from './gemini-fields.ts'
import { present, stringOf } from './shape.ts'

/** Functions by their names, the provider's own tools by the names of their fields. A string says what is wrong. */
export function toolDefinitions(body: JsonObject): ToolDefinition[] | string {
  const definitions: ToolDefinition[] = []
  for (const { item: tool, path } of itemsOf(body.tools, ['tools'])) {
    if (!isObject(tool)) return 'tools holds what is not a tool.'
    for (const key of Object.keys(tool)) {
      const name = camelName(key)
      if (name !== functions) {
        if (tool[key] !== null) definitions.push({ address: { path: [...path, key] }, name })
        continue
      }
      for (const { item, path: at } of itemsOf(tool[key], [...path, key])) {
        const called = isObject(item) ? stringOf(item.name) : undefined
        if (!isObject(item) || called === undefined) return 'tools declares a function without a name.'
        const description = stringOf(item.description)
        definitions.push(present<ToolDefinition>({ address: { path: at }, name: called, description }))
      }
    }
  }
  return definitions
}

/** The provider refuses lists that are empty, a choice among functions where there are none, and names of none. */
export function withoutTools(body: Json, withheld: readonly ToolDefinition[]): readonly Edit[] {
  if (!isObject(body) || withheld.length === 0) return []
  const gone = new Set(withheld.map(({ address }) => address.path.join('/')))
  const edits: Edit[] = []
  const kept = keptFunctions(body, gone, edits)
  const config = keyOf(body, 'toolConfig')
  if (edits.some(({ address }) => address.path.length === 1)) {
    if (Object.hasOwn(body, config)) edits.push(removal([config]))
    return edits
  }
  return [...edits, ...callingEdits(body, config, kept, withheld)]
}

const functions = 'functionDeclarations'

/** The names of the functions that stay. The removals go to `edits`: a list, an entry or all, where nothing is left. */
function keptFunctions(body: JsonObject, gone: ReadonlySet<string>, edits: Edit[]): ReadonlySet<string> {
  const kept = new Set<string>()
  let stays = false
  for (const { item: tool, path } of itemsOf(body.tools, ['tools'])) {
    const removals: Edit[] = []
    let members = 0
    for (const key of isObject(tool) ? Object.keys(tool) : []) {
      const at = [...path, key]
      const declared = isObject(tool) && camelName(key) === functions ? itemsOf(tool[key], at) : []
      const staying = declared.filter((one) => !isGone(one.path))
      for (const { item } of staying) kept.add(stringOf((item as JsonObject).name) ?? '')
      if (isGone(at) || (declared.length > 0 && staying.length === 0)) removals.push(removal(at))
      else {
        members += 1
        for (const one of declared) if (isGone(one.path)) removals.push(removal(one.path))
      }
    }
    if (members > 0) {
      stays = true
      edits.push(...removals)
    } else edits.push(removal(path))
  }
  if (!stays) edits.splice(0, Infinity, removal(['tools']))
  return kept

  function isGone(path: Path): boolean {
    return gone.has(path.join('/'))
  }
}

/** Where all that may be called is gone nothing is left to call, while no names at all would mean every function. */
function callingEdits(
  body: JsonObject,
  config: string,
  kept: ReadonlySet<string>,
  withheld: readonly ToolDefinition[],
): Edit[] {
  const owner = body[config]
  if (!isObject(owner)) return []
  const key = keyOf(owner, 'functionCallingConfig')
  const calling = owner[key]
  if (!isObject(calling)) return []
  if (kept.size === 0) return [removal([config, key])]
  const names = keyOf(calling, 'allowedFunctionNames')
  const allowed = itemsOf(calling[names], [config, key, names])
  const gone = allowed.filter(
    ({ item }) => withheld.some(({ name }) => name === item) && !kept.has(stringOf(item) ?? ''),
  )
  if (gone.length === 0) return []
  return gone.length === allowed.length
    ? [{ address: { path: [config, key] }, json: '{"mode":"NONE"}' }]
    : gone.map(({ path }) => removal(path))
}

function removal(path: Path): Edit {
  return { address: { path }, remove: true }
}
