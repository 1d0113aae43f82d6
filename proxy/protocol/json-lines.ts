// Owns the reading of an answer of JSON lines of no particular format: each line is a document by itself. A value that is
// split over two of them is nobody's text.
import { innerLimits, parseJsonText, type Json } from '../lib/json.ts'
import type { Reading, StreamReader, StreamStep } from './protocol.ts'
import { emptyStep } from './step.ts'
import { formatLine } from '../lib/ndjson.ts'

export class LineReader implements StreamReader {
  readonly #readDocument: (value: Json, text: string) => Reading

  constructor(readDocument: (value: Json, text: string) => Reading) {
    this.#readDocument = readDocument
  }

  read({ data }: { readonly data: string }): StreamStep {
    const parsed = parseJsonText(data, innerLimits)
    if (!parsed.ok) return { ok: false, message: parsed.message }
    const reading = this.#readDocument(parsed.value, parsed.text)
    return reading.ok ? { ...emptyStep, value: parsed.value, parts: reading.content.parts } : reading
  }

  /** No line has text that goes on in the next. */
  deltaEvent(_channel: string, text: string): string {
    return formatLine(JSON.stringify(text))
  }
}
