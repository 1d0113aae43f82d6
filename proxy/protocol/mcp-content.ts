// Owns the reading of MCP messages into content: requests, notifications and responses of clients on their way out, and
// whatever a server sends back. Results are read by their shape, not by the question: what a client would take for a list
// of tools is one.
import type { Edit } from '../lib/edit.ts'
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Asked, Listed, ToolDefinition } from './content.ts'
import { askedForInput, askedForPages, askedOfClient, askedOfServer } from './mcp-acts.ts'
import { mcpLayout } from './mcp-fields.ts'
import { checkHeaders } from './mcp-headers.ts'
import { flawOf } from './mcp-tools.ts'
import { readMessage, type Message } from './mcp-message.ts'
import { judgedUri } from './mcp-uri.ts'
import { sessionVersions } from './mcp-versions.ts'
import type { Reading } from './protocol.ts'
import { readingOf } from './reading.ts'
import { arrayOf, lookalikeIn, namesOf, present, stringOf, wrongMember } from './shape.ts'
import { readTexts } from './texts.ts'

export function readMcpRequest(body: Json, text: string, headers: readonly string[] = []): Reading {
  const message = readMessage(body)
  if (typeof message === 'string') return { ok: false, message }
  const id = message.kind === 'request' ? { id: message.id } : undefined
  const checked = checkHeaders(message, headers)
  if (!checked.ok) {
    const { message: why, fault, version } = checked
    return { ok: false, message: why, fault, asked: { operation: 'unknown', ...id, acts: [], ...versioned(version) } }
  }
  const read = askedBy(message)
  if (typeof read === 'string')
    return { ok: false, message: read, asked: { operation: 'unknown', ...id, acts: [], ...versioned(checked.version) } }
  const asked: Asked = { ...read, ...versioned(checked.version) }
  if (asked.unknown === true)
    return {
      ok: false,
      message: 'The method of the message has no adapter here, so it is refused.',
      fault: 'operation-unsupported',
      asked,
    }
  return readingOf(readTexts(body, text, clientLayout), { asked })
}

/** A batch in an answer is refused like one in a request: its parts would be answers to nobody's question. */
export function readMcpAnswer(body: Json, text: string): Reading {
  const message = readMessage(body)
  if (typeof message === 'string') return { ok: false, message }
  const lists = message.kind === 'response' ? listsIn(message.result) : noLists
  if (typeof lists === 'string') return { ok: false, message: lists }
  const asked = askedInAnswer(message)
  if (typeof asked === 'string') return { ok: false, message: asked }
  return readingOf(readTexts(body, text, serverLayout), {
    ...lists,
    keptApart: message.kind === 'response' ? keptApartIn(message.result) : undefined,
    asked,
  })
}

const clientLayout = mcpLayout('user')
const serverLayout = mcpLayout('tool')

function versioned(version: string | undefined): { version: string } | undefined {
  return version === undefined ? undefined : { version }
}

function askedBy(message: Message): Asked | string {
  if (message.kind === 'response')
    return { operation: 'response', acts: [], ...(message.id === undefined ? undefined : { answers: message.id }) }
  if (message.kind === 'request') return askedOfServer(message.method, message.id, message.params)
  if (!message.method.startsWith('notifications/')) return 'a request must have an id.'
  return { operation: 'notification', acts: [] }
}

function askedInAnswer(message: Message): Asked | undefined | string {
  if (message.kind === 'request') return askedOfClient(message.method, message.id, message.params)
  if (message.kind === 'response') return askedIn(message.result ?? message)
  if (!message.method.startsWith('notifications/')) return 'a request must have an id.'
  const lookalike = lookalikeIn(message.params, noticeMembers)
  if (lookalike !== undefined) return lookalike
  const asked = askedIn(message.params)
  return typeof asked === 'object' ? { ...asked, notice: true } : asked
}

const noticeMembers = namesOf('inputRequests')

/**
 * A result, what is in the place of one, or a task, which says of itself what it waits for and why it failed (SEP-2663), in
 * results and in notifications.
 */
function askedIn({ error, inputRequests }: { error?: Json; inputRequests?: Json }): Asked | undefined | string {
  const pages = isObject(error) && isObject(error['data']) ? error['data']['elicitations'] : undefined
  const ofPages = Array.isArray(pages) ? askedForPages(pages) : undefined
  if (inputRequests === undefined || typeof ofPages === 'string') return ofPages
  if (!isObject(inputRequests)) return 'inputRequests must be an object.'
  const ofInputs = askedForInput(inputRequests)
  if (typeof ofInputs === 'string' || ofPages === undefined) return ofInputs
  return { ...ofInputs, acts: [...ofInputs.acts, ...ofPages.acts] }
}

/** SEP-2549: what is `public` is shown to callers who were never judged. Without the member clients take it for private. */
function keptApartIn(result: JsonObject | undefined): Edit | undefined {
  const scope = result?.['cacheScope']
  if (scope === undefined || scope === 'private') return undefined
  return { address: { path: ['result', 'cacheScope'] }, json: '"private"' }
}

type Lists = { readonly tools: readonly ToolDefinition[]; readonly listed: readonly Listed[] | undefined }
const noLists: Lists = { tools: [], listed: undefined }

/** What a client acts on. */
const resultMembers = namesOf('protocolVersion', 'tools', 'resources', 'prompts', 'inputRequests', 'cacheScope')

/** A string says what is wrong. */
function listsIn(result: JsonObject | undefined): Lists | string {
  if (result === undefined) return noLists
  const lookalike = lookalikeIn(result, resultMembers)
  if (lookalike !== undefined) return lookalike
  const wrong = wrongLists(result)
  if (wrong !== undefined) return wrong
  const { protocolVersion, tools, resources, prompts } = result
  if (typeof protocolVersion === 'string' && !sessionVersions.has(protocolVersion))
    return 'the server chose a version that is not served here.'
  const definitions: ToolDefinition[] = []
  for (const [index, tool] of arrayOf(tools).entries()) {
    if (!isObject(tool) || typeof tool['name'] !== 'string') return 'a listed tool has no name.'
    const { name } = tool
    definitions.push(
      present<ToolDefinition>({
        address: { path: ['result', 'tools', index] },
        name,
        description: stringOf(tool['description']),
        source: tool,
        flaw: flawOf(name, tool),
      }),
    )
  }
  const listed = [...arrayOf(resources).flatMap(listedResource), ...arrayOf(prompts).flatMap(listedPrompt)]
  return { tools: definitions, listed: listed.length === 0 ? undefined : listed }
}

/** Nobody would look through what is no list. */
function wrongLists(result: JsonObject): string | undefined {
  return (
    wrongMember(result, 'tools', ['array'], 'result.') ??
    wrongMember(result, 'resources', ['array'], 'result.') ??
    wrongMember(result, 'prompts', ['array'], 'result.')
  )
}

function listedResource(resource: Json, index: number): Listed[] {
  const uri = isObject(resource) ? stringOf(resource['uri']) : undefined
  return uri === undefined
    ? []
    : [
        {
          address: { path: ['result', 'resources', index] },
          act: { type: 'resource.read', uri: judgedUri(uri) ?? uri },
        },
      ]
}

function listedPrompt(prompt: Json, index: number): Listed[] {
  const name = isObject(prompt) ? stringOf(prompt['name']) : undefined
  return name === undefined
    ? []
    : [{ address: { path: ['result', 'prompts', index] }, act: { type: 'prompt.get', name } }]
}
