// Owns Content: what a request or an answer says, the same for every wire format. Every piece has the address it came
// from, so that whoever changes something says where, and never writes into the document itself.
import type { Edit } from '../lib/edit.ts'
import type { Json } from '../lib/json.ts'
import type { Address } from '../lib/pointer.ts'

/** Who speaks in a piece of text. `definition` is a tool's description or schema; `other` is user ids, metadata, titles. */
export type Role = 'system' | 'user' | 'assistant' | 'tool' | 'definition' | 'other'

/**
 * A text that can be inspected and replaced. `form` says how it stands in the document: a JSON string, the source text
 * of a JSON number (long enough to be a card or an account), or an object key.
 */
export type TextPart = {
  readonly address: Address
  readonly text: string
  readonly role: Role
  readonly form: 'string' | 'number' | 'key'
  /** Whoever reads it sends it back as it is. */
  readonly echoed?: true
}

/** A call that a model emitted, or (in a request) one that it emitted in an earlier turn. */
export type ToolCall = {
  readonly address: Address
  readonly id?: string
  readonly name: string
  /** The arguments as JSON; absent when they are not an acceptable JSON object: then no rule may assume anything of them. */
  readonly args?: Json
}

export type ToolDefinition = {
  readonly address: Address
  readonly name: string
  readonly description?: string
  /** Of a provider's tool: the models that it asks, where the request names them. */
  readonly models?: readonly string[]
  /** Of a tool that a server lists: all that it says of it. */
  readonly source?: Json
  /** What is wrong with the definition, so that clients must not use it. */
  readonly flaw?: string
}

/**
 * One thing that a message asks for, in formats whose actions stand in the body and not in the path. `tool` is the bare
 * name, without the upstream's.
 */
export type Act =
  | { readonly type: 'tool.call'; readonly tool: string; readonly args?: Json }
  | { readonly type: 'resource.read'; readonly uri: string }
  | { readonly type: 'prompt.get'; readonly name: string }
  | {
      readonly type: 'model.call'
      readonly operation: string
      readonly model?: string
      readonly maxTokens?: number
      readonly messages: number
      readonly tools: readonly string[]
    }

/** A message as whoever must answer it needs to know it. */
export type Asked = {
  /** Dotted, bounded set: `tools.call`, `initialize`, `notification`, `response`. */
  readonly operation: string
  /** Absent where no answer is expected. */
  readonly id?: string | number
  /** It is itself an answer: to the other side's question of this id. */
  readonly answers?: string | number
  /** The version of the format that the message is written in; absent where it does not say. */
  readonly version?: string
  /** Empty: it asks for nothing that a rule could be about. */
  readonly acts: readonly Act[]
  /** Nobody here knows what it asks for, so it must not pass. */
  readonly unknown?: true
  /** Its answer is a stream that stays open for whatever the server may have to say. */
  readonly standing?: true
  /** It only tells what is asked for elsewhere, so nobody misses it. */
  readonly notice?: true
}

/** An entry of a list, and what using it would be. */
export type Listed = { readonly address: Address; readonly act: Act }

/** Another model that may answer in the place of the one that was asked; without a name whichever the provider likes. */
export type Alternate = { readonly address: Address; readonly model?: string }

/** Token counts as the upstream reports them. */
export type Usage = {
  readonly input?: number
  readonly output?: number
  readonly cacheRead?: number
  readonly cacheWrite?: number
  /** Something of it was reported that cannot be true, and is not in the counts. */
  readonly implausible?: true
}

export type Content = {
  readonly model?: string | undefined
  readonly stream?: boolean | undefined
  readonly maxTokens?: number | undefined
  /** How many messages the request carries. */
  readonly messages?: number | undefined
  readonly parts: readonly TextPart[]
  /** In an answer: the calls that the model makes now. In a request: none (history is text, not action). */
  readonly toolCalls: readonly ToolCall[]
  /** In a request: the tools offered to the model. In an answer: those that a server lists. */
  readonly tools: readonly ToolDefinition[]
  /** In a request: the models that may answer instead. */
  readonly alternates?: readonly Alternate[] | undefined
  /** In an answer: what a server lists beside tools. */
  readonly listed?: readonly Listed[] | undefined
  /** In an answer that says caches may give it to any caller: the edit by which it says that it is this caller's alone. */
  readonly keptApart?: Edit | undefined
  /** In a request: what it asks for. In an answer: what the server asks the client for. */
  readonly asked?: Asked | undefined
  readonly usage?: Usage | undefined
  /** What is there but cannot be read as text: `image`, `audio`, `file`, `encrypted`, … each once. */
  readonly uninspected: readonly string[]
  /**
   * About how many tokens stand beside the texts: the numbers and names of free JSON, and what media take beyond a thousand for
   * each kind; absent: none.
   */
  readonly moreTokens?: number | undefined
  /** In a request: how many tokens it writes as their numbers; absent: none. */
  readonly tokens?: number | undefined
}
