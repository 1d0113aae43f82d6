// Owns the reading of what clients say in OpenAI's realtime conversations: one event a message. What no event here is
// known to say is refused, because nobody knows what it would make the provider do.
import type { Edit } from '../lib/edit.ts'
import { innerLimits, isObject, parseJsonText } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { ToolDefinition } from './content.ts'
import { clientLayout } from './openai-realtime-fields.ts'
import { contentOf } from './reading.ts'
import { arrayOf, countOf, present, stringOf, wrongMember } from './shape.ts'
import type { Asking, ClientReading } from './socket.ts'
import { readTexts } from './texts.ts'

/** What is known of the conversation when the client speaks. */
export type Known = {
  /** The model that the address names; absent where it names none. */
  readonly named: string | undefined
  /** The model that the server last said it uses. */
  readonly used: string | undefined
  /** It only writes down what it hears, so the model that does that is the only one. */
  readonly transcribes: boolean
}

export function readClientEvent(data: string, known: Known): ClientReading {
  const parsed = parseJsonText(data, innerLimits)
  if (!parsed.ok) return { ok: false, message: `A message is not acceptable JSON: ${parsed.message}` }
  const { value, text } = parsed
  const type = isObject(value) ? stringOf(value.type) : undefined
  if (!isObject(value) || type === undefined) return { ok: false, message: 'An event has no type.' }
  const eventId = stringOf(value.event_id)
  const refused = (message: string): ClientReading =>
    present<Extract<ClientReading, { ok: false }>>({ ok: false, message, eventId })
  const asks = events.get(type)
  if (asks === undefined) return refused('Events of this type have no adapter here.')
  const tools = wrongEvent(value, type, known) ?? offeredTools(value)
  if (typeof tools === 'string') return refused(tools)
  const [model, ...alsoModels] = modelsOf(value, known)
  return {
    ok: true,
    value,
    text,
    type,
    ...(eventId === undefined ? undefined : { eventId }),
    asks,
    alsoModels: alsoModels.filter((one) => one !== undefined),
    content: contentOf(readTexts(value, text, clientLayout(value)), {
      model,
      stream: true,
      maxTokens: maxTokensOf(value),
      messages: itemsOf(value).length,
      tools,
    }),
  }
}

/** The items that an event brings into the conversation, or lets the model see once. */
export function itemsOf({ item, response }: JsonObject): JsonObject[] {
  const brought = isObject(item) ? [item] : isObject(response) ? arrayOf(response.input) : []
  return brought.filter((one) => isObject(one))
}

/**
 * Of settings that are not said the earlier ones hold, and of an answer's those of the session: so a list stays where
 * nothing is left in it, and a choice that cannot be made any more is replaced.
 */
export function withdrawTools(event: Json, withheld: readonly ToolDefinition[]): Edit[] {
  if (!isObject(event) || withheld.length === 0) return []
  const edits: Edit[] = withheld.map(({ address }) => ({ address, remove: true }))
  for (const member of ['session', 'response'] as const) {
    const owner = event[member]
    if (!isObject(owner) || owner.tool_choice === undefined) continue
    const left = arrayOf(owner.tools).length - withheld.filter(({ address }) => address.path[0] === member).length
    if (left === 0 || chooses(owner.tool_choice, withheld))
      edits.push({ address: { path: [member, 'tool_choice'] }, json: '"auto"' })
  }
  return edits
}

function chooses(choice: Json, withheld: readonly ToolDefinition[]): boolean {
  if (!isObject(choice)) return withheld.some(({ name }) => name === choice)
  return withheld.some(({ name }) => name === choice.name || name === choice.type)
}

const events: ReadonlyMap<string, Asking> = new Map([
  ['response.create', 'answer'],
  ['session.update', 'settings'],
  ['transcription_session.update', 'settings'],
  ['conversation.item.create', 'content'],
  ['input_audio_buffer.append', 'content'],
  ['input_audio_buffer.commit', 'content'],
  ['session.input_audio_buffer.append', 'content'],
  ['input_audio_buffer.clear', 'nothing'],
  ['output_audio_buffer.clear', 'nothing'],
  ['conversation.item.retrieve', 'nothing'],
  ['conversation.item.truncate', 'nothing'],
  ['conversation.item.delete', 'nothing'],
  ['response.cancel', 'nothing'],
  ['session.close', 'nothing'],
])

function wrongEvent(event: JsonObject, type: string, known: Known): string | undefined {
  const settings = type === 'session.update' || type === 'transcription_session.update'
  return (
    wrongMember(event, 'event_id', ['string'], '') ??
    wrongMember(event, 'session', ['object'], '', settings) ??
    wrongMember(event, 'response', ['object'], '') ??
    wrongMember(event, 'item', ['object'], '', type === 'conversation.item.create') ??
    (isObject(event.session) ? wrongSettings(event.session, 'session.', known) : undefined) ??
    (isObject(event.response) ? wrongSettings(event.response, 'response.', known) : undefined) ??
    (isObject(event.item) ? wrongItem(event.item, 'item.') : undefined)
  )
}

function wrongSettings(settings: JsonObject, place: string, { named }: Known): string | undefined {
  const wrong =
    wrongMember(settings, 'model', ['string'], place) ??
    wrongMember(settings, 'instructions', ['string'], place) ??
    wrongMember(settings, 'prompt', ['object'], place) ??
    wrongMember(settings, 'tools', ['array'], place) ??
    wrongMember(settings, 'input', ['array'], place)
  if (wrong !== undefined) return wrong
  // Which of the two the provider believes is not ours to guess.
  if (named !== undefined && (settings.model ?? named) !== named)
    return `${place}model is another than the address names.`
  for (const [index, item] of arrayOf(settings.input).entries()) {
    const fault = isObject(item)
      ? wrongItem(item, `${place}input[${index}].`)
      : `${place}input[${index}] must be an object.`
    if (fault !== undefined) return fault
  }
  return undefined
}

function wrongItem(item: JsonObject, place: string): string | undefined {
  return (
    wrongMember(item, 'type', ['string'], place) ??
    wrongMember(item, 'role', ['string'], place) ??
    wrongMember(item, 'content', ['array'], place)
  )
}

/** The model that answers, and those that write down what is heard. None twice. */
function modelsOf({ session, response }: JsonObject, { named, used, transcribes }: Known): (string | undefined)[] {
  const settings = isObject(session) ? session : isObject(response) ? response : {}
  const listen = transcriptionModels(settings)
  const answers = stringOf(settings.model) ?? named ?? used
  const models = (transcribes || settings.type === 'transcription') && listen.length > 0 ? listen : [answers, ...listen]
  return [...new Set(models)]
}

/** Where settings changed their shape a model may stand in either place. */
export function transcriptionModels({ audio, input_audio_transcription: flat }: JsonObject): string[] {
  const input = isObject(audio) ? audio.input : undefined
  const nested = isObject(input) ? input.transcription : undefined
  return [nested, flat].flatMap((one) => (isObject(one) && typeof one.model === 'string' ? [one.model] : []))
}

function maxTokensOf({ session, response }: JsonObject): number | undefined {
  const settings = isObject(session) ? session : isObject(response) ? response : {}
  return countOf(settings.max_output_tokens) ?? countOf(settings.max_response_output_tokens)
}

/** A string says what is wrong. */
function offeredTools(event: JsonObject): ToolDefinition[] | string {
  const definitions: ToolDefinition[] = []
  for (const member of ['session', 'response'] as const) {
    const owner = event[member]
    for (const [index, tool] of arrayOf(isObject(owner) ? owner.tools : undefined).entries()) {
      const path: Path = [member, 'tools', index]
      const name = isObject(tool) ? toolName(tool) : undefined
      if (!isObject(tool) || name === undefined) return `${member}.tools[${index}] has no name.`
      const description = stringOf(tool.description) ?? stringOf(tool.server_description)
      definitions.push(present<ToolDefinition>({ address: { path }, name, description }))
    }
  }
  return definitions
}

/** A tool of the provider's own is known by its type; one without a type is a function. */
function toolName({ type, name }: JsonObject): string | undefined {
  return type === undefined || type === 'function' ? stringOf(name) : stringOf(type)
}
