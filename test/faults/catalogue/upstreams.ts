// Faults of an upstream behind a good link.
import type { ServerResponse } from 'node:http'
import type { Mood } from '../../support/chaos-model.ts'
import type { LinkFault } from './fault.ts'

const says =
  (status: number, headers: Readonly<Record<string, string>> = {}): Mood =>
  (_call, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    response.writeHead(status, { 'content-type': 'application/json' }).end('{"error":{"message":"not now"}}')
    return true
  }

const writes =
  (bytes: string): Mood =>
  (_call, response: ServerResponse) => {
    response.socket?.end(bytes, 'latin1')
    return true
  }

const json = 'content-type: application/json\r\n'

export const upstreams: readonly LinkFault[] = [
  { id: 'fails', what: 'answers 500 to everything', mood: says(500), ends: ['refused'] },
  { id: 'overloaded', what: 'answers 529 to everything', mood: says(529), ends: ['refused'] },
  { id: 'limits', what: 'answers 429 with Retry-After', mood: says(429, { 'retry-after': '1' }), ends: ['refused'] },
  {
    id: 'half-fails',
    what: 'answers 503 to every second call',
    mood: (call, response) => call % 2 === 0 && says(503)(call, response),
    ends: ['complete', 'refused'],
  },
  {
    id: 'garbage',
    what: 'answers with bytes that are not HTTP',
    mood: writes('\u0000\u0001\u0002 no http\r\n\r\n'),
    ends: ['refused'],
  },
  {
    id: 'two-lengths',
    what: 'answers with two different Content-Lengths',
    mood: writes(`HTTP/1.1 200 OK\r\n${json}content-length: 5\r\ncontent-length: 7\r\n\r\n{"a":1}`),
    ends: ['refused'],
  },
  {
    id: 'head-bomb',
    what: 'answers with a head of a megabyte',
    mood: writes(`HTTP/1.1 200 OK\r\n${'x-a: 0123456789abcdef0123456789abcdef\r\n'.repeat(27_000)}\r\n`),
    ends: ['refused'],
  },
  {
    id: 'switches',
    what: 'switches protocols unasked',
    mood: writes('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    ends: ['refused'],
  },
  {
    id: 'error-in-stream',
    what: 'begins a stream and says in it that it failed',
    mood: (_call, response) => {
      response.setHeader('content-type', 'text/event-stream')
      response.end('data: {"error":{"message":"overloaded","type":"server_error"}}\n\n')
      return true
    },
    ends: ['refused', 'told'],
    also: ['broken'],
  },
  {
    id: 'ends-early',
    what: 'ends its streams cleanly, without the format’s own end',
    mood: (_call, response) => {
      response.setHeader('content-type', 'text/event-stream').end(': nothing\n\n')
      return true
    },
    ends: ['refused', 'told'],
    also: ['broken'],
  },
]
