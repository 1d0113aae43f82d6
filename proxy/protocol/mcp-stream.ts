// Owns the reading of MCP's event streams: every event is one whole message, or nothing but a place to resume from.
import { parseJsonText } from '../lib/json.ts'
import { readMcpAnswer } from './mcp-content.ts'
import type { StreamReader, StreamStep } from './protocol.ts'

export function openMcpStream(): StreamReader {
  return new MessageStream()
}

const limits = { depthMax: 64, keysMax: 10_000 }

/**
 * A server may end a stream whenever it likes and go on in the next, so no event is the end of it; a client knows by the
 * id whether it has been answered.
 */
class MessageStream implements StreamReader {
  read({ data }: { readonly event: string; readonly data: string }): StreamStep {
    const none = { ok: true, deltas: [], ends: [], calls: [], parts: [], terminal: false } as const
    if (data === '') return none
    const parsed = parseJsonText(data, limits)
    if (!parsed.ok) return { ok: false, message: parsed.message }
    const reading = readMcpAnswer(parsed.value, parsed.text)
    if (!reading.ok) return reading
    const { parts, uninspected } = reading.content
    return { ...none, value: parsed.value, parts, uninspected, message: reading.content }
  }

  /** No text grows over events, so there is never anything to add. */
  deltaEvent(): string {
    return ''
  }
}
