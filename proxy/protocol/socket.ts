// Owns the interface of a conversation over a WebSocket that an adapter can read, message by message in both directions.
// What the server says is read like a stream of JSON lines, so that the filter for streams serves both.
import type { Edit } from '../lib/edit.ts'
import type { Json } from '../lib/json.ts'
import type { Content, ToolDefinition, Usage } from './content.ts'
import type { FaultView, Operation, StreamReader } from './protocol.ts'

export type SocketResolution =
  | { readonly ok: true; readonly operation: SocketOperation }
  /** There is an adapter, but not for this address: `message` says why, for the client. */
  | { readonly ok: false; readonly message: string }

/**
 * An operation that begins with an upgrade. `readAnswer` is for the answer of an upstream that does not upgrade; it has
 * no request body and no other stream than the conversation itself.
 */
export type SocketOperation = Operation & {
  readonly framing: 'ndjson'
  /** What the upgrade itself asks for, as far as the address says it: mostly a model. Judged before anything is dialled. */
  readonly content: Content
  readonly subprotocols: Subprotocols
  /** The edits by which a client event, its value, offers these of its tools no more, nor speaks of them. */
  withdrawTools(event: Json, withheld: readonly ToolDefinition[]): readonly Edit[]
  openSocket(): SocketReader
}

/** What stands in `Sec-WebSocket-Protocol`, where browsers, which cannot set headers, put more than protocols. */
export type Subprotocols = {
  /**
   * An offered subprotocol that begins like this carries the agent's key after it: a credential like a header, taken for
   * identification, shown nowhere and never sent upstream, nor chosen in the answer.
   */
  readonly keyInSubprotocol: string
  /** Those that may be offered upstream. Any other stays here: some choose an account by the side of the key. */
  readonly forwarded: readonly string[]
}

/**
 * Reads one conversation. It is told every message of both sides in order. As a stream reader it reads the server's
 * messages (`read`, with `messageLine` of each as data); whatever it writes as events is lines, one message each.
 */
export interface SocketReader extends StreamReader {
  /** Text that is not understood, and an event that nobody here knows, is a reading failure: it is not to be sent on. */
  readClient(data: string): ClientReading
  /** Told of each client event that goes to the server, with the message as it goes: the server will speak of that. */
  sent(said: SaidByClient, message: string): void
  /**
   * An error in the format's dialect, a whole message. `eventId`: of the client event that is refused. Clients go on
   * after it unless the socket is closed.
   */
  refusal(fault: FaultView, eventId?: string): string
  /** What the server has said of answers as a whole since this was last asked. */
  answers(): readonly AnswerEvent[]
  /** The edits of a client event that asks for an answer, its value, such that the answer is no longer than that. */
  boundAnswer(event: Json, tokensMax: number): readonly Edit[]
  /** An event for the server, a whole message, that stops an answer. */
  cancelAnswer(id: string | undefined): string
}

/**
 * `begun` comes for answers that a client has asked for, and for those that the server begins by itself; `tokensMax` where
 * it says how long one may be. `over` comes however it ended. `refused`: an event of the client was, named where it had a name.
 */
export type AnswerEvent =
  | { readonly type: 'begun'; readonly id: string | undefined; readonly tokensMax: number | undefined }
  | { readonly type: 'over'; readonly id: string | undefined; readonly usage: Usage | undefined }
  | { readonly type: 'refused'; readonly eventId: string | undefined }

/**
 * What a client event asks for, beside the content in it, which is redacted in any case:
 * - `answer`: the model is to answer now; a model call that counts
 * - `settings`: how it will answer from now on, with or without being asked again; judged like the call it prepares
 * - `content`: something for the model to know; it does nothing by itself
 * - `nothing`: to undo, to stop or to be told again
 */
export type Asking = 'answer' | 'settings' | 'content' | 'nothing'

export type ClientReading =
  | {
      readonly ok: true
      readonly value: Json
      /** The source that `value` was parsed from, for edits. */
      readonly text: string
      /** The event's own type: of a bounded set. */
      readonly type: string
      readonly eventId?: string
      readonly asks: Asking
      /** `model` is the conversation's where the event names none. `messages` counts the items in it. */
      readonly content: Content
      /** Further models that the event asks for (one that transcribes). Each is judged like `content.model`. */
      readonly alsoModels: readonly string[]
    }
  | { readonly ok: false; readonly message: string; readonly eventId?: string }

export type SaidByClient = Extract<ClientReading, { ok: true }>

/** One message as one line: what breaks lines in JSON can only be space between its tokens. */
export function messageLine(message: string): string {
  return /[\r\n]/.test(message) ? message.replaceAll(/[\r\n]+/g, ' ') : message
}

/** The messages in what a reader, or the filter before it, has written. */
export function messagesOf(lines: string): string[] {
  return lines.split('\n').filter((line) => line !== '')
}
