// Owns what an exchange takes of a model: how much that may be, for limits that reserve, and how much it was. What upstreams
// report comes first; where they say nothing, text is counted.
import { isObject } from '../lib/json.ts'
import type { Demand, Spent } from '../limits/limiter.ts'
import type { Decided, Ended } from './exchange.ts'
import { isConversation } from './sockets.ts'

export function demandOf(x: Decided): Demand {
  const { content, operation } = x
  const asks = operation.action === 'asked' ? (content?.asked?.acts.length ?? 0) > 0 : operation.action !== 'none'
  const actions = asks ? x.actions : []
  // What is said in a conversation comes later, and so does what it costs.
  const silent = isConversation(operation) || withoutOutput.test(operation.name)
  const billed = billedModel(x)
  const outputTokensMax = silent ? 0 : content?.maxTokens
  return {
    actions: actions.map(({ type }) => type),
    tools: actions.flatMap(({ type, tool }) => (type === 'tool.call' && tool !== undefined ? [tool] : [])),
    inputTokens: isConversation(operation) ? 0 : inputEstimate(x),
    answers: answersOf(x),
    ...(content?.model === undefined ? undefined : { model: content.model }),
    ...(billed === undefined ? undefined : { billedModel: billed }),
    ...(outputTokensMax === undefined ? undefined : { outputTokensMax: outputTokensMax * answersOf(x) }),
  }
}

/** What the upstream calls the model. */
export function billedModel({ content, route }: Pick<Ended, 'content' | 'route'>): string | undefined {
  const model = content?.model
  return model === undefined ? undefined : (route?.aliases?.get(model) ?? model)
}

/** Operations of a model that read, and write nothing. */
const withoutOutput = /embed|moderation|count/i

/** As `n` and `candidateCount` are bounded by their providers; what is above is refused by them. */
const answersMax = 128

function answersOf({ body }: Decided): number {
  if (body.form !== 'json' || !isObject(body.value)) return 1
  const { n, generationConfig } = body.value
  const asked = isObject(generationConfig ?? null)
    ? (generationConfig as { candidateCount?: unknown }).candidateCount
    : n
  const count = Number(asked ?? 1)
  return Number.isInteger(count) && count > 1 ? Math.min(count, answersMax) : 1
}

/**
 * Tokens are about four bytes of English and fewer of most else; three make the estimate rather too large than too small,
 * and the upstream's own count takes its place in the end.
 */
const bytesPerToken = 3
/** What frames a message or a tool in the model's own format. */
const tokensPerPart = 4
/** An image, a file or a sound, of which nothing is known but that it is there. */
const tokensUnread = 1000

export function inputEstimate({ content, body }: Pick<Ended, 'content' | 'body'>): number {
  if (content === undefined) {
    return body === undefined || !('bytes' in body) ? 0 : tokensIn(body.bytes.length)
  }
  let tokens = content.uninspected.length * tokensUnread
  for (const { text } of content.parts) tokens += tokensIn(Buffer.byteLength(text)) + tokensPerPart
  return tokens
}

function tokensIn(bytes: number): number {
  return Math.ceil(bytes / bytesPerToken)
}

/** `bytes`: both ways. */
export function spentOf(x: Ended, bytes: number): Spent {
  const { trace } = x
  const none = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, bytes }
  const { usage } = trace
  if (usage === undefined) {
    if (!reachedModel(x)) return none
    return { ...none, input: inputEstimate(x), output: tokensIn(trace.answerTextChars) }
  }
  const { input, output = 0, cacheRead = 0, cacheWrite = 0 } = usage
  // Whoever leaves in the middle was told a count of the beginning.
  const seen = trace.end === 'complete' ? output : Math.max(output, tokensIn(trace.answerTextChars))
  const reported = input ?? inputEstimate(x)
  const within = x.route?.protocol.cachedInputApart === true ? 0 : cacheRead + cacheWrite
  return { input: Math.max(0, reported - within), output: seen, cacheRead, cacheWrite, bytes }
}

/** Also where the client left before the answer began: the model was asked all the same. */
export function reachedModel({ answer, outgoing, trace, operation }: Ended): boolean {
  if (operation?.action !== 'model.call') return false
  if (answer !== undefined) return answer.status < 400
  return outgoing !== undefined && trace.fault !== undefined && trace.fault.code.startsWith('client-')
}
