// Owns the one object that an exchange is. Its type grows from stage to stage, so a stage called out of order does not
// compile; the object itself stays the same, so that record.ts finds whatever was known when the exchange ended.
import type { Fault } from '../errors.ts'
import type { RecordValue } from '../audit/record.ts'
import type { Finding } from '../detect/finding.ts'
import type { Vault } from '../detect/vault.ts'
import type { Principal } from '../identity/principal.ts'
import type { Json } from '../lib/json.ts'
import { formatAddress, type Address } from '../lib/pointer.ts'
import type { Admission, LimitState } from '../limits/limiter.ts'
import type { Decision } from '../policy/decision.ts'
import type { Action } from '../policy/query.ts'
import type { Permit } from '../policy/permit.ts'
import type { Alternate, Asked, Content, ToolDefinition, Usage } from '../protocol/content.ts'
import type { Hidden } from '../protocol/hidden-thinking.ts'
import type { Markup } from '../lib/xml-text.ts'
import type { Operation } from '../protocol/protocol.ts'
import type { Attempt, UpstreamAnswer } from '../upstream/answer.ts'
import type { Carried } from './carried-json.ts'
import type { Inquiry } from './inquiry.ts'
import type { Route } from './runtime.ts'

export type RequestHead = {
  readonly method: string
  /** Without the query; needless escapes are resolved, what is left of a version prefix is the protocol's business. */
  readonly path: string
  /** Without `?`; empty when there is none. */
  readonly query: string
  /** Flat list in wire order. */
  readonly headers: readonly string[]
  /** The socket's own address; never taken from a header. */
  readonly ip: string
  /** An upgrade is asked for, as RFC 6455 §4.1 wants it. */
  readonly upgrade?: 'websocket' | undefined
}

/** What happened, gathered as it happens. The audit record, the log line and the metrics are made from this alone. */
export type Trace = {
  /** What was decided without a check that was configured: `audit`, `store:<limit>`, `breaker:<upstream>`. */
  readonly open: string[]
  /** What was there but not read: `request:image`, `answer:body`, … */
  uninspected: ReadonlySet<string>
  /** Entity → how many were replaced, by direction. */
  redactedRequest: Counts
  redactedAnswer: Counts
  /** The same for what was found and left in place, by `tag` or by a rule in shadow mode. */
  observedRequest: Counts
  observedAnswer: Counts
  /** Addresses of what was replaced, the first of them: `request /messages/0/content`. */
  redactedAt: string[]
  /** Detectors that really ran, by direction. */
  readonly scanned: { request: readonly string[]; answer: readonly string[] }
  /** Entity → how often a tool was sent the value of a token. */
  restoredRequest: Counts
  /** What other gateways issued could not be asked for, so it stays as it is. */
  vaultUnavailable: boolean
  /** Decisions about tool calls in the answer. */
  readonly answerDecisions: { readonly tool: string; readonly decision: Decision }[]
  /** Tools that were taken out of a server's list. */
  readonly withheld: string[]
  /** With the upstream where the route has several. */
  attempts: readonly (Attempt & { readonly upstream?: string })[]
  /** Upstreams that were asked in vain before, or passed over, for the record. */
  readonly earlier: AuditFields[]
  usage: Usage | undefined
  /** What the upstream reported was not to be believed, or something of it. */
  usageImplausible: boolean
  /** Of a conversation: what the answers took that were reserved and settled one by one; undefined before the first. */
  answersUsage: Usage | undefined
  /** On behalf of a limit, where the client did not ask a stream for its usage: whether the upstream knew the question. */
  usageAsked: 'asked' | 'refused' | undefined
  /** Of the model's text that came, for where usage is not reported, or not yet. */
  answerTextBytes: number
  /** Limits in shadow mode that would have refused. */
  readonly limitsExceeded: string[]
  /** Refused under overload: as what, and because of what. */
  shed: { readonly priority: string; readonly signal: string } | undefined
  /** In billionths of a dollar, where prices are asked for and known. */
  costNanos: number | undefined
  /** The upstream reported an error in-band. */
  upstreamError: boolean
  /** It ended as its format wants, and said that it has failed. */
  answerFailed: boolean
  /** Either is about what was asked or how often, and the upstream is well. */
  errorOfAsker: boolean
  fault: Fault | undefined
  /** Status sent to the client; absent when nothing was. */
  status: number | undefined
  /** The answer is an event stream, so a failure after its head can be told in-band. */
  streaming: boolean
  /** How the answer ended. */
  end: 'complete' | 'refused' | 'broken-off' | undefined
  digestRequest: string | undefined
  digestForwarded: string | undefined
  /** Time that passed while waiting for the upstream or the client, in milliseconds. */
  waitedMs: number
  firstByteMs: number | undefined
  intent: boolean
  /** Of a conversation over a WebSocket: messages that were sent on. */
  carried: { readonly up: number; readonly down: number } | undefined
  /** Messages of the client that were answered in-band and not sent on. */
  readonly refusals: { readonly type: string; readonly fault: Fault }[]
}

/** Entity → how many. */
export type Counts = ReadonlyMap<string, number>

export type Exchange = {
  readonly id: string
  readonly head: RequestHead
  readonly startedMs: number
  readonly trace: Trace
}

export type Routed = Exchange & { readonly route: Route; readonly operation: Operation }

export type Identified = Routed & {
  readonly principal: Principal
  readonly identifiedVia: string
  readonly keyId: string | undefined
  /** The agent's key is no longer in these. */
  readonly headers: readonly string[]
  readonly query: string
}

export type Admitted = Identified & {
  readonly admissions: Extract<Admission, { ok: true }>[]
  /** Of every limit that was asked, a refusing one included, for the RateLimit headers. */
  readonly limitStates: LimitState[]
}

/** What was read of the body. `bytes` are decoded (no content encoding). */
export type Body =
  | {
      readonly form: 'json'
      readonly bytes: Uint8Array
      readonly text: string
      readonly value: Json
      /** Of a body that carries the JSON in another format. */
      readonly carried?: Pick<Carried, 'write' | 'isDisputed'>
    }
  | { readonly form: 'text'; readonly bytes: Uint8Array; readonly text: string; readonly markup?: Markup }
  | { readonly form: 'opaque'; readonly bytes: Uint8Array }
  | { readonly form: 'unread' }
  | { readonly form: 'none' }

export type Decoded = Admitted & {
  readonly body: Body
  readonly content: Content | undefined
  /** What the body asks for, in formats that say it there; also of a body that is refused. */
  readonly asked: Asked | undefined
}

export type Recalled = Decoded & {
  /** Tokens given out in this exchange, and those of others; absent when nothing is redacted on this route. */
  readonly vault: Vault | undefined
}

export type Consulted = Recalled & {
  /** What external detectors have found and are still asked; absent where none is needed on this route. */
  readonly inquiry: Inquiry | undefined
}

export type Inspected = Consulted & {
  /** What the redaction found: parallel to `content.parts`; absent when nothing is redacted here. */
  readonly findings: readonly (readonly Finding[])[] | undefined
  /** The same for the pieces of a plain HTTP target (target.ts); empty when nothing is redacted here. */
  readonly targetFindings: readonly (readonly Finding[])[]
  /** And for the values of its headers. */
  readonly headerFindings: readonly (readonly Finding[])[]
  /** The path for the record where the real one has data in it. */
  readonly shownPath: string | undefined
  /** What the rules are told, by entity and by group. */
  readonly findingCounts: Readonly<Record<string, number>> | undefined
}

export type Decided = Inspected & {
  readonly actions: readonly Action[]
  readonly decisions: readonly Decision[]
  /** Offered tools that the caller may never call. */
  readonly withheld: readonly ToolDefinition[]
  /** Models that may not answer in the place of the one that was asked. */
  readonly withheldModels: readonly Alternate[]
}

export type Permitted = Decided & { readonly permit: Permit }

export type Prepared = Permitted & {
  readonly outgoing: {
    readonly path: string
    readonly headers: readonly string[]
    readonly body: Uint8Array | undefined
    /** The body without the question for a stream's usage; undefined where the client asked, or nobody does. */
    readonly unasked?: (() => Uint8Array | undefined) | undefined
  }
}

export type Answered = Prepared & { readonly answer: UpstreamAnswer }

/** What is left of a body whose answer streams (let-go.ts): what settling asks of it. */
export type SentBody = {
  readonly form: 'sent'
  readonly inputTokens: number
  readonly background: boolean
  readonly hidden: Hidden | undefined
}

/** Everything that may be known of an exchange when it ends. */
export type Ended = Exchange &
  Partial<Omit<Answered, keyof Exchange | 'body'>> & {
    readonly admissions?: Admitted['admissions']
    readonly body?: Body | SentBody
  }

/** All fields that stages fill in later are there from the start, so that every exchange has one and the same shape. */
export function openExchange(id: string, head: RequestHead, startedMs: number): Exchange {
  const x: { [K in keyof Required<Ended>]: Ended[K] | undefined } = {
    id,
    head,
    startedMs,
    trace: openTrace(),
    route: undefined,
    operation: undefined,
    principal: undefined,
    identifiedVia: undefined,
    keyId: undefined,
    headers: undefined,
    query: undefined,
    admissions: undefined,
    limitStates: undefined,
    body: undefined,
    content: undefined,
    asked: undefined,
    inquiry: undefined,
    findings: undefined,
    targetFindings: undefined,
    headerFindings: undefined,
    shownPath: undefined,
    findingCounts: undefined,
    actions: undefined,
    decisions: undefined,
    withheld: undefined,
    withheldModels: undefined,
    permit: undefined,
    outgoing: undefined,
    vault: undefined,
    answer: undefined,
  }
  return x as Exchange
}

function openTrace(): Trace {
  return {
    open: [],
    uninspected: nothing,
    redactedRequest: noCounts,
    redactedAnswer: noCounts,
    observedRequest: noCounts,
    observedAnswer: noCounts,
    redactedAt: [],
    restoredRequest: noCounts,
    vaultUnavailable: false,
    scanned: { request: [], answer: [] },
    answerDecisions: [],
    withheld: [],
    attempts: none,
    earlier: [],
    usage: undefined,
    usageImplausible: false,
    answersUsage: undefined,
    usageAsked: undefined,
    answerTextBytes: 0,
    limitsExceeded: [],
    shed: undefined,
    costNanos: undefined,
    upstreamError: false,
    answerFailed: false,
    errorOfAsker: false,
    fault: undefined,
    status: undefined,
    streaming: false,
    end: undefined,
    waitedMs: 0,
    firstByteMs: undefined,
    intent: false,
    carried: undefined,
    refusals: [],
    digestRequest: undefined,
    digestForwarded: undefined,
  }
}

/** The stage's own fields are put on the same object: see the head of this file. */
export function grow<X extends Exchange, Fields extends object>(x: X, fields: Fields): X & Fields {
  return Object.assign(x, fields)
}

export type AuditFields = { [key: string]: RecordValue }

type Counted = 'redactedRequest' | 'redactedAnswer' | 'observedRequest' | 'observedAnswer' | 'restoredRequest'

export function addCounts(trace: Trace, counted: Counted, counts: Readonly<Record<string, number>>): void {
  for (const [entity, count] of Object.entries(counts)) addCount(trace, counted, entity, count)
}

export function addCount(trace: Trace, counted: Counted, entity: string, count: number): void {
  let sum = trace[counted] as Map<string, number>
  if (sum === noCounts) trace[counted] = sum = new Map()
  sum.set(entity, (sum.get(entity) ?? 0) + count)
}

/** The record names no more, and a body may have a hundred thousand of them. */
const redactedAtMax = 100

/** Where something was replaced, each place once. */
export function noteRedactedAt(trace: Trace, direction: 'request' | 'answer', place: string | Address): void {
  const { redactedAt } = trace
  if (redactedAt.length === redactedAtMax) return
  const where = `${direction} ${typeof place === 'string' ? place : formatAddress(place)}`
  if (!redactedAt.includes(where)) redactedAt.push(where)
}

/** What an upstream reports; where it cannot be true, only what is left of it without. */
export function noteUsage(trace: Trace, reported: Usage): void {
  trace.usage = reported
  if (reported.implausible !== true) return
  const { implausible, ...counts } = reported
  trace.usageImplausible = implausible
  trace.usage = Object.keys(counts).length === 0 ? undefined : counts
}

export function noteUninspected(trace: Trace, what: string): void {
  let noted = trace.uninspected as Set<string>
  if (noted === nothing) trace.uninspected = noted = new Set()
  noted.add(what)
}

// Most exchanges have nothing of most of these, and what is empty takes 180 bytes each as long as the exchange lasts.
export const noCounts: Counts = new Map()
const nothing: ReadonlySet<string> = new Set()
const none: readonly never[] = []
