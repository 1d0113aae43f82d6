// Owns OpenAI's legacy completions: request, answer, stream. A prompt of token numbers cannot be read without the model's
// own vocabulary, so it counts as uninspected.
import { innerLimits, isObject, parseJsonText } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { formatEvent } from '../lib/sse.ts'
import type { Usage } from './content.ts'
import { answerLayout, chatUsage, chunkHead, hasTokens, isFinish, standing, tokens } from './openai-chat.ts'
import { otherModels, standIns } from './openai-models.ts'
import { plainReading } from './openai-plain.ts'
import type { Operation, Reading, StreamReader, StreamStep } from './protocol.ts'
import { readingOf } from './reading.ts'
import { arrayOf, countOf, lookalikeIn, namesOf, stringOf, wrongMember } from './shape.ts'
import { emptyStep, newDraft, notePadding, stepOf, type Draft } from './step.ts'
import { readTexts } from './texts.ts'
import type { Layout } from './texts.ts'
import { largerUsage } from './usage.ts'

export const completions: Operation = {
  name: 'completions',
  path: '/v1/completions',
  action: 'model.call',
  body: 'json',
  idempotent: false,
  readRequest: readCompletionsRequest,
  readAnswer: readCompletionsAnswer,
  openStream: () => new CompletionsStream(),
}

/** Undefined where there are none. */
export function tokensIn(value: Json | undefined): number | undefined {
  let count = 0
  for (const entry of arrayOf(value)) count += Array.isArray(entry) ? entry.length : typeof entry === 'number' ? 1 : 0
  return count === 0 ? undefined : count
}

const members = namesOf(
  'model',
  'prompt',
  'suffix',
  'stream',
  'stream_options',
  'max_tokens',
  'n',
  'best_of',
  ...standIns,
)

function readCompletionsRequest(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The body must be an object.' }
  const wrong =
    lookalikeIn(body, members) ??
    otherModels(body) ??
    wrongMember(body, 'model', ['string'], '', true) ??
    wrongMember(body, 'prompt', ['string', 'array'], '') ??
    wrongMember(body, 'stream', ['boolean'], '') ??
    wrongMember(body, 'max_tokens', ['number'], '')
  if (wrong !== undefined) return { ok: false, message: wrong }
  return readingOf(readTexts(body, text, requestLayout), {
    model: stringOf(body.model),
    stream: body.stream === true,
    maxTokens: countOf(body.max_tokens),
    tokens: tokensIn(body.prompt),
  })
}

const requestLayout: Layout = {
  roleAt: ([member]) => (member === 'prompt' || member === 'suffix' ? 'user' : 'other'),
  standing: (key, owner, path) =>
    key === 'prompt' && path.length === 1 && hasTokens(owner[key]) ? tokens : standing(key, owner, path),
}

function readCompletionsAnswer(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The answer must be an object.' }
  const wrong = wrongMember(body, 'choices', ['array'], '')
  if (wrong !== undefined) return { ok: false, message: wrong }
  return plainReading(body, readTexts(body, text, answerLayout), chatUsage(body.usage))
}

class CompletionsStream implements StreamReader {
  readonly #open = new Set<number>()
  readonly #finished = new Set<number>()
  #head: JsonObject = {}
  #usage: Usage | undefined
  #ended = false

  read({ event, data }: { readonly event: string; readonly data: string }): StreamStep {
    if (data === '') return emptyStep
    if (this.#ended) return { ok: false, message: 'An event follows the end of the stream.' }
    if (data === '[DONE]') {
      this.#ended = true
      return { ...emptyStep, ends: [...this.#open].map((index) => channelOf(index)), terminal: true }
    }
    const parsed = parseJsonText(data, innerLimits)
    if (!parsed.ok) return { ok: false, message: parsed.message }
    const { value, text } = parsed
    if (!isObject(value)) return { ok: false, message: 'A chunk must be an object.' }
    const draft = newDraft()
    draft.repeats = true
    notePadding(draft, value)
    const wrong = this.#chunk(value, draft)
    if (wrong !== undefined) return { ok: false, message: wrong }
    const reported = chatUsage(value.usage)
    this.#usage = largerUsage(this.#usage, reported)
    if (reported !== undefined) draft.usage = this.#usage
    const error = value.error ?? (event === 'error' ? value : undefined)
    draft.error = error !== undefined && error !== null
    return stepOf(value, draft, readTexts(value, text, chunkLayout))
  }

  deltaEvent(channel: string, text: string): string {
    const choices = [{ index: Number(channel.split(':')[1]), text, logprobs: null, finish_reason: null }]
    return formatEvent('message', JSON.stringify({ ...this.#head, choices }))
  }

  #chunk(value: JsonObject, draft: Draft): string | undefined {
    // As with chats, the first chunk of Azure is empty.
    if (!this.#head.id && typeof value.id === 'string') this.#head = chunkHead(value)
    const wrong = wrongMember(value, 'choices', ['array'], '')
    if (wrong !== undefined) return wrong
    for (const [at, choice] of arrayOf(value.choices).entries()) {
      if (!isObject(choice) || !Number.isSafeInteger(choice.index)) return 'A choice has no index.'
      const index = choice.index as number
      const { text } = choice
      if (typeof text === 'string' && text !== '') {
        if (this.#finished.has(index)) return 'A choice goes on after it has finished.'
        this.#open.add(index)
        const address = { path: ['choices', at, 'text'] }
        draft.deltas.push({ channel: channelOf(index), address, text, kind: 'text' })
      }
      if (!isFinish(choice.finish_reason)) continue
      this.#finished.add(index)
      if (this.#open.delete(index)) draft.ends.push(channelOf(index))
    }
    return undefined
  }
}

function channelOf(index: number): string {
  return `text:${index}`
}

/** What #chunk reads as channels is not read twice. */
const chunkLayout: Layout = {
  roleAt: answerLayout.roleAt,
  standing: (key, owner, path) =>
    key === 'text' && path.length === 3 && path[0] === 'choices' && typeof owner[key] === 'string'
      ? 'handled'
      : standing(key, owner, path),
}
