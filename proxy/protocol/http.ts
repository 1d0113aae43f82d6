// Owns plain HTTP upstreams: any method, any path, JSON of any shape, every string in it inspected. It has no envelope,
// so nothing is exempt.
import { innerLimits, parseJsonText } from '../lib/json.ts'
import type { Json } from '../lib/json.ts'
import { STATUS_CODES } from '../lib/node-http.ts'
import { formatLine } from '../lib/ndjson.ts'
import { formatEvent } from '../lib/sse.ts'
import type { Role } from './content.ts'
import { LineReader } from './json-lines.ts'
import type { FaultView, Operation, Protocol, Reading, StreamReader, StreamStep } from './protocol.ts'
import { readingOf } from './reading.ts'
import { emptyStep } from './step.ts'
import { readTexts } from './texts.ts'
import type { Layout } from './texts.ts'

export const httpProtocol: Protocol = {
  name: 'http',
  resolve(method, path): Operation {
    return {
      name: 'http',
      path,
      action: 'tool.call',
      body: 'any',
      idempotent: safeMethods.has(method),
      readRequest: (body, text) => readDocument(body, text, 'other'),
      readAnswer: (body, text) => readDocument(body, text, 'tool'),
      openStream: () => new EventReader(),
      lines: jsonLines,
    }
  },
  refusal: (fault) => ({
    status: fault.status,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify(problem(fault)),
  }),
  streamError: (fault) => formatEvent('error', JSON.stringify(problem(fault))),
}

const jsonLines: NonNullable<Operation['lines']> = {
  framing: 'ndjson',
  openStream: () => new LineReader((body, text) => readDocument(body, text, 'tool')),
  streamError: (fault) => formatLine(JSON.stringify(problem(fault))),
}

/**
 * Those that change nothing (RFC 9110 §9.2.1). PUT and DELETE are idempotent by their definition, but whether this tool keeps
 * to it is for its operator to say: repeated, they may undo what somebody else did in between.
 */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** JSON of no particular format, such as the arguments of a tool call: every string, long number and telling key. */
export function readDocument(body: Json, text: string, role: Role): Reading {
  const layout: Layout = { roleAt: () => role, standing: () => 'free' }
  return readingOf(readTexts(body, text, layout))
}

/** RFC 9457. The type is blank: the code says more than a page about it would. */
function problem(fault: FaultView): unknown {
  return {
    type: 'about:blank',
    title: STATUS_CODES[fault.status] ?? 'Error',
    status: fault.status,
    detail: fault.message,
    instance: fault.requestId,
    code: fault.code,
    ...(fault.rule === undefined ? undefined : { rule: fault.rule }),
  }
}

/**
 * Data that is a JSON object or array is read whole, event by event. Anything else is text, and all such data of a
 * stream are one channel, so that a value split over events is seen; the address of a delta is then the data itself.
 * Only `[DONE]` is neither. What begins like JSON and is not acceptable is refused: read as text, its escapes would hide
 * values that a client may read. The format has no end of its own, so no event is terminal.
 */
class EventReader implements StreamReader {
  #name = 'message'

  read({ event, data }: { readonly event: string; readonly data: string }): StreamStep {
    if (data === '') return emptyStep
    if (data === '[DONE]') return { ...emptyStep, ends: [channel] }
    if (/^\s*[[{]/.test(data)) {
      const parsed = parseJsonText(data, innerLimits)
      if (!parsed.ok) return { ok: false, message: parsed.message }
      const reading = readDocument(parsed.value, parsed.text, 'tool')
      return reading.ok ? { ...emptyStep, value: parsed.value, parts: reading.content.parts } : reading
    }
    this.#name = event
    return { ...emptyStep, deltas: [{ channel, address: { path: [] }, text: data, kind: 'text' }] }
  }

  deltaEvent(_channel: string, text: string): string {
    return formatEvent(this.#name, text)
  }
}

const channel = 'text:0'
