// Owns how a reading is written down beside its sample: `x.json` and `x.sse` have an `x.expected.txt`, one line for each
// thing that was read. UPDATE=1 rewrites it; what then changed is to be looked at, line by line.
import { readFileSync, writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import { SseDecoder } from '../../../proxy/lib/sse.ts'
import type { Json } from '../../../proxy/lib/json.ts'
import { formatAddress } from '../../../proxy/lib/pointer.ts'
import type { Content, ToolCall } from '../../../proxy/protocol/content.ts'
import type { Operation, Reading, StreamReader, StreamStep } from '../../../proxy/protocol/protocol.ts'

const fixtures = new URL('../../fixtures/', import.meta.url)

export function sample(name: string): string {
  return readFileSync(new URL(name, fixtures), 'utf8')
}

export function parsed(name: string): [Json, string] {
  const text = sample(name)
  return [JSON.parse(text) as Json, text]
}

/** Compares the reading of a sample with what is written beside it. */
export function golden(t: Test, name: string, lines: readonly string[]): void {
  const file = new URL(name.replace(/\.\w+$/, '.expected.txt'), fixtures)
  const text = `${lines.join('\n')}\n`
  if (process.env.UPDATE === '1') writeFileSync(file, text)
  t.equal(text, readFileSync(file, 'utf8'), name)
}

export function linesOfReading(reading: Reading): string[] {
  return reading.ok ? linesOfContent(reading.content) : [`refused: ${reading.message}`]
}

export function readStream(operation: Operation | undefined, text: string): string[] {
  const reader = operation?.openStream?.()
  if (reader === undefined) throw new Error('no stream')
  const { events } = new SseDecoder({ eventBytesMax: 100_000 }).push(new TextEncoder().encode(text))
  return events.filter((event) => !event.comment).flatMap((event) => ['event', ...linesOfStep(reader.read(event))])
}

/** Feeds data without a name, one string an event; the last step is what the caller looks at. */
export function feed(reader: StreamReader, ...data: readonly unknown[]): StreamStep {
  let step: StreamStep = { ok: false, message: 'nothing was read' }
  for (const item of data) {
    step = reader.read({ event: 'message', data: typeof item === 'string' ? item : JSON.stringify(item) })
  }
  return step
}

function linesOfContent(content: Content): string[] {
  const { model, stream, maxTokens, messages, usage } = content
  return [
    `model=${model ?? '-'} stream=${stream ?? '-'} maxTokens=${maxTokens ?? '-'} messages=${messages ?? '-'}`,
    ...content.parts.map(
      ({ address, text, role, form }) => `part ${role} ${form} ${formatAddress(address)} ${JSON.stringify(text)}`,
    ),
    ...content.toolCalls.map((call) => lineOfCall(call)),
    ...content.tools.map((tool) => `tool ${tool.name} ${formatAddress(tool.address)} ${tool.description ?? '-'}`),
    ...(usage === undefined ? [] : [`usage ${JSON.stringify(usage)}`]),
    `uninspected ${content.uninspected.join(', ')}`,
  ]
}

export function linesOfStep(step: StreamStep): string[] {
  if (!step.ok) return [`  refused: ${step.message}`]
  return [
    ...step.deltas.map(
      (delta) => `  delta ${delta.channel} ${delta.kind} ${formatAddress(delta.address)} ${JSON.stringify(delta.text)}`,
    ),
    ...(step.held ?? []).map(({ channel, address }) => `  held ${channel} ${formatAddress(address) || '/'}`),
    ...(step.withheld ?? []).map((address) => `  withheld ${formatAddress(address) || 'the event'}`),
    ...(step.behind === undefined ? [] : [`  behind ${step.behind}`]),
    ...step.parts.map((part) => `  part ${formatAddress(part.address)} ${JSON.stringify(part.text)}`),
    ...step.calls.map((call) => `  ${lineOfCall(call)} on ${call.channel}`),
    ...(step.ends.length === 0 ? [] : [`  ends ${step.ends.join(', ')}`]),
    ...(step.uninspected === undefined ? [] : [`  uninspected ${step.uninspected.join(', ')}`]),
    ...(step.error === undefined ? [] : ['  error']),
    ...(step.usage === undefined ? [] : [`  usage ${JSON.stringify(step.usage)}`]),
    ...(step.terminal ? ['  terminal'] : []),
  ]
}

function lineOfCall(call: ToolCall): string {
  return `call ${call.name} ${call.id ?? '-'} ${call.args === undefined ? 'no arguments' : JSON.stringify(call.args)}`
}
