// Owns the interface that every wire format fills in. The pipeline speaks only to this.
import type { FaultCode, FaultKind, RetryHint } from '../errors.ts'
import type { Edit } from '../lib/edit.ts'
import type { FramingName } from '../lib/framing.ts'
import type { Json } from '../lib/json.ts'
import type { Address } from '../lib/pointer.ts'
import type { Asked, Content, TextPart, ToolCall, ToolDefinition, Usage } from './content.ts'
import type { SocketResolution } from './socket.ts'

export type ProtocolName = 'openai' | 'anthropic' | 'gemini' | 'ollama' | 'mcp' | 'http'

export interface Protocol {
  readonly name: ProtocolName
  /** Its usage does not count what came from or went to a cache as input. */
  readonly cachedInputApart?: true
  /**
   * The operation behind a method and a path (path only, no query, beginning with `/`, relative to the upstream's url).
   * Canonicalises what real clients send: a missing, doubled or extra `/v1`. `query` is without its `?`.
   * Undefined: no adapter, so the request is refused, or passes unread on routes whose posture is opaque.
   */
  resolve(method: string, path: string, query?: string): Operation | undefined
  /** Where the upstream's url has a path, `base`: what is asked of it for an operation's path. Absent: both in turn. */
  readonly joinPath?: (base: string, path: string) => string
  /**
   * The same for an upgrade to a WebSocket; `query` without `?`. Absent: the format has no conversations, so every upgrade
   * is refused. Without an upgrade these paths have no adapter.
   */
  resolveSocket?(path: string, query: string): SocketResolution | undefined
  /** Why there is no adapter, as a sentence for the client, where there is more to say than that. */
  whyUnserved?(method: string, path: string): string | undefined
  /**
   * The refusal in this format's own dialect, such that its official SDK raises its own typed error. `asked`: what is
   * known of the refused message, in formats where an answer names it.
   */
  refusal(fault: FaultView, asked?: Asked): Refusal
  /** The same in-band, for a stream whose status has been sent: a whole event in the format's framing. */
  streamError(fault: FaultView, asked?: Asked): string
}

/** What a refusal may show of a fault. */
export type FaultView = {
  readonly code: string
  readonly kind: FaultKind
  readonly status: number
  readonly message: string
  readonly retry: RetryHint
  readonly requestId: string
  readonly rule?: string
  /** The body is not JSON, or not such as is read here. */
  readonly unparsed?: true
  /** The client that a denial is written for, where the route names one. */
  readonly preset?: 'codex' | 'claude-code'
}

/** `headers` holds only what the dialect itself needs (content-type, request-id); the pipeline adds its own. */
export type Refusal = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Operation {
  /** Dotted, bounded set, for rules, metrics and audit: `chat.completions`, `models.list`, `messages`, `messages.count_tokens`, `http`. */
  readonly name: string
  /** The canonical path to send upstream. */
  readonly path: string
  /**
   * Which action a request of this kind is; `none` for listings, judged by route and principal only; `asked`: the content
   * says (`Content.asked`), answers and the events of streams are whole messages for `readAnswer`.
   */
  readonly action: 'model.call' | 'tool.call' | 'none' | 'asked'
  /**
   * Whether the answer can call tools, which are then judged. Absent: the answer of a model call can. One that was kept can
   * as well, although nothing is asked of a model now; speech cannot.
   */
  readonly emits?: boolean
  /** `json`: must be JSON. `none`: a body is refused. `any`: JSON is inspected, text is inspected as text, the rest is opaque. */
  readonly body: 'json' | 'none' | 'any'
  /** There is no adapter: what it does, and with which model, is unknown. */
  readonly opaque?: true
  /**
   * Why it is refused the way it was asked for, as a sentence for the client: nobody could read the answer, and there is
   * another way to ask. No posture lets it pass.
   */
  readonly unserved?: string
  /** Its answer is a stream that stays open for whatever the server may have to say. */
  readonly standing?: true
  /** Whether it may be repeated although it may have been done, without anybody saying so. */
  readonly idempotent: boolean
  /**
   * `text` is the source that `body` was parsed from: long numbers are inspected as they were written. Malformed shapes
   * (messages that is not an array) are a reading failure: ambiguous input is refused, never guessed. `headers`, a flat
   * list, is for formats that say things twice.
   */
  readRequest(body: Json, text: string, headers?: readonly string[]): Reading
  readAnswer(body: Json, text: string): Reading
  /** Whether clients could take it for a message (action `asked`), with whatever status and type it comes. */
  isMessageLike?(body: Json): boolean
  /** Headers that repeat what a body says; absent where none does. */
  readonly headerMirror?: HeaderMirror
  /** What is wrong with the head of a request without a body; absent where such heads say nothing. */
  readHead?(headers: readonly string[]): Extract<Reading, { ok: false }> | undefined
  /**
   * The edits of an answer by which text of the assistant stands in the place of calls that were denied, such that the
   * format's clients take it for a normal end. Absent: an answer with a denied call is refused as a whole.
   */
  refuseCalls?(answer: Json, refused: readonly RefusedCall[]): readonly Edit[]
  /**
   * The edits of a request that take tools out of it, and with them whatever names one. Absent: lists of tools are
   * members of the request, with `tool_choice` beside them.
   */
  withdrawTools?(request: Json, withheld: readonly ToolDefinition[]): readonly Edit[]
  /** The path for a model of another name, where the path names it. */
  pathFor?(model: string): string
  /** The edits of a request by which it names another model. Absent: its `model` does, where it has one. */
  nameModel?(request: Json, model: string): readonly Edit[]
  /** How a stream of this operation is framed: server-sent events where absent, or JSON lines. */
  readonly framing?: FramingName
  /** For answers that are such a stream; absent where the operation does not stream. */
  openStream?(): StreamReader
  /** What holds of an answer of JSON lines, where streams of the operation are events otherwise; absent: none is read so. */
  readonly lines?: Required<Pick<Operation, 'framing' | 'openStream' | 'streamError'>>
  /** As the protocol's, where streams of this operation say an error in their own way. */
  streamError?(fault: FaultView): string
}

export type HeaderMirror = {
  /** The text of a header, given its name in lower case; undefined: it repeats nothing. `repeats`: surely a text of the body. */
  read(name: string, value: string): { readonly text: string; readonly repeats: boolean } | undefined
  /** A text as the value of such a header. */
  write(text: string): string
}

export function givesModelAnswer({ action, emits }: Operation): boolean {
  return emits ?? action === 'model.call'
}

/** Of a failure `fault` is `body-malformed` when absent; `asked` is what could be read all the same. */
export type Reading =
  | { readonly ok: true; readonly content: Content }
  | { readonly ok: false; readonly message: string; readonly fault?: FaultCode; readonly asked?: Asked }

/** A call that was denied, and what the client reads instead of it. */
export type RefusedCall = { readonly call: ToolCall; readonly text: string }

export type Refused = { readonly opening: string; readonly channel: string; readonly text: string }

/** Reads one stream. It is told every event in order and remembers what it needs to build events of its own. */
export interface StreamReader {
  /** `data` is the event's data as one string, or the line. Text that is not understood is a reading failure. */
  read(event: { readonly event: string; readonly data: string }): StreamStep
  /** Told of the number of the last of events that were not read (`StreamStep.varying`). */
  repeated?(number: number): void
  /** A whole event in the format's framing, its end included, that adds `text` to a channel, as the format writes it. */
  deltaEvent(channel: string, text: string): string
  /** A whole event that carries a piece of a call (`StreamStep.held`), given as JSON. Needed where steps hold pieces. */
  pieceEvent?(channel: string, piece: string): string
  /**
   * Told of a denied call when it is complete, and of the text that takes its place: on which channel that goes, and the
   * events that must stand before it. Undefined where `amend` says it all. Absent: the stream ends with a fault.
   */
  refuse?(call: StreamedCall, text: string): Refused | undefined
  /** What the event last read must say once calls were denied, those `refused` in it and any before. */
  amend?(value: Json, refused: readonly RefusedCall[]): readonly Edit[]
}

/**
 * What one event means. A channel is one text that grows: `text:0` (choice 0), `reasoning:0`, `arguments:0:1` (choice 0,
 * tool call 1). An event may carry several deltas (several choices).
 */
export type StreamStep =
  | {
      readonly ok: true
      /** The event's data parsed, so that an edit needs no second parse. Absent for events without JSON (`[DONE]`). */
      readonly value?: Json
      readonly deltas: readonly Delta[]
      /**
       * Channels that are complete with this event. What is held back on them must be written before it, unless the event
       * itself carries a delta of the channel: then that delta is the last one, and what is held back goes into its place.
       */
      readonly ends: readonly string[]
      /**
       * Tool calls that are complete with this event, with the channel that carries their arguments (those in this very
       * event included, and then in place as for `ends`). They must be judged before the event is written.
       */
      readonly calls: readonly StreamedCall[]
      /**
       * Pieces of tool calls that are not complete yet, the events that open and name a call included. None leaves before
       * its call is judged; the deltas of kind `arguments` stand inside them. Absent: only arguments are held back.
       */
      readonly held?: readonly { readonly channel: string; readonly address: Address }[]
      /** What is removed from the event so that nothing of `held` is left in it; the root: the event is not written. */
      readonly withheld?: readonly Address[]
      /** The channel of an incomplete call that this event may not overtake: clients count places in order of opening. */
      readonly behind?: string
      /** Text in this event that is whole at once (no channel): final aggregates, citations, fields without an adapter. */
      readonly parts: readonly (Pick<TextPart, 'address' | 'text'> & Partial<Pick<TextPart, 'form'>>)[]
      /** What is there but cannot be read as text, each once: `thinking`, `audio`, `logprobs`. */
      readonly uninspected?: readonly string[]
      /**
       * Another event that differs only in the text of this one's single delta would mean the same and leave the reader
       * as it is, so it need not be read.
       */
      readonly repeatable?: true
      /** What else may differ in it: its number, or what only makes events longer. */
      readonly varying?: readonly Varying[]
      /** The format's own clean end (`[DONE]`, `message_stop`): a stream that ends without one was cut off. */
      readonly terminal: boolean
      /** Why the event as a whole is not understood; its texts are in `parts` all the same, each as if it stood alone. */
      readonly unknown?: string
      /** The upstream's own in-band error. */
      readonly error?: true
      /** The format's own clean end, which says that the upstream has failed. */
      readonly failed?: true
      /** Where the event reports usage: all that the stream has reported so far, field by field the largest. */
      readonly usage?: Usage
      /** Of the model's own output that nobody looks into: it is written, and paid for, all the same. */
      readonly unreadBytes?: number
    }
  | { readonly ok: false; readonly message: string }

/** `padding`: an identifier (`identifierEnd`) that says nothing. `number`: a whole number that counts events. */
export type Varying = { readonly address: Address; readonly kind: 'padding' | 'number' }

/** `also`: what else the same call may be taken for. It is denied if any of it is. */
export type StreamedCall = ToolCall & { readonly channel: string; readonly also?: readonly ToolCall[] }

/**
 * `arguments`: part of a tool call, so nothing of it may leave before the call is complete and judged. Mostly JSON; the
 * input of a custom tool is free text.
 */
export type Delta = {
  readonly channel: string
  readonly address: Address
  readonly text: string
  readonly kind: 'text' | 'arguments'
}
