// Owns what a streamed chat says: the question of the plain one, answered in 200 events of text, written as OpenAI writes
// them: a word of random length makes each of them say less about how long its text is.
import { chat1k } from './chat-1k.ts'

export const streamedEvents = 200

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

/** Each with its blank line; the role stands before the texts, the end behind them. */
export const streamedChat: readonly string[] = [
  event({ role: 'assistant', content: '' }, null),
  ...Array.from({ length: streamedEvents }, (_, index) => event({ content: textOf(index) }, null)),
  event({}, 'stop'),
  'data: [DONE]\n\n',
]

/** `seed` is what the upstream knows the scenario by. */
export function streamedQuestion(seed: number): string {
  return JSON.stringify({ ...JSON.parse(chat1k.body), stream: true, seed })
}

/** What the upstream writes when these texts arrive apart. */
export function streamedAnswer(pieces: readonly string[]): Buffer[] {
  const chunks = pieces.map((text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
  chunks[0] = head + (chunks[0] ?? '')
  chunks[chunks.length - 1] += '0\r\n\r\n'
  return chunks.map((text) => Buffer.from(text))
}

const head =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nx-request-id: req_bench\r\n' +
  'transfer-encoding: chunked\r\n\r\n'
