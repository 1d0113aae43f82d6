// Owns the streamed chat: the same question, answered in 200 events that arrive in ten pieces, written as OpenAI writes
// them: a word of random length makes each of them say less about how long its text is.
import { chat1k } from './chat-1k.ts'
import type { Scenario } from './scenario.ts'

const events = 200
const eventsPerPiece = 20

const words =
  'the fix is out on Monday and the second copy of each invoice may be deleted so no reminder is sent'.split(' ')

let written = 0

/** The same in every run. */
function padding(): string {
  written += 1
  return `a${((written * 7919) % 9973).toString(36)}${'Zq7Kx2bT9'.slice(0, written % 10)}`
}

function event(delta: object, finishReason: string | null): string {
  const chunk = {
    id: 'chatcmpl-bench00000000000000000000',
    object: 'chat.completion.chunk',
    created: 1_795_219_200,
    model: 'gpt-4o-mini-2024-07-18',
    service_tier: 'default',
    system_fingerprint: 'fp_0000000000',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
    obfuscation: padding(),
  }
  return `data: ${JSON.stringify(chunk)}\n\n`
}

/** An address lies across four events, so that the answer has something to hide as well. */
function textOf(index: number): string {
  if (index >= 100 && index < 104) return [' bill', 'ing@sup', 'port.exam', 'ple.com'][index - 100] ?? ''
  return ` ${words[index % words.length]}`
}

function pieces(): string[] {
  const texts = Array.from({ length: events }, (_, index) => event({ content: textOf(index) }, null))
  const all: string[] = []
  for (let at = 0; at < events; at += eventsPerPiece) all.push(texts.slice(at, at + eventsPerPiece).join(''))
  all[0] = event({ role: 'assistant', content: '' }, null) + (all[0] ?? '')
  all[all.length - 1] += `${event({}, 'stop')}data: [DONE]\n\n`
  return all
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}

const body = JSON.stringify({ ...JSON.parse(chat1k.body), stream: true })
const [first = '', ...rest] = pieces().map(chunk)
const head =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nx-request-id: req_bench\r\n' +
  'transfer-encoding: chunked\r\n\r\n'

export const stream200: Scenario = {
  id: 'stream-200',
  title: `stream of ${events} events, ${Buffer.byteLength(pieces().join(''))} bytes in ${rest.length + 1} pieces`,
  body,
  answer: [head + first, ...rest.slice(0, -1), `${rest.at(-1)}0\r\n\r\n`].map((text) => Buffer.from(text)),
  lastText: '[DONE]',
}
