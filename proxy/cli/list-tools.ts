// Owns asking an MCP server for its tools, as any client would, in whichever of the two eras the server speaks. It trusts
// nothing of the answer but its shape.
import { gather } from '../lib/gather.ts'
import { innerLimits, isObject, parseJson, parseJsonText, type Json, type JsonObject } from '../lib/json.ts'
import { headerValue } from '../lib/headers.ts'
import { parseBlock, SseDecoder } from '../lib/sse.ts'
import { sessionVersions } from '../protocol/mcp-versions.ts'
import type { Cancellation } from '../upstream/answer.ts'
import type { Upstream } from '../upstream/upstream.ts'

const sessionVersion = '2025-11-25'
const statelessVersion = '2026-07-28'
const pagesMax = 100
const bytesMax = 16 * 1024 * 1024

/** Every tool of the server, over all pages. Throws with a message for people. */
export async function listTools(upstream: Upstream): Promise<JsonObject[]> {
  const client = await connect(upstream)
  const tools: JsonObject[] = []
  let cursor: string | undefined
  for (let page = 0; page < pagesMax; page += 1) {
    const result = await client.call('tools/list', cursor === undefined ? {} : { cursor })
    const { tools: listed, nextCursor } = result
    if (!Array.isArray(listed)) throw new Error('the server answered tools/list without a list')
    for (const tool of listed) if (isObject(tool)) tools.push(tool)
    if (typeof nextCursor !== 'string') return tools
    cursor = nextCursor
  }
  throw new Error(`the list of tools has more than ${pagesMax} pages`)
}

/** The handshake of the versions with sessions first: a server without them refuses it. */
async function connect(upstream: Upstream): Promise<Caller> {
  const withSession = new Caller(upstream, sessionVersion)
  const clientInfo = { name: 'gatewright', version: '1' }
  try {
    const initialize = { protocolVersion: sessionVersion, capabilities: {}, clientInfo }
    withSession.speak((await withSession.call('initialize', initialize))['protocolVersion'])
  } catch (refusal) {
    const stateless = new Caller(upstream, statelessVersion)
    try {
      await stateless.call('server/discover', {})
    } catch (error) {
      const why = `the server accepts neither version: ${said(refusal)}; ${said(error)}`
      throw new Error(why, { cause: error })
    }
    return stateless
  }
  await withSession.notify('notifications/initialized')
  return withSession
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

class Caller {
  readonly #upstream: Upstream
  #version: string
  #session: string | undefined
  #count = 0

  constructor(upstream: Upstream, version: string) {
    this.#upstream = upstream
    this.#version = version
  }

  /** Whatever was offered, the server chooses, and refuses what comes in another version. */
  speak(version: Json | undefined): void {
    if (typeof version !== 'string' || !sessionVersions.has(version))
      throw new Error('the server chose a version that is not served here')
    this.#version = version
  }

  async call(method: string, params: JsonObject): Promise<JsonObject> {
    this.#count += 1
    const id = this.#count
    const answer = await this.#send(method, { jsonrpc: '2.0', id, method, params: this.#withMeta(params) })
    const message = answer.find((one) => one['id'] === id)
    if (message === undefined) throw new Error(`the server did not answer ${method}`)
    const { result, error } = message
    if (isObject(error)) {
      const why = typeof error['message'] === 'string' ? error['message'].slice(0, 200) : 'without a reason'
      throw new Error(`the server refused ${method}: ${why}`)
    }
    if (!isObject(result)) throw new Error(`the server answered ${method} without a result`)
    return result
  }

  async notify(method: string): Promise<void> {
    await this.#send(method, { jsonrpc: '2.0', method })
  }

  #withMeta(params: JsonObject): JsonObject {
    if (this.#version !== statelessVersion) return params
    const meta = {
      'io.modelcontextprotocol/protocolVersion': this.#version,
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    return { ...params, _meta: meta }
  }

  async #send(method: string, message: JsonObject): Promise<JsonObject[]> {
    const headers = ['content-type', 'application/json', 'accept', 'application/json, text/event-stream']
    if (method !== 'initialize') headers.push('mcp-protocol-version', this.#version)
    if (this.#version === statelessVersion) headers.push('mcp-method', method)
    if (this.#session !== undefined) headers.push('mcp-session-id', this.#session)
    const path = this.#upstream.basePath === '' ? '/' : this.#upstream.basePath
    const body = Buffer.from(JSON.stringify(message))
    const request = { method: 'POST', path, headers, body, idempotent: true }
    const answer = await this.#upstream.send(request, never)
    this.#session = headerValue(answer.headers, 'mcp-session-id') ?? this.#session
    const type = headerValue(answer.headers, 'content-type') ?? ''
    const messages = type.startsWith('text/event-stream')
      ? await readEvents(answer.body, message['id'])
      : await readDocument(answer.body)
    answer.settle('neutral')
    if (answer.status >= 400 && messages.length === 0) throw new Error(`the server answered ${answer.status}`)
    return messages
  }
}

async function readDocument(body: AsyncIterable<Uint8Array>): Promise<JsonObject[]> {
  const bytes = await gather(body, bytesMax)
  if (bytes === undefined) throw new Error('the answer of the server is too large')
  const parsed = parseJson(bytes, innerLimits)
  return parsed.ok && isObject(parsed.value) ? [parsed.value] : []
}

/** Up to the answer: what comes after it is not waited for. */
async function readEvents(body: AsyncIterable<Uint8Array>, id: Json | undefined): Promise<JsonObject[]> {
  const decoder = new SseDecoder({ eventBytesMax: bytesMax })
  const messages: JsonObject[] = []
  for await (const chunk of body) {
    for (const raw of decoder.split(chunk).blocks) {
      const parsed = parseJsonText(parseBlock(raw).data, innerLimits)
      if (!parsed.ok || !isObject(parsed.value)) continue
      messages.push(parsed.value)
      if (parsed.value['id'] === id) return messages
    }
  }
  return messages
}

const never: Cancellation = {
  aborted: false,
  reason: undefined,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
}
