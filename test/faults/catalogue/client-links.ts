// Faults of the link between an agent and the proxy.
import type { LinkFault } from './fault.ts'

export const clientLinks: readonly LinkFault[] = [
  {
    id: 'client-late',
    what: 'every piece is 20 ms late, both ways',
    links: { up: { latencyMs: 20 }, down: { latencyMs: 20 } },
    ends: ['complete'],
  },
  {
    id: 'client-sliced',
    what: 'requests and answers go byte by byte',
    links: { up: { sliceBytes: 1 }, down: { sliceBytes: 1 } },
    ends: ['complete'],
  },
  {
    id: 'client-narrow',
    what: 'answers leave at 30 kB a second',
    links: { down: { bytesPerSecond: 30_000 } },
    ends: ['complete'],
  },
  {
    id: 'client-reset-in-head',
    what: 'reset in the head of the request',
    links: { up: { after: 40, strikes: 'reset' } },
    ends: ['broken'],
  },
  {
    id: 'client-reset-in-body',
    what: 'reset in the body of the request',
    links: { up: { after: 200, strikes: 'reset' } },
    ends: ['broken'],
  },
  {
    id: 'client-reset-in-answer',
    what: 'reset in the answer',
    links: { down: { after: 700, strikes: 'reset' } },
    ends: ['broken'],
    also: ['complete', 'refused'],
  },
  {
    id: 'client-closes',
    what: 'the agent’s side is closed when the request is out',
    links: { up: { after: 330, strikes: 'close' } },
    ends: ['broken'],
    also: ['complete', 'refused'],
  },
  {
    id: 'client-swallowed',
    what: 'the request stops in its body and stays open',
    links: { up: { after: 200, strikes: 'swallow' } },
    ends: ['refused'],
    also: ['broken'],
  },
  {
    id: 'client-cut',
    what: 'the answer is cut off on the agent’s side',
    links: { down: { after: 700, strikes: 'cut' } },
    ends: ['broken'],
    also: ['complete', 'refused'],
  },
]
