// Owns how denied tool calls leave a Gemini answer, and with them what the provider's own tools gave back: each becomes a
// text in the same place. It remembers from event to event, because results come later than their calls.
import type { Edit } from '../lib/edit.ts'
import { isObject } from '../lib/json.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import { eachPart } from './gemini-content.ts'
import { keyOf } from './gemini-fields.ts'
import type { RefusedCall } from './protocol.ts'
import { stringOf } from './shape.ts'
import { withheldResult } from './withheld.ts'

export class RefusedParts {
  /** The results of each kind that may not be seen, by the id of their calls. */
  readonly #ids = new Set<string>()
  /** By candidate and kind, where the latest call was denied: its id, or none. */
  readonly #latest = new Map<string, string | undefined>()

  /** Of an answer, or of one event of it. The part of a denied call loses its signature, too: that signs what was called. */
  edits(answer: JsonObject, refused: readonly RefusedCall[]): Edit[] {
    const edits: Edit[] = []
    const texts = new Map(refused.map(({ call, text }) => [partOf(call.address.path.slice(0, -1)), text]))
    eachPart(answer, (part, path, candidate, at) => {
      const text = texts.get(partOf(path))
      this.#note(part, place(candidate, at), text !== undefined)
      if (text !== undefined) edits.push(textPart(path, text))
      else if (this.#isResult(part, place(candidate, at))) edits.push(textPart(path, withheldResult))
      return undefined
    })
    return edits
  }

  #note(part: JsonObject, candidate: string, denied: boolean): void {
    for (const [field, result] of runs) {
      const call = part[keyOf(part, field)]
      if (!isObject(call)) continue
      const id = stringOf(call.id)
      if (!denied) this.#latest.delete(candidate + result)
      else {
        this.#latest.set(candidate + result, id)
        if (id !== undefined) this.#ids.add(result + id)
      }
    }
  }

  #isResult(part: JsonObject, candidate: string): boolean {
    return runs.some(([, field]) => {
      const result = part[keyOf(part, field)]
      if (!isObject(result)) return false
      const id = stringOf(result.id)
      if (id !== undefined && this.#ids.has(field + id)) return true
      const latest = candidate + field
      return this.#latest.has(latest) && (id === undefined || this.#latest.get(latest) === undefined)
    })
  }
}

/** What the provider runs itself, and where it says what came of it. */
const runs = [
  ['executableCode', 'codeExecutionResult'],
  ['toolCall', 'toolResponse'],
] as const

function place({ index }: JsonObject, at: number): string {
  return `${typeof index === 'number' ? index : at}/`
}

function partOf(path: Path): string {
  return path.join('/')
}

function textPart(path: Path, text: string): Edit {
  return { address: { path }, json: JSON.stringify({ text }) }
}
