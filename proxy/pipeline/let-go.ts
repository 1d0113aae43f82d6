// Owns what of a request is not kept once its answer streams: nobody sends it again, and the stream may last for hours.
// What the record, the limits and the filters still ask for stays.
import type { Content } from '../protocol/content.ts'
import { hiddenThinking, inputEstimate, isBackground } from './consumption.ts'
import { grow, type Answered, type SentBody } from './exchange.ts'
import type { Runtime } from './runtime.ts'

/** The head of the answer is out, so no other upstream is asked and no refusal can say what limits have said. */
export function letGo(x: Answered, runtime: Runtime): void {
  const { content, outgoing, operation, withheld, answer } = x
  const body: SentBody = {
    form: 'sent',
    inputTokens: x.route.limitsBody || runtime.prices !== undefined ? inputEstimate(x) : 0,
    background: isBackground(x),
    hidden: hiddenThinking(x),
  }
  // A server that asks something back is answered with the headers of the question.
  const talks = operation.action === 'asked'
  const keepsHeaders = talks || runtime.policyHeaders.size > 0
  grow(x, {
    body,
    admissions: x.admissions.map(told),
    answer: { ...answer, headers: none },
    content: content === undefined ? undefined : bare(content),
    // The agent's key is among those of the head.
    head: keepsHeaders ? x.head : { ...x.head, headers: none },
    headers: keepsHeaders ? x.headers : none,
    outgoing: {
      path: outgoing.path,
      headers: talks ? outgoing.headers : none,
      body: undefined,
      unasked: outgoing.unasked === undefined ? undefined : nobody,
    },
    findings: undefined,
    targetFindings: none,
    headerFindings: none,
    withheld: withheld.length === 0 ? none : withheld.map(({ name, address }) => ({ name, address })),
  })
  x.limitStates.length = 0
  // An array that grew has room for sixteen more.
  x.trace.redactedAt = [...x.trace.redactedAt]
}

const none: readonly never[] = []
const nobody = (): undefined => undefined

/** What it has said of limits stands in the head. One that was asked twice compares. */
function told(admission: Answered['admissions'][number]): Answered['admissions'][number] {
  return admission.reserve === undefined ? { ...admission, states: none } : admission
}

function bare({ model, asked }: Content): Content {
  return {
    parts: none,
    toolCalls: none,
    tools: none,
    uninspected: none,
    ...(model === undefined ? undefined : { model }),
    ...(asked === undefined ? undefined : { asked }),
  }
}
