import t from 'tap'
import { applyEdits } from '../../../proxy/lib/edit.ts'
import type { JsonObject } from '../../../proxy/lib/json.ts'
import { toolDefinitions, withoutTools } from '../../../proxy/protocol/gemini-tools.ts'

function without(request: object, names: readonly string[]): unknown {
  const definitions = toolDefinitions(request as JsonObject)
  if (typeof definitions === 'string') throw new Error(definitions)
  const withheld = definitions.filter(({ name }) => names.includes(name))
  return JSON.parse(applyEdits(JSON.stringify(request), withoutTools(request as JsonObject, withheld)))
}

const declared = (...names: string[]): object => ({ functionDeclarations: names.map((name) => ({ name })) })
const choice = (mode: string, ...allowedFunctionNames: string[]): object => ({
  functionCallingConfig: { mode, ...(allowedFunctionNames.length === 0 ? {} : { allowedFunctionNames }) },
})

const cases: Record<string, { request: object; gone: string[]; left: object }> = {
  'one of two functions': {
    request: { tools: [declared('a', 'b')], toolConfig: choice('ANY') },
    gone: ['b'],
    left: { tools: [declared('a')], toolConfig: choice('ANY') },
  },
  'a list that is empty then goes with its entry': {
    request: { tools: [declared('a'), declared('b')] },
    gone: ['b'],
    left: { tools: [declared('a')] },
  },
  'its entry stays where there is more in it': {
    request: { tools: [{ ...declared('b'), googleSearch: {} }] },
    gone: ['b'],
    left: { tools: [{ googleSearch: {} }] },
  },
  'without any function there is no choice among functions': {
    request: { tools: [declared('b'), { googleSearch: {} }], toolConfig: { ...choice('ANY'), retrievalConfig: {} } },
    gone: ['b'],
    left: { tools: [{ googleSearch: {} }], toolConfig: { retrievalConfig: {} } },
  },
  'without any tool there is nothing said of tools': {
    request: { contents: [], tools: [declared('a'), { googleSearch: {} }], toolConfig: choice('ANY', 'a') },
    gone: ['a', 'googleSearch'],
    left: { contents: [] },
  },
  'names that are gone': {
    request: { tools: [declared('a', 'b', 'c')], toolConfig: choice('ANY', 'b', 'a') },
    gone: ['b'],
    left: { tools: [declared('a', 'c')], toolConfig: choice('ANY', 'a') },
  },
  'nothing may be called where all the names are gone': {
    request: { tools: [declared('a', 'b', 'c')], toolConfig: choice('ANY', 'b', 'c') },
    gone: ['b', 'c'],
    left: { tools: [declared('a')], toolConfig: choice('NONE') },
  },
  'a name that nobody declared is the provider’s to refuse': {
    request: { tools: [declared('a', 'b')], toolConfig: choice('ANY', 'a', 'z') },
    gone: ['b'],
    left: { tools: [declared('a')], toolConfig: choice('ANY', 'a', 'z') },
  },
  'two of one name, of which one list goes': {
    request: { tools: [declared('a'), declared('a', 'b')], toolConfig: choice('ANY', 'a') },
    gone: ['a'],
    left: { tools: [declared('b')], toolConfig: choice('NONE') },
  },
  'the other spelling, without lists': {
    request: {
      tools: { function_declarations: { name: 'b' }, google_search: {} },
      tool_config: { function_calling_config: { mode: 'ANY', allowed_function_names: 'b' } },
    },
    gone: ['b'],
    left: { tools: { google_search: {} }, tool_config: {} },
  },
}

for (const [name, { request, gone, left }] of Object.entries(cases)) {
  t.test(name, async (t) => void t.same(without(request, gone), left))
}
