// Owns the OpenAI dialect: which paths are served, and how a refusal reads to its SDKs. What the bodies mean is in
// the other files of its name.
import { formatEvent } from '../lib/sse.ts'
import { speech } from './openai-audio.ts'
import { azurePath, onAzure } from './openai-azure.ts'
import { refuseChatCalls } from './openai-chat-refusal.ts'
import { readChatAnswer, readChatRequest } from './openai-chat.ts'
import { completions } from './openai-completions.ts'
import { embeddings } from './openai-embeddings.ts'
import { openaiError } from './openai-error.ts'
import { filesOperation } from './openai-files.ts'
import { imageGenerations } from './openai-images.ts'
import { moderations } from './openai-moderations.ts'
import { resolveRealtime } from './openai-realtime.ts'
import { responsesOperation } from './openai-responses-operations.ts'
import { openChatStream } from './openai-stream.ts'
import { whyUnserved } from './openai-unserved.ts'
import { joinOpenai, listing, pathBelowVersion } from './paths.ts'
import type { Operation, Protocol } from './protocol.ts'

export const openaiProtocol: Protocol = {
  name: 'openai',
  joinPath: joinOpenai,
  resolve(method, path) {
    const azure = azurePath(path)
    if (azure === undefined) return served(method, pathBelowVersion(path))
    const operation = served(method, pathBelowVersion(azure.rest))
    return operation === undefined ? undefined : onAzure(operation, azure)
  },
  resolveSocket: resolveRealtime,
  whyUnserved: (method, path) => whyUnserved(method, pathBelowVersion(azurePath(path)?.rest ?? path)),
  refusal: (fault) => ({
    status: fault.status,
    headers: { 'content-type': 'application/json', 'x-request-id': fault.requestId },
    body: JSON.stringify({ error: openaiError(fault) }),
  }),
  streamError: (fault) => formatEvent('message', JSON.stringify({ error: openaiError(fault) })),
}

function served(method: string, rest: string): Operation | undefined {
  const called = method === 'POST' ? posts.get(rest) : method === 'GET' ? listing(rest) : undefined
  return called ?? responsesOperation(method, rest) ?? filesOperation(method, rest)
}

const chatCompletions: Operation = {
  name: 'chat.completions',
  path: '/v1/chat/completions',
  action: 'model.call',
  body: 'json',
  idempotent: false,
  readRequest: readChatRequest,
  readAnswer: readChatAnswer,
  refuseCalls: refuseChatCalls,
  openStream: openChatStream,
}

const posts: ReadonlyMap<string, Operation> = new Map([
  ['/chat/completions', chatCompletions],
  ['/completions', completions],
  ['/embeddings', embeddings],
  ['/moderations', moderations],
  ['/images/generations', imageGenerations],
  ['/audio/speech', speech],
])
