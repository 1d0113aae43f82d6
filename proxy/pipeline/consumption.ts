// Owns what an exchange takes of a model: how much that may be, for limits that reserve, and how much it was. What upstreams
// report comes first; where they say nothing, text is counted.
import { headerValue } from '../lib/headers.ts'
import { isObject, type Json } from '../lib/json.ts'
import type { Demand, Spent } from '../limits/limiter.ts'
import type { Content, Usage } from '../protocol/content.ts'
import { thinksHidden, type Hidden } from '../protocol/hidden-thinking.ts'
import { canBoundOutput } from '../protocol/output-bound.ts'
import { tokensOfKind } from '../protocol/texts.ts'
import type { Decided, Ended } from './exchange.ts'
import { isConversation } from './sockets.ts'
import { tokensOf, tokensOfBytes, tokensPerPart } from './token-estimate.ts'

export function demandOf(x: Decided): Demand {
  const { body, content, operation } = x
  const asks = operation.action === 'asked' ? (content?.asked?.acts.length ?? 0) > 0 : operation.action !== 'none'
  const actions = asks ? x.actions : []
  // What is said in a conversation comes later, and so does what it costs.
  const silent = isConversation(operation) || withoutOutput.test(operation.name)
  const reads = actions.some(({ type }) => type === 'model.call') && !isConversation(operation)
  const billed = billedModel(x)
  const outputTokensMax = silent ? 0 : content?.maxTokens
  return {
    actions: actions.map(({ type }) => type),
    tools: actions.flatMap(({ type, tool }) => (type === 'tool.call' && tool !== undefined ? [tool] : [])),
    inputTokens: reads && !onlyCounts.test(operation.name) ? inputEstimate(x) : 0,
    answers: answersOf(x),
    ...(content?.model === undefined ? undefined : { model: content.model }),
    ...(billed === undefined ? undefined : { billedModel: billed }),
    ...(silent || canBoundOutput(x.route.protocol.name, operation.name) ? undefined : ({ unbounded: true } as const)),
    ...(outputTokensMax === undefined
      ? undefined
      : { outputTokensMax: Math.min(outputTokensMax, tokensMax) * answersOf(x) }),
    ...('bytes' in body && hidesLength(x.headers) ? { bytes: body.bytes.length } : undefined),
  }
}

/** Its length is known only when all of it has come (RFC 9112 §7.1). */
export function hidesLength(headers: readonly string[]): boolean {
  return headerValue(headers, 'transfer-encoding') !== undefined
}

/** What the upstream calls the model. */
export function billedModel({ content, route }: Pick<Ended, 'content' | 'route'>): string | undefined {
  const model = content?.model
  return model === undefined ? undefined : (route?.aliases?.get(model) ?? model)
}

/** Operations that only say how long something is: nobody charges for them. */
const onlyCounts = /count_?tokens|input_tokens/i
/** Operations of a model that read, and write nothing. */
const withoutOutput = /embed|moderation|count_?tokens|input_tokens/i

/** More than anybody writes. Without it sums in shadow mode would lose what they held before. */
const tokensMax = 1_000_000_000
const answersMax = 10_000

/** Completions answer each prompt of a list, and write `best_of` to give `n`. */
function answersOf({ body, operation }: Decided): number {
  if (body.form !== 'json' || !isObject(body.value)) return 1
  const { n, best_of: tried, prompt } = body.value
  const config = body.value['generationConfig'] ?? body.value['generation_config'] ?? null
  const asked = isObject(config) ? (config['candidateCount'] ?? config['candidate_count']) : n
  if (operation.name !== 'completions') return countIn(asked)
  return Math.min(Math.max(countIn(n), countIn(tried)) * promptsIn(prompt), answersMax)
}

function countIn(value: Json | undefined): number {
  const count = Number(value ?? 1)
  return Number.isInteger(count) && count > 1 ? Math.min(count, answersMax) : 1
}

/** A list of numbers is one prompt, in tokens. */
function promptsIn(prompt: Json | undefined): number {
  return Array.isArray(prompt) && typeof prompt[0] !== 'number' ? Math.max(prompt.length, 1) : 1
}

/** What came of an answer: text, as its bytes passed. */
const bytesPerToken = 3
/** What tells Anthropic's models how to call tools. */
const toolsPreamble = 500

/** Asked for again when it is over, where nobody has told what was used. */
const estimates = new WeakMap<Content, number>()

export function inputEstimate({ content, body, route }: Pick<Ended, 'content' | 'body' | 'route'>): number {
  if (body?.form === 'sent') return body.inputTokens
  if (content === undefined) return body === undefined || !('bytes' in body) ? 0 : tokensOfBytes(body.bytes.length)
  const known = estimates.get(content)
  if (known !== undefined) return known
  const { uninspected, moreTokens = 0, tokens = 0, parts, tools } = content
  const preamble = tools.length > 0 && route?.protocol.name === 'anthropic' ? toolsPreamble : 0
  const estimate = uninspected.length * tokensOfKind + moreTokens + tokens + preamble + textEstimate(parts)
  estimates.set(content, estimate)
  return estimate
}

export function textEstimate(parts: readonly { readonly text: string }[]): number {
  let tokens = 0
  for (const { text } of parts) tokens += tokensOf(text) + tokensPerPart
  return tokens
}

function tokensIn(bytes: number): number {
  return Math.ceil(bytes / bytesPerToken)
}

/** What the exchange itself settles: all that it took, but for answers of a conversation that are settled by themselves. */
export function settledOf(x: Ended, bytes: number): Spent {
  const { answersUsage, usage = none } = x.trace
  if (answersUsage === undefined) return spentOf(x, bytes)
  const all = billedOf(usage, x.route?.protocol.cachedInputApart)
  const apart = billedOf(answersUsage, x.route?.protocol.cachedInputApart)
  return {
    input: Math.max(0, all.input - apart.input),
    output: Math.max(0, all.output - apart.output),
    cacheRead: Math.max(0, all.cacheRead - apart.cacheRead),
    cacheWrite: Math.max(0, all.cacheWrite - apart.cacheWrite),
    bytes,
  }
}

const none: Usage = {}

/** `apart`: input is reported without what came from or went to a cache. */
export function billedOf(usage: Usage, apart: boolean | undefined): Omit<Spent, 'bytes'> {
  const { input = 0, output = 0, cacheRead = 0, cacheWrite = 0 } = usage
  return { input: Math.max(0, apart === true ? input : input - cacheRead - cacheWrite), output, cacheRead, cacheWrite }
}

/** `bytes`: both ways. */
export function spentOf(x: Ended, bytes: number): Spent {
  const spent = seenOf(x, bytes)
  return isUntold(x) ? { ...spent, unfinished: true } : spent
}

/** More may have been made than anybody was told of: in the background, whoever waits for it, or thought out of sight. */
function isUntold(x: Ended): boolean {
  const { end, usage } = x.trace
  if ((end === 'complete' && usage !== undefined) || !reachedModel(x)) return false
  if (isBackground(x)) return true
  const hidden = hiddenThinking(x)
  return hidden === 'complete' || (hidden === 'reported' && usage?.output === undefined)
}

/** Only limits that reserved for it ask. */
export function hiddenThinking(x: Ended): Hidden | undefined {
  const { body, route, admissions } = x
  if (body?.form === 'sent') return body.hidden
  if (body?.form !== 'json' || route === undefined || admissions?.at(-1)?.countsTokens !== true) return undefined
  return thinksHidden(route.protocol.name, body.value, billedModel(x))
}

/** It is made whether anybody waits for it or not. */
export function isBackground({ body, operation }: Pick<Ended, 'body' | 'operation'>): boolean {
  if (body?.form === 'sent') return body.background
  return (
    operation?.name === 'responses' &&
    body?.form === 'json' &&
    isObject(body.value) &&
    body.value['background'] === true
  )
}

export function nothingBut(bytes: number): Spent {
  return { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, bytes }
}

function seenOf(x: Ended, bytes: number): Spent {
  const { trace, operation } = x
  const nothing = nothingBut(bytes)
  const { usage } = trace
  // What is fetched again was paid for when it was made.
  if (operation?.action === 'none') return nothing
  if (usage === undefined) {
    if (!reachedModel(x)) return nothing
    return { ...nothing, input: inputEstimate(x), output: tokensIn(trace.answerTextBytes) }
  }
  const { input = inputEstimate(x), output = 0 } = usage
  // Whoever leaves in the middle was told a count of the beginning.
  const isTold = trace.end === 'complete' && !isOutputUntold(x)
  const seen = isTold ? output : Math.max(output, tokensIn(trace.answerTextBytes))
  return { ...billedOf({ ...usage, input, output: seen }, x.route?.protocol.cachedInputApart), bytes }
}

/** A report that leaves out what was written does not say that nothing was. */
export function isOutputUntold({ trace: { usage, answerTextBytes }, operation }: Ended): boolean {
  if (usage === undefined || usage.output !== undefined || answerTextBytes === 0) return false
  return !withoutOutput.test(operation?.name ?? '')
}

/** Also where nobody waited for the answer to begin: the model was asked all the same. */
export function reachedModel({ answer, outgoing, trace, operation }: Ended): boolean {
  if (operation?.action !== 'model.call' || onlyCounts.test(operation.name)) return false
  if (answer !== undefined) {
    // A stream that began with an error is as good as a status that says the same.
    return answer.status < 400 && answer.replayed !== true && trace.attempts.at(-1)?.outcome !== 'error-event'
  }
  if (outgoing === undefined || trace.fault === undefined) return false
  const { code } = trace.fault
  // Without a connection nothing was sent.
  return code.startsWith('client-') || (code === 'upstream-timeout' && trace.attempts.at(-1)?.connectMs !== undefined)
}
