// Owns which paths of OpenAI's Responses format are served, below the version.
import { refuseBody } from './bodiless.ts'
import { responsesStreamError } from './openai-responses-error.ts'
import { refuseResponseCalls } from './openai-responses-refusal.ts'
import {
  eventLayout,
  readResponse,
  readResponsesRequest,
  readStoredItems,
  readStoredResponse,
} from './openai-responses.ts'
import { openResponsesStream } from './openai-responses-stream.ts'
import { isObject } from '../lib/json.ts'
import type { Json } from '../lib/json.ts'
import { idInPath } from './paths.ts'
import type { Operation, Reading } from './protocol.ts'
import { readingOf } from './reading.ts'
import { countOf } from './shape.ts'
import { readTexts } from './texts.ts'

export function responsesOperation(method: string, rest: string): Operation | undefined {
  if (method === 'POST' && rest === '/responses') return responses
  if (method === 'POST' && rest === '/responses/input_tokens') return inputTokens
  if (method === 'POST' && rest === '/responses/compact') return compact
  const [, id, more = ''] = storedForm.exec(rest) ?? []
  if (id === undefined) return undefined
  const stored = kept.get(`${method}${more}`)
  return stored === undefined ? undefined : { ...stored, path: `/v1/responses/${id}${more}` }
}

const storedForm = new RegExp(String.raw`^/responses/(${idInPath})(/cancel|/input_items)?$`)

const responses: Operation = {
  name: 'responses',
  path: '/v1/responses',
  action: 'model.call',
  body: 'json',
  idempotent: false,
  readRequest: readResponsesRequest,
  readAnswer: readResponse,
  refuseCalls: refuseResponseCalls,
  openStream: () => openResponsesStream(),
  streamError: responsesStreamError,
}

/** It generates nothing, but the provider sees the content all the same. */
const inputTokens: Operation = {
  name: 'responses.input_tokens',
  path: '/v1/responses/input_tokens',
  action: 'model.call',
  body: 'json',
  idempotent: true,
  readRequest: readResponsesRequest,
  readAnswer: readCount,
}

/** Its answer has items like a response. */
const compact: Operation = {
  name: 'responses.compact',
  path: '/v1/responses/compact',
  action: 'model.call',
  body: 'json',
  idempotent: false,
  readRequest: readResponsesRequest,
  readAnswer: readResponse,
}

/**
 * What the provider keeps. An answer that is fetched later is a model's answer all the same. The stream of one can only
 * be taken up where an item begins: what a value in it began with is not there.
 */
const kept: ReadonlyMap<string, Omit<Operation, 'path'>> = new Map([
  [
    'GET',
    {
      ...keptOperation('responses.get', readStoredResponse),
      emits: true,
      refuseCalls: refuseResponseCalls,
      openStream: () => openResponsesStream(true),
      streamError: responsesStreamError,
    } as const,
  ],
  ['GET/input_items', keptOperation('responses.input_items', readStoredItems)],
  ['DELETE', keptOperation('responses.delete', readStoredItems)],
  [
    'POST/cancel',
    {
      ...keptOperation('responses.cancel', readStoredResponse),
      emits: true,
      refuseCalls: refuseResponseCalls,
    } as const,
  ],
])

function keptOperation(name: string, readAnswer: Operation['readAnswer']): Omit<Operation, 'path'> {
  return { name, action: 'none', body: 'none', idempotent: true, readRequest: refuseBody, readAnswer }
}

function readCount(body: Json, text: string): Reading {
  const count = isObject(body) ? countOf(body.input_tokens) : undefined
  if (count === undefined) return { ok: false, message: 'The answer must be an object with input_tokens.' }
  return readingOf(readTexts(body, text, eventLayout))
}
