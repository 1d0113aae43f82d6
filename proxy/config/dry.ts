// Owns a Runtime that decides but cannot act: no log, no store, no connection. `test` and `explain` judge with it.
import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { openVaultStore } from '../detect/vault-store.ts'
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { systemClock } from '../lib/clock.ts'
import { openLimiter } from '../limits/open-limiter.ts'
import { openStore } from '../limits/store.ts'
import { openMetrics } from '../pipeline/metrics.ts'
import { openReplays } from '../pipeline/replays.ts'
import type { Runtime } from '../pipeline/runtime.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { compileUpstream } from '../upstream/settings.ts'
import { routesOf, settledBy } from './build.ts'
import type { CompiledConfig } from './compile.ts'

/** `nowMs` is the time at which everything happens. */
export function dryRuntime(config: CompiledConfig, nowMs: () => number): Runtime {
  const clock: Clock = { ...systemClock, now: nowMs }
  const key = randomBytes(32)
  return {
    ...settledBy(config),
    routes: routesOf(
      config,
      (id) => unreachable(id, config),
      () => undefined,
      [],
    ),
    limiter: openLimiter([], openStore({ replicas: 1 }, { clock, onEvent: () => undefined, resolveSecret: () => '' })),
    prices: undefined,
    audit: { log: noLog, strict: false, onFailure: 'deny', digest: () => '', tokenKey: key, sessionCode: () => '' },
    vaults: openVaultStore(config.vault, clock),
    metrics: openMetrics(),
    log: pino({ level: 'silent' }),
    clock,
    random: () => 0,
    shedder: undefined,
    replays: openReplays(clock),
  }
}

const noLog: Runtime['audit']['log'] = {
  append: () => undefined,
  commit: () => Promise.reject(new Fault('audit-unavailable')),
  health: () => ({ ok: true, size: 0, checkpointAgeMs: 0, pending: 0 }),
  close: () => Promise.resolve(),
}

function unreachable(id: string, config: CompiledConfig): Upstream {
  const options = config.document.upstreams[id]
  const settings = options === undefined ? undefined : compileUpstream(options, ['upstreams', id]).settings
  return {
    id,
    basePath: settings?.basePath ?? '',
    send: () => Promise.reject(new Fault('upstream-unreachable')),
    open: () => Promise.reject(new Fault('upstream-unreachable')),
    state: () => 'closed',
    parts: () => [],
    mode: () => 'auto',
    override: () => undefined,
    refusedMs: () => 0,
    heldMs: () => undefined,
    limit: () => undefined,
    close: () => Promise.resolve(),
  }
}
