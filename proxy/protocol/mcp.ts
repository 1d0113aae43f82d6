// Owns the MCP dialect over Streamable HTTP, with sessions (2025-03-26 to 2025-11-25) and without (2026-07-28): what is
// served, and how a refusal reads to a client that waits for a JSON-RPC answer. What messages mean is in mcp-content.ts.
import type { FaultKind } from '../errors.ts'
import { formatEvent } from '../lib/sse.ts'
import type { Asked } from './content.ts'
import { readMcpAnswer, readMcpRequest } from './mcp-content.ts'
import { checkHead, headerMirror } from './mcp-headers.ts'
import { isMessageLike } from './mcp-message.ts'
import { isStateless, versions } from './mcp-versions.ts'
import type { FaultView, Operation, Protocol, Reading, Refusal } from './protocol.ts'

export const mcpProtocol: Protocol = {
  name: 'mcp',
  resolve(method, path) {
    return path === '/' ? operations.get(method) : undefined
  },
  refusal,
  // A stream that nobody's request has opened has nobody to be told.
  streamError: (fault, asked) =>
    asked?.id === undefined ? '' : formatEvent('message', JSON.stringify(answer(fault, asked))),
}

const operations: ReadonlyMap<string, Operation> = new Map([
  ['POST', operation('mcp', 'json', false)],
  ['GET', { ...operation('mcp.stream', 'none', true), standing: true }],
  ['DELETE', operation('mcp.close', 'none', true)],
])

function operation(name: string, body: Operation['body'], idempotent: boolean): Operation {
  return {
    name,
    path: '/',
    action: 'asked',
    body,
    idempotent,
    readRequest: readMcpRequest,
    readAnswer: readMcpAnswer,
    isMessageLike,
    headerMirror,
    readHead,
  }
}

function readHead(headers: readonly string[]): Extract<Reading, { ok: false }> | undefined {
  const checked = checkHead(headers)
  if (checked.ok) return undefined
  const { message, fault, version = '' } = checked
  return { ok: false, message, fault, asked: { operation: 'unknown', version, acts: [] } }
}

/**
 * Clients show what a JSON-RPC answer says and nothing of an HTTP error, so whatever could have been the server's own
 * answer is one. What is wrong with the exchange itself (who, where, in which form) stays with HTTP.
 */
function refusal(fault: FaultView, asked?: Asked): Refusal {
  return {
    status: statusOf(fault, asked),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(answer(fault, asked)),
  }
}

function statusOf(fault: FaultView, asked: Asked | undefined): number {
  if (asked?.id === undefined) return fault.status
  if (fault.code === 'operation-unsupported') return isStateless(asked.version) ? 404 : 200
  return inBand.has(fault.kind) ? 200 : fault.status
}

const inBand = new Map<FaultKind, number>([
  ['denied', -31403],
  ['limited', -31429],
  ['quota', -31429],
  ['unavailable', -31503],
  ['upstream', -31503],
  ['timeout', -31503],
  ['internal', -32603],
])

/** What the model may work with is told to the model; the rest is an error of the call. */
function answer(fault: FaultView, asked: Asked | undefined): unknown {
  const { code, message, rule, requestId } = fault
  const envelope = { jsonrpc: '2.0', id: asked?.id ?? null }
  const about = { code, requestId, ...(rule === undefined ? undefined : { rule }) }
  if (asked?.operation === 'tools.call' && asked.id !== undefined && inBand.has(fault.kind)) {
    const complete = isStateless(asked.version) ? { resultType: 'complete' } : undefined
    const result = { ...complete, content: [{ type: 'text', text: message }], isError: true }
    return { ...envelope, result: { ...result, _meta: { 'gatewright/refusal': about } } }
  }
  const version = code === 'version-unsupported' ? { supported: versions, requested: asked?.version ?? '' } : undefined
  return { ...envelope, error: { code: rpcCode(fault, asked), message, data: { ...about, ...version } } }
}

/** Codes of JSON-RPC 2.0 and of MCP where they have one; ours lie outside of what both reserve. */
const rpcCodes = new Map<string, number>([
  ['operation-unsupported', -32601],
  ['version-unsupported', -32022],
  ['header-mismatch', -32020],
  ['session-unknown', -32001],
  ['approval-pending', -31202],
])

function rpcCode({ code, kind, unparsed }: FaultView, asked: Asked | undefined): number {
  // JSON-RPC 2.0 §5.1: a parse error is not an invalid request.
  if (unparsed === true) return -32700
  return rpcCodes.get(code) ?? inBand.get(kind) ?? (kind === 'invalid' && asked?.id !== undefined ? -32602 : -32600)
}
