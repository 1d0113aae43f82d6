// Faults of the link between the proxy and an upstream.
import type { LinkFault } from './fault.ts'

/** An answer of the model, whole: its head is longer than 100 bytes and shorter than 250. */
const inHead = 60
const inBody = 300

export const upstreamLinks: readonly LinkFault[] = [
  { id: 'late', what: 'every piece is 30 ms late', links: { down: { latencyMs: 30 } }, ends: ['complete'] },
  {
    id: 'jitter',
    what: 'pieces are up to 40 ms late, each otherwise, both ways',
    links: { up: { jitterMs: 40 }, down: { jitterMs: 40 } },
    ends: ['complete'],
  },
  {
    id: 'too-late',
    what: 'answers come after the first-byte timeout',
    links: { down: { latencyMs: 900 } },
    silent: true,
    ends: ['refused'],
  },
  {
    id: 'narrow',
    what: '30 kB a second, both ways',
    links: { up: { bytesPerSecond: 30_000 }, down: { bytesPerSecond: 30_000 } },
    ends: ['complete'],
  },
  { id: 'sliced-up', what: 'requests arrive byte by byte', links: { up: { sliceBytes: 1 } }, ends: ['complete'] },
  { id: 'sliced-down', what: 'answers arrive byte by byte', links: { down: { sliceBytes: 1 } }, ends: ['complete'] },
  {
    id: 'sliced-late',
    what: 'answers arrive in pieces of 200 bytes, each a little late',
    links: { down: { sliceBytes: 200, latencyMs: 2, jitterMs: 4 } },
    ends: ['complete'],
  },
  { id: 'down', what: 'nobody listens there', down: true, ends: ['refused'] },
  { id: 'refused', what: 'every connection is reset at once', links: { accept: 'refuse' }, ends: ['refused'] },
  {
    id: 'hole',
    what: 'connections are taken and never answered',
    links: { accept: 'hole' },
    silent: true,
    ends: ['refused'],
  },
  {
    id: 'reset-in-request',
    what: 'reset in the middle of the request',
    links: { up: { after: 100, strikes: 'reset' } },
    ends: ['refused'],
  },
  {
    id: 'reset-after-request',
    what: 'reset when the request has arrived, before the answer',
    links: { down: { after: 1, strikes: 'reset' } },
    ends: ['refused'],
  },
  {
    id: 'reset-in-head',
    what: 'reset in the head of the answer',
    links: { down: { after: inHead, strikes: 'reset' } },
    ends: ['refused'],
  },
  {
    id: 'reset-in-body',
    what: 'reset in the body of the answer',
    links: { down: { after: inBody, strikes: 'reset' } },
    ends: ['refused'],
    also: ['told', 'broken'],
  },
  {
    id: 'reset-in-stream',
    what: 'reset in the middle of a long stream',
    links: { down: { after: 900, strikes: 'reset' } },
    ends: ['complete', 'told'],
    also: ['refused', 'broken'],
  },
  {
    id: 'closed-in-head',
    what: 'closed cleanly in the head of the answer',
    links: { down: { after: inHead, strikes: 'cut' } },
    ends: ['refused'],
  },
  {
    id: 'cut-in-body',
    what: 'the answer is cut off, and the connection closed as if it were whole',
    links: { down: { after: inBody, strikes: 'cut' } },
    ends: ['refused'],
    also: ['told', 'broken'],
  },
  {
    id: 'swallowed-request',
    what: 'the request never arrives whole',
    links: { up: { after: 100, strikes: 'swallow' } },
    silent: true,
    ends: ['refused'],
  },
  {
    id: 'swallowed-answer',
    what: 'the answer never arrives',
    links: { down: { after: 1, strikes: 'swallow' } },
    silent: true,
    ends: ['refused'],
  },
  {
    id: 'stalled-answer',
    what: 'the answer stops in its body and stays open',
    links: { down: { after: inBody, strikes: 'swallow' } },
    silent: true,
    ends: ['refused'],
    also: ['told', 'broken'],
  },
  {
    id: 'half-closed-up',
    what: 'the proxy’s side is closed towards the upstream in the middle of the request',
    links: { up: { after: 100, strikes: 'close' } },
    silent: true,
    ends: ['refused'],
  },
  {
    id: 'half-closed-down',
    what: 'the upstream’s side is closed when the answer begins',
    links: { down: { after: 1, strikes: 'close' } },
    ends: ['refused'],
  },
  {
    id: 'flaky',
    what: 'every second connection is reset at once',
    links: (connection) => (connection % 2 === 0 ? { accept: 'refuse' } : { down: { after: 400, strikes: 'reset' } }),
    ends: ['refused'],
    also: ['complete', 'told', 'broken'],
  },
  {
    id: 'comes-back',
    what: 'down for its first four connections, then well',
    links: (connection) => (connection <= 4 ? { accept: 'refuse' } : {}),
    ends: ['complete'],
    also: ['refused'],
  },
  {
    id: 'damaged-head',
    what: 'a byte of the status line is another one',
    links: { down: { change: (piece, at) => (at === 0 ? Buffer.concat([Buffer.from('X'), piece]) : piece) } },
    ends: ['refused'],
  },
  {
    id: 'doubled',
    what: 'every piece of an answer arrives twice',
    links: { down: { change: (piece) => Buffer.concat([piece, piece]) } },
    ends: ['complete'],
    also: ['refused', 'told', 'broken'],
  },
]
