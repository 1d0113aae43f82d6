// Owns which attributes each kind of action has, and where on an exchange they come from. It knows nothing of rules.
import type { ActionType } from './query.ts'

export const actionTypes = [
  'model.call',
  'tool.call',
  'tool.offer',
  'resource.read',
  'prompt.get',
] as const satisfies readonly ActionType[]

/** What belongs to the exchange rather than to one of its actions: the same for every action that it gives. */
export const exchangeAttributes = ['principal', 'route', 'upstream', 'client', 'headers', 'time'] as const

/** Attributes beyond those of the exchange. `findings` is here because it needs the content. */
export const actionAttributes = {
  'model.call': ['model', 'operation', 'stream', 'maxTokens', 'messages', 'tools', 'findings'],
  'tool.call': ['tool', 'via', 'args', 'tags', 'method', 'path', 'findings'],
  'tool.offer': ['tool', 'via', 'tags', 'description', 'findings'],
  'resource.read': ['uri', 'name', 'findings'],
  'prompt.get': ['uri', 'name', 'findings'],
} as const satisfies Record<ActionType, readonly string[]>

export type Attribute = (typeof exchangeAttributes)[number] | (typeof actionAttributes)[ActionType][number]

export const attributes: readonly Attribute[] = [
  ...new Set([...exchangeAttributes, ...Object.values(actionAttributes).flat()]),
]

export function isAttribute(name: string): name is Attribute {
  return (attributes as readonly string[]).includes(name)
}

const exchangeSet: ReadonlySet<string> = new Set(exchangeAttributes)

export function isExchangeAttribute(attribute: Attribute): boolean {
  return exchangeSet.has(attribute)
}

/** The actions that have an attribute; all of them for an attribute of the exchange. */
export function actionsWith(attribute: Attribute): readonly ActionType[] {
  if (exchangeSet.has(attribute)) return actionTypes
  return actionTypes.filter((type) => (actionAttributes[type] as readonly Attribute[]).includes(attribute))
}

/** What an exchange over a protocol can give; undefined for a protocol that this list does not name. */
export function actionsOf(protocol: string): readonly ActionType[] | undefined {
  if (protocol === 'http') return ['tool.call']
  // Sampling is a model call that a server asks for.
  if (protocol === 'mcp') return ['tool.call', 'tool.offer', 'resource.read', 'prompt.get', 'model.call']
  return ['openai', 'anthropic', 'gemini', 'ollama'].includes(protocol)
    ? ['model.call', 'tool.call', 'tool.offer']
    : undefined
}
