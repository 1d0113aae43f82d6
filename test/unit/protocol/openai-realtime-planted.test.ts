// A value stands in every field of a realtime event that is declared, one after another, and in every string of the
// samples: where it is enforced the readers see it, whole or in pieces; what cannot be read is named.
import t from 'tap'
import type { Json } from '../../../proxy/lib/json.ts'
import { realtimeCoverage } from '../../../proxy/protocol/openai-realtime-coverage.ts'
import { openaiProtocol } from '../../../proxy/protocol/openai.ts'
import type { StreamStep } from '../../../proxy/protocol/protocol.ts'
import type { SocketReader } from '../../../proxy/protocol/socket.ts'
import { documentWith, parseField, type Planted } from '../../support/planted-document.ts'
import { sample } from './golden.ts'
import { plant, planted } from './plant.ts'

const secret = 'ada@example.org'
const encoded = Buffer.from(secret).toString('base64')

type Seen = { readonly texts: string; readonly labels: readonly string[]; readonly wrong?: string }

function open(): SocketReader {
  const found = openaiProtocol.resolveSocket?.('/v1/realtime', '')
  if (found?.ok !== true) throw new Error('no conversation')
  return found.operation.openSocket()
}

function seenByClient(field: string, value: unknown): Seen {
  const reading = open().readClient(JSON.stringify(eventOf(field, value)))
  if (!reading.ok) return { texts: '', labels: [], wrong: reading.message }
  const { parts, uninspected } = reading.content
  return { texts: parts.map(({ text }) => text).join(' '), labels: uninspected }
}

function seenByServer(field: string, values: readonly unknown[]): Seen {
  const reader = open()
  const events = values.map((value) => eventOf(field, value))
  const steps = [...before(field, events[0] as Planted), ...events].map((event) =>
    reader.read({ event: 'message', data: JSON.stringify(event) }),
  )
  const wrong = steps.find((step) => !step.ok)
  if (wrong?.ok === false) return { texts: '', labels: [], wrong: wrong.message }
  return seenIn(steps.filter((step) => step.ok))
}

function seenIn(steps: readonly Extract<StreamStep, { ok: true }>[]): Seen {
  const grown = new Map<string, string>()
  for (const { channel, text } of steps.flatMap(({ deltas }) => deltas))
    grown.set(channel, (grown.get(channel) ?? '') + text)
  const whole = steps.flatMap(({ parts }) => parts.map(({ text }) => text))
  return {
    texts: [...grown.values(), ...whole].join(' '),
    labels: steps.flatMap(({ uninspected }) => uninspected ?? []),
  }
}

function eventOf(field: string, value: unknown): Planted {
  const { event, path } = parseField(field)
  return { type: event, event_id: 'event_1', ...(documentWith(path, value) as Planted) }
}

/** The item that an event belongs to begins before it. */
function before(field: string, event: Planted): Planted[] {
  const type = String(event['type'])
  const answer = { response_id: 'r1', output_index: 0 }
  const head = { type: 'response.output_item.added', ...answer }
  const message = { id: 'i1', type: 'message', role: 'assistant', content: [] }
  const start =
    type === 'response.output_item.done'
      ? { ...(event['item'] as Planted), arguments: '', content: [], output: null, error: null }
      : type.startsWith('response.function_call')
        ? { id: 'i1', type: 'function_call', call_id: 'c1', name: 'look', arguments: '' }
        : type.startsWith('response.mcp_call')
          ? { id: 'i1', type: 'mcp_call', server_label: 'a', name: 'look', arguments: '' }
          : message
  return /^response\.(created|done|output_item\.added)$/.test(type) || field.startsWith('conversation')
    ? []
    : [{ ...head, item: start }]
}

function halves(value: string): string[] {
  const at = value.indexOf('@') - 1
  return [value.slice(0, at), value.slice(at)]
}

for (const call of realtimeCoverage) {
  t.test(`${call.call}: what is declared as enforced is seen`, async (t) => {
    for (const field of call.request?.enforced ?? []) {
      const { texts, wrong } = seenByClient(field, secret)
      t.ok(texts.includes(secret), `${field}: ${wrong ?? texts}`)
    }
    for (const field of call.stream?.enforced ?? []) {
      const values = parseField(field).grows ? halves(secret) : [secret]
      const { texts, wrong } = seenByServer(field, values)
      t.ok(texts.includes(secret), `${field}: ${wrong ?? texts}`)
    }
  })

  t.test(`${call.call}: what cannot be read is named`, async (t) => {
    for (const [field, label] of Object.entries(call.request?.opaque ?? {}))
      t.ok(seenByClient(field, encoded).labels.includes(label), field)
    for (const [field, label] of Object.entries(call.stream?.opaque ?? {}))
      t.ok(seenByServer(field, [label === 'dtmf' ? '4' : encoded]).labels.includes(label), field)
  })
}

t.test('no string of the samples hides a value', async (t) => {
  for (const name of ['client', 'server', 'tools', 'beta', 'translations']) {
    const lines = sample(`openai/realtime-${name}.ndjson`)
      .split('\n')
      .filter((line) => line !== '')
    for (const [number, line] of lines.entries()) {
      plant(JSON.parse(line) as Json, (text, at) => {
        const reader = open()
        if (name === 'client') {
          const reading = reader.readClient(text)
          const seen = !reading.ok || reading.content.parts.some((part) => part.text.includes(planted))
          t.ok(seen, `${name} ${number} ${at}`)
          return
        }
        for (const earlier of lines.slice(0, number)) reader.read({ event: 'message', data: earlier })
        const step = reader.read({ event: 'message', data: text })
        const seen = !step.ok || seenIn([step]).texts.includes(planted)
        t.ok(seen, `${name} ${number} ${at}`)
      })
    }
  }
})
