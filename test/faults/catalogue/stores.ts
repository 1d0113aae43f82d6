// Faults of the store that limits count in, and of the link to it.
import type { Redis } from 'ioredis'
import type { FaultProxy } from '../../support/fault-proxy.ts'
import type { RedisServer } from '../../support/redis.ts'

export type Store = {
  readonly server: RedisServer
  /** Another server that takes over. */
  readonly spare: RedisServer
  readonly link: FaultProxy
  /** Speaks to `server` past the link. */
  readonly control: Redis
}

export type StoreFault = {
  readonly id: string
  /** A sentence for the table. */
  readonly what: string
  readonly begin: (store: Store) => unknown
  readonly end: (store: Store) => unknown
  /** What was counted is gone afterwards. */
  readonly forgets?: true
}

/** Connections that are there keep the link that they have. */
const onLink =
  (links: Parameters<FaultProxy['set']>[0]) =>
  ({ link }: Store): void => {
    link.set(links)
    link.resetAll()
  }
const wellAgain = onLink({})

export const stores: readonly StoreFault[] = [
  {
    id: 'redis-stopped',
    what: 'the process is stopped',
    begin: ({ server }) => server.stall(),
    end: ({ server }) => server.resume(),
  },
  {
    id: 'redis-killed',
    what: 'the process is killed, and started again without its data',
    begin: ({ server }) => server.kill(),
    end: ({ server }) => server.start(),
    forgets: true,
  },
  {
    id: 'redis-flushed',
    what: 'all keys are deleted',
    begin: ({ control }) => control.flushall(),
    end: () => undefined,
    forgets: true,
  },
  {
    id: 'redis-read-only',
    what: 'it becomes a replica, which takes no writes',
    begin: ({ control }) => control.replicaof('127.0.0.1', 1),
    end: ({ control }) => control.replicaof('no', 'one'),
  },
  {
    id: 'redis-full',
    what: 'it has no memory left',
    begin: ({ control }) => control.config('SET', 'maxmemory', '1'),
    end: ({ control }) => control.config('SET', 'maxmemory', '0'),
  },
  {
    id: 'redis-hole',
    what: 'connections are taken and never answered',
    begin: onLink({ accept: 'hole' }),
    end: wellAgain,
  },
  {
    id: 'redis-refused',
    what: 'every connection is reset at once',
    begin: onLink({ accept: 'refuse' }),
    end: wellAgain,
  },
  { id: 'redis-late', what: 'every reply is 300 ms late', begin: onLink({ down: { latencyMs: 300 } }), end: wellAgain },
  {
    id: 'redis-cut',
    what: 'every connection is reset in its fourth reply or so',
    begin: onLink({ down: { after: 120, strikes: 'reset' } }),
    end: wellAgain,
  },
  {
    id: 'redis-sliced',
    what: 'commands and replies go byte by byte',
    begin: onLink({ up: { sliceBytes: 1 }, down: { sliceBytes: 1 } }),
    end: wellAgain,
  },
  {
    id: 'redis-fails-over',
    what: 'the server is killed, and an empty one takes over its address',
    begin: async ({ server, spare, link }) => {
      await server.kill()
      link.redirect(spare.port)
      link.resetAll()
    },
    end: async ({ server, link }) => {
      await server.start()
      link.redirect(server.port)
      link.resetAll()
    },
    forgets: true,
  },
]
