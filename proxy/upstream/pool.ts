// Owns how undici is set up for one upstream: one exchange at a time on a connection, and no waiting of its own.
import type { Pool } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { Connection, openConnect } from './connection.ts'
import type { Lookup } from './egress.ts'
import type { UpstreamSettings } from './settings.ts'
import { undici } from './undici.ts'

// Below what servers commonly allow (node 5 s, nginx 75 s), so that it is we who close an idle socket.
const keepAliveMs = 4000
const keepAliveHintedMaxMs = 30_000
const answerHeadBytesMax = 64 * 1024

export function openPool(settings: UpstreamSettings, clock: Clock, lookup: Lookup | undefined): Pool {
  const connect = openConnect(settings.egress, settings.timeouts.connectMs, clock, lookup)
  return new undici.Pool(settings.origin, {
    connections: settings.connections,
    pipelining: 1,
    // All waiting is on our own clock.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveHintedMaxMs,
    keepAliveTimeoutThreshold: 1000,
    maxHeaderSize: answerHeadBytesMax,
    strictContentLength: true,
    allowH2: false,
    factory: (origin, options) => new Connection(origin, options, connect),
  })
}
