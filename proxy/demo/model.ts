// Owns what the demo model says: a pure function of the request, whatever the wire format. The same question always gets
// the same answer, so answers can be kept rendered.
import { readCalls, readSwitches, type Switches, type ToolRequest, unevenPieces, withoutSwitches } from './switches.ts'

/** A question, as a wire format reads it out of its request. */
export type Question = {
  readonly model: string
  readonly stream: boolean
  /** The last message: what the user wrote, or what a tool answered. */
  readonly prompt: string
  readonly fromTool: boolean
  readonly tools: readonly string[]
  /** Rough: four characters a token. */
  readonly promptTokens: number
}

export type Said = {
  readonly pieces: readonly string[]
  readonly calls: readonly ToolRequest[]
  readonly answerTokens: number
  readonly switches: Switches
}

export function answerTo(question: Question): Said {
  const switches = readSwitches(question.fromTool ? '' : question.prompt)
  const offered = new Set(question.tools)
  const asked = question.fromTool ? [] : [...switches.calls, ...readCalls(withoutSwitches(question.prompt))]
  const calls = asked.filter((call) => offered.has(call.name) && isJson(call.args))
  const pieces = calls.length > 0 ? [] : piecesOf(question, switches)
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return { pieces, calls, answerTokens: tokensOf(length), switches }
}

export function tokensOf(characters: number): number {
  return Math.max(1, Math.ceil(characters / 4))
}

/** The characters of every string below a value: what a prompt weighs. */
export function charactersIn(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce((sum: number, child) => sum + charactersIn(child), 0)
}

/** Text of a message whose content is a string or a list of parts; other parts have none. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { text?: unknown; content?: unknown }) => textOf(part.text ?? part.content)).join('\n')
}

function piecesOf({ prompt, fromTool }: Question, switches: Switches): string[] {
  if (switches.events !== undefined) return Array.from({ length: switches.events }, (_, i) => `word${i % 10} `)
  if (switches.say !== undefined) return unevenPieces(switches.say)
  if (switches.echo === true) return unevenPieces(withoutSwitches(prompt))
  return unevenPieces(`${fromTool ? 'The tool said' : 'You said'}: ${withoutSwitches(prompt)}`)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
