// Owns which addresses of OpenAI's realtime conversations are served over a WebSocket, and puts the two sides of one
// together. What the messages mean is in the other files of its name.
import { isObject, type JsonObject } from '../lib/json.ts'
import { queryPairs } from '../lib/query-pairs.ts'
import { refuseBody } from './bodiless.ts'
import { azurePath } from './openai-azure.ts'
import { openaiError } from './openai-error.ts'
import { itemsOf, readClientEvent, withdrawTools, type Known } from './openai-realtime-client.ts'
import { serverLayout } from './openai-realtime-fields.ts'
import { RealtimeServer } from './openai-realtime-server.ts'
import { isCallType } from './openai-responses-calls.ts'
import { pathBelowVersion } from './paths.ts'
import type { FaultView } from './protocol.ts'
import { contentOf, readingOf } from './reading.ts'
import { stringOf } from './shape.ts'
import type {
  ClientReading,
  SaidByClient,
  SocketOperation,
  SocketReader,
  SocketResolution,
  Subprotocols,
} from './socket.ts'
import { readTexts } from './texts.ts'

export function resolveRealtime(path: string, query: string): SocketResolution | undefined {
  const azure = azurePath(path)
  const rest = pathBelowVersion(azure?.rest ?? path)
  const name = azure?.deployment === undefined ? operations.get(rest) : undefined
  if (name === undefined) return undefined
  const address = readQuery(query)
  if (typeof address === 'string') return { ok: false, message: address }
  const version = azure?.unversioned === true || address.unversioned ? '' : '/v1'
  return { ok: true, operation: operation(name, `${azure?.prefix ?? ''}${version}${rest}`, address) }
}

const operations: ReadonlyMap<string, string> = new Map([
  ['/realtime', 'realtime'],
  ['/realtime/translations', 'realtime.translations'],
])

type RealtimeAddress = {
  readonly model: string | undefined
  /** It joins a conversation that began elsewhere, so what was said before is not known here. */
  readonly joins: boolean
  readonly transcribes: boolean
  /** As Azure had it before its paths got a version. */
  readonly unversioned: boolean
}

/** A string says what is wrong: of what is said twice nobody knows which the provider believes. */
function readQuery(query: string): RealtimeAddress | string {
  // Some servers take `;` for `&`.
  if (query.includes(';')) return 'The query of the address has a semicolon.'
  const said = new Map<string, string>()
  for (const [name, value] of queryPairs(query)) {
    const key = name.toLowerCase()
    if (!named.has(key)) continue
    if (said.has(key)) return `The address says ${key} twice.`
    if (!valueForm.test(value)) return `The ${key} of the address is not acceptable.`
    said.set(key, value)
  }
  const deployment = said.get('deployment')
  const model = said.get('model') ?? deployment
  if (deployment !== undefined && deployment !== model) return 'The address names two models.'
  return {
    model,
    joins: said.has('call_id'),
    transcribes: said.get('intent') === 'transcription',
    unversioned: deployment !== undefined,
  }
}

const named: ReadonlySet<string> = new Set(['model', 'deployment', 'call_id', 'intent', 'api-version'])
const valueForm = /^\w[\w.:@/+-]{0,255}$/

function operation(name: string, path: string, address: RealtimeAddress): SocketOperation {
  const texts = { parts: [], uninspected: address.joins ? ['history'] : [] }
  return {
    name,
    path,
    action: 'model.call',
    body: 'none',
    idempotent: false,
    framing: 'ndjson',
    content: contentOf(texts, { model: address.model, stream: true }),
    subprotocols,
    readRequest: refuseBody,
    readAnswer: (body, text) => readingOf(readTexts(body, text, serverLayout)),
    withdrawTools,
    openSocket: () => new Conversation(address),
  }
}

/** Beside the key there may be an organisation and a project of the provider's. */
const subprotocols: Subprotocols = {
  keyInSubprotocol: 'openai-insecure-api-key.',
  forwarded: ['realtime', 'openai-beta.realtime-v1'],
}

class Conversation extends RealtimeServer implements SocketReader {
  readonly #address: RealtimeAddress

  constructor(address: RealtimeAddress) {
    super()
    this.#address = address
  }

  readClient(data: string): ClientReading {
    const { model: named, transcribes } = this.#address
    const known: Known = { named, used: this.model, transcribes }
    return readClientEvent(data, known)
  }

  sent({ value, text }: SaidByClient, message: string): void {
    // Few messages speak of calls, and most go as they came.
    if (!isObject(value) || !itemsOf(value).some(({ type }) => isCallType(stringOf(type) ?? ''))) return
    this.noteHistory(itemsOf(message === text ? value : (JSON.parse(message) as JsonObject)))
  }

  refusal(fault: FaultView, eventId?: string): string {
    const error = { ...openaiError(fault), event_id: eventId ?? null }
    return this.write({ type: 'error', error }).trimEnd()
  }
}
