// Owns the streamed chat that comes at once, as a cache or a buffering proxy in front of a model gives it: ten pieces.
// The floor is at its best here, since it moves all events with a few reads and writes.
import type { Scenario } from './scenario.ts'
import { streamedAnswer, streamedChat, streamedEvents, streamedQuestion } from './streamed-chat.ts'

const pieces = 10

export const burst200: Scenario = {
  id: 'burst-200',
  title: `stream of ${streamedEvents} events, ${Buffer.byteLength(streamedChat.join(''))} bytes, at once in ${pieces} pieces`,
  body: streamedQuestion(10),
  mark: '"seed":10}',
  answer: streamedAnswer(joined()),
  pauseMs: 0,
  connectionsMin: 0,
  shareOfMost: 0.5,
  lastText: '[DONE]',
}

function joined(): string[] {
  const perPiece = Math.ceil(streamedChat.length / pieces)
  return Array.from({ length: pieces }, (_, n) => streamedChat.slice(n * perPiece, (n + 1) * perPiece).join(''))
}
