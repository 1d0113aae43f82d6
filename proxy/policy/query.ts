// Owns what a rule may see: plain data, nothing else. Time is part of it, so a decision can be replayed.
import type { Json } from '../lib/json.ts'

export type ActionType = 'model.call' | 'tool.call' | 'tool.offer' | 'resource.read' | 'prompt.get'

/** One thing that somebody wants to do. A field that is absent is unknown, and an expression over it cannot be evaluated. */
export type Action = {
  readonly type: ActionType
  readonly model?: string | undefined
  readonly operation?: string
  readonly stream?: boolean
  readonly maxTokens?: number | undefined
  readonly messages?: number | undefined
  /** Names of the tools offered with a model call. */
  readonly tools?: readonly string[]
  readonly tool?: string
  readonly via?: 'mcp' | 'model' | 'http'
  readonly args?: Json
  /** Members of `args` of which nobody knows what the tool makes, or whether they are there for it. */
  readonly disputedArgs?: readonly string[]
  readonly method?: string
  readonly path?: string
  readonly description?: string
  readonly uri?: string
  readonly name?: string
}

export type Subject = {
  readonly id: string
  readonly org?: string
  readonly team?: string
  readonly roles: readonly string[]
}

export type Query = {
  readonly action: Action
  readonly principal: Subject
  readonly route: string
  readonly upstream: string
  readonly client: { readonly ip: string }
  /** Lower-case names, only those on the allow-list of `policyHeaders`. */
  readonly headers: Readonly<Record<string, string>>
  /** Entity → how many. Absent: the content was not inspected, so findings are unknown. */
  readonly findings?: Readonly<Record<string, number>> | undefined
  /** Milliseconds since the epoch. */
  readonly timeMs: number
}
