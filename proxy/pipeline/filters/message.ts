// Owns what becomes of a message from a server: what it asks of the client is judged, its lists lose what the caller may
// never use, and no cache may give it to others. It leaves texts to the redaction.
import type { Finding } from '../../detect/finding.ts'
import { scanNamed } from '../../detect/named.ts'
import { Fault } from '../../errors.ts'
import type { Edit } from '../../lib/edit.ts'
import type { Asked, Content } from '../../protocol/content.ts'
import { answerServer } from '../answer-server.ts'
import { judgeServer, mayOffer, mayUse } from '../asked.ts'
import type { Answered } from '../exchange.ts'
import type { Runtime } from '../runtime.ts'
import { countFindings } from '../stages/inspect.ts'
import { stopUnlessAllowed } from '../stages/enforce.ts'

/**
 * What must go out of the message, or stand otherwise in it. Undefined: the whole message must go, and the server was told
 * so where it waits; only a message in a stream can be left out. Faults: `answer-denied`, `approval-unserved`.
 */
export function filterMessage(
  x: Answered,
  runtime: Runtime,
  content: Content,
  place: 'stream' | 'document',
): readonly Edit[] | undefined {
  const { asked } = content
  if (asked !== undefined) {
    try {
      judgeAsks(x, runtime, asked, content)
    } catch (error) {
      if (!(error instanceof Fault) || place === 'document') throw error
      if (asked.id === undefined && asked.notice !== true) throw error
      if (asked.id !== undefined) answerServer(x, runtime, asked.id, error)
      return undefined
    }
  }
  const unusable = withoutUnusable(x, runtime, content)
  return content.keptApart === undefined ? unusable : [...unusable, content.keptApart]
}

function judgeAsks(x: Answered, runtime: Runtime, asked: Asked, content: Content): void {
  if (asked.unknown === true)
    throw new Fault('answer-denied', 'The server asks for something that has no adapter here, so it is refused.')
  const findings = findingsIn(x, content)
  for (const act of asked.acts) {
    const decision = judgeServer(x, runtime, act, findings)
    const tool = act.type === 'tool.call' ? act.tool : act.type === 'model.call' ? act.operation : act.type
    x.trace.answerDecisions.push({ tool: tool.slice(0, 128), decision })
    stopUnlessAllowed(decision, x.route.denyStatus, 'answer-denied')
  }
}

function findingsIn(x: Answered, content: Content): Record<string, number> | undefined {
  const { scanner } = x.route.answer
  if (scanner === undefined) return undefined
  const found: readonly (readonly Finding[])[] = content.parts.map((part) =>
    scanNamed(scanner, part.text, part.address),
  )
  return countFindings(found)
}

/** Of two tools with one name nobody knows which would be called, so only the first is shown. */
function withoutUnusable(x: Answered, runtime: Runtime, content: Content): readonly Edit[] {
  if (content.tools.length === 0 && content.listed === undefined) return none
  noteSightings(x, runtime, content)
  const edits: Edit[] = []
  const seen = new Set<string>()
  for (const tool of content.tools) {
    const stays = !seen.has(tool.name) && tool.flaw === undefined && mayOffer(x, runtime, tool).effect === 'allow'
    seen.add(tool.name)
    if (stays) continue
    edits.push({ address: tool.address, remove: true })
    x.trace.withheld.push(tool.name)
  }
  for (const { address, act } of content.listed ?? []) {
    if (!mayUse(x, runtime, act)) edits.push({ address, remove: true })
  }
  return edits
}

/** What the pins notice for the first time is an event of its own: somebody should look at that server. */
function noteSightings(x: Answered, runtime: Runtime, { tools }: Content): void {
  const { pins, upstream } = x.route
  if (pins === undefined || tools.length === 0) return
  for (const { name, why, pinned, seen } of pins.see(tools.map(({ name, source = null }) => ({ name, source })))) {
    const tool = name.slice(0, 128)
    runtime.log.warn({ request: x.id, upstream: upstream.id, tool, why }, 'a tool is not as it was pinned')
    runtime.audit.log.append('policy', {
      event: why,
      request: x.id,
      upstream: upstream.id,
      tool,
      seen,
      ...(pinned === undefined ? undefined : { pinned }),
    })
  }
}

const none: readonly Edit[] = []
