// Owns the streamed chat as a model gives it: an event each few milliseconds, in a packet of its own.
import type { Scenario } from './scenario.ts'
import { streamedAnswer, streamedChat, streamedEvents, streamedQuestion } from './streamed-chat.ts'

/** Of a fast model: 250 events a second. */
const pauseMs = 4

export const stream200: Scenario = {
  id: 'stream-200',
  title: `stream of ${streamedEvents} events, ${Buffer.byteLength(streamedChat.join(''))} bytes, one each ${pauseMs} ms`,
  body: streamedQuestion(200),
  mark: '"seed":200}',
  // The end comes with the last event, as providers write it.
  answer: streamedAnswer([...streamedChat.slice(0, -2), streamedChat.slice(-2).join('')]),
  pauseMs,
  connectionsMin: 256,
  // At its most, a proxy finds several events of a stream in one read, and spends less on each than it does otherwise.
  shareOfMost: 0.25,
  lastText: '[DONE]',
}
