// Owns the reading of streamed Ollama answers, line by line, of chat and generate alike. Tool calls come whole, each in
// one line.
import type { Edit } from '../lib/edit.ts'
import { innerLimits, isObject, parseJsonText } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { formatLine } from '../lib/ndjson.ts'
import { valueAt } from '../lib/pointer.ts'
import type { Path } from '../lib/pointer.ts'
import { answerLayout, callsIn, paragraph, removeCalls, usageOf } from './ollama-content.ts'
import type { Refused, RefusedCall, StreamedCall, StreamReader, StreamStep } from './protocol.ts'
import { present, stringOf } from './shape.ts'
import { newDraft, stepOf, type Draft } from './step.ts'
import { readTexts } from './texts.ts'
import type { Layout } from './texts.ts'

export function openOllamaStream(): StreamReader {
  return new LineReader()
}

class LineReader implements StreamReader {
  #head: JsonObject = {}
  /** Texts of one kind in a row are one text; whatever comes between ends it. */
  #growing: string | undefined
  #count = 0
  #chats = true
  #said = false
  #ended = false

  read({ data }: { readonly data: string }): StreamStep {
    if (this.#ended) return { ok: false, message: 'A line follows the end of the stream.' }
    const parsed = parseJsonText(data, innerLimits)
    if (!parsed.ok) return { ok: false, message: parsed.message }
    const { value, text } = parsed
    if (!isObject(value)) return { ok: false, message: 'A line must be an object.' }
    this.#ended = value.done === true
    this.#head = present<JsonObject>({ model: value.model, created_at: value.created_at })
    const calls = callsIn(value)
    if (typeof calls === 'string') return { ok: false, message: calls }
    const draft = newDraft()
    draft.repeats = !this.#ended
    // What we write ourselves may have the time of a line before.
    if (typeof value.created_at === 'string') draft.varying.push({ address: { path: ['created_at'] }, kind: 'padding' })
    this.#grow(value, draft)
    if (calls.length > 0 || this.#ended) this.#end(draft)
    // Nothing is held back on the channel.
    draft.calls.push(...calls.map((call) => ({ ...call, channel: 'arguments' })))
    draft.terminal = this.#ended
    draft.error = value.error !== undefined && value.error !== null
    draft.usage = usageOf(value)
    return stepOf(value, draft, readTexts(value, text, lineLayout))
  }

  deltaEvent(channel: string, text: string): string {
    const thought = channel.startsWith('thinking')
    const said = this.#chats
      ? { message: { role: 'assistant', ...(thought ? { content: '', thinking: text } : { content: text }) } }
      : thought
        ? { response: '', thinking: text }
        : { response: text }
    return formatLine(JSON.stringify({ ...this.#head, ...said, done: false }))
  }

  refuse(_call: StreamedCall, text: string): Refused {
    const before = this.#said ? paragraph : ''
    this.#said = true
    return { opening: '', channel: `text:${Math.max(0, this.#count - 1)}`, text: before + text }
  }

  amend(value: Json, refused: readonly RefusedCall[]): readonly Edit[] {
    return isObject(value) ? removeCalls(value, refused) : []
  }

  #grow(value: JsonObject, draft: Draft): void {
    if (typeof value.response === 'string') this.#chats = false
    for (const [kind, path] of grown) {
      const text = stringOf(valueAt(value, path))
      if (text === undefined || text === '') continue
      if (this.#growing?.startsWith(kind) !== true) {
        this.#end(draft)
        this.#growing = `${kind}:${this.#count}`
        this.#count += 1
      }
      this.#said ||= kind === 'text'
      draft.deltas.push({ channel: this.#growing ?? kind, address: { path }, text, kind: 'text' })
    }
  }

  #end(draft: Draft): void {
    if (this.#growing !== undefined) draft.ends.push(this.#growing)
    this.#growing = undefined
  }
}

/** Thought comes before speech. */
const grown: readonly (readonly [string, Path])[] = [
  ['thinking', ['message', 'thinking']],
  ['thinking', ['thinking']],
  ['text', ['message', 'content']],
  ['text', ['response']],
]

/** What #grow reads as channels is not read twice. */
const lineLayout: Layout = {
  roleAt: answerLayout.roleAt,
  standing: (key, owner, path) =>
    typeof owner[key] === 'string' && isGrown(path) ? 'handled' : answerLayout.standing(key, owner, path),
}

function isGrown(path: Path): boolean {
  return grown.some(([, one]) => one.length === path.length && one.every((step, index) => step === path[index]))
}
