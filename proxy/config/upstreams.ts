// Owns which upstreams stay open through a reload and which are opened anew, and passes on what they report.
import { createHash } from 'node:crypto'
import type { UpstreamEvent } from '../upstream/answer.ts'
import type { UpstreamOptions } from '../upstream/options.ts'
import { openUpstream } from '../upstream/open-upstream.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { CompiledConfig } from './compile.ts'
import { credentialAlarm, isRefusal } from './credential-alarm.ts'
import { detectorUpstreams } from './detectors.ts'
import type { Surroundings } from './surroundings.ts'

/** Id → a mark of the options and the secrets it was opened with, and the upstream. */
export type OpenUpstreams = ReadonlyMap<string, OpenUpstream>
type OpenUpstream = { readonly mark: string; readonly upstream: Upstream }

/**
 * Those of external detectors, too. One whose options and secrets are the same keeps its connections and the state of its
 * breaker; those of `open` that are left out are the caller's to close.
 */
export function openUpstreams({ document }: CompiledConfig, open: OpenUpstreams, around: Surroundings): OpenUpstreams {
  const opened = new Map<string, OpenUpstream>()
  const external = detectorUpstreams(document.detectors ?? [])
  try {
    for (const [id, options] of Object.entries({ ...document.upstreams, ...external })) {
      const mark = markOf(options, around)
      const before = open.get(id)
      opened.set(
        id,
        before?.mark === mark ? before : { mark, upstream: openAnew(id, options, before?.upstream, around) },
      )
    }
  } catch (error) {
    for (const [id, { upstream }] of opened) if (open.get(id)?.upstream !== upstream) void upstream.close()
    throw error
  }
  return opened
}

/** What an operator has done to its breaker by hand stays done, unless the configuration now says what is to be. */
function openAnew(id: string, options: UpstreamOptions, before: Upstream | undefined, around: Surroundings): Upstream {
  const upstream = openUpstream(id, options, upstreamDeps(options, around))
  if (before !== undefined && options.breaker?.mode === undefined && before.mode() !== 'auto')
    upstream.override(before.mode())
  return upstream
}

/** A digest, so that the secrets are not kept a second time. */
function markOf(options: UpstreamOptions, { resolveSecret }: Surroundings): string {
  const { credential, credentials = credential === undefined ? [] : [credential] } = options
  const secrets = credentials.map((one) => resolveSecret('bearer' in one ? one.bearer : one.value))
  return createHash('sha256')
    .update(JSON.stringify([options, secrets]))
    .digest('base64')
}

function upstreamDeps(
  { credential, credentials }: UpstreamOptions,
  { clock, random, resolveSecret, metrics, log }: Surroundings,
) {
  // Where none is sent, who is refused is the caller.
  const alarm = credential === undefined && credentials === undefined ? undefined : credentialAlarm()
  const onEvent = (event: UpstreamEvent): void => {
    switch (event.type) {
      case 'attempt':
        metrics.attempt(event.upstream, event.attempt)
        if (event.cause !== undefined)
          log.warn(
            { upstream: event.upstream, outcome: event.attempt.outcome, cause: event.cause },
            'an attempt failed',
          )
        if (alarm === undefined) break
        if (isRefusal(event.attempt.status)) metrics.credentialRefused(event.upstream)
        if (alarm(event.attempt))
          log.error(
            { upstream: event.upstream, credential: event.attempt.credential, status: event.attempt.status },
            'the upstream refuses our credential',
          )
        break
      case 'end':
        metrics.upstreamEnd(event.upstream, event.durationMs)
        break
      case 'breaker':
        if (event.part.state === 'open')
          metrics.breakerOpened(event.upstream, event.part.group === undefined ? 'connection' : 'model')
        log.warn(
          { upstream: event.upstream, model: event.part.group, state: event.part.state },
          'breaker changed state',
        )
        break
      case 'retry':
        metrics.retry(event.upstream)
        break
      case 'quota':
        metrics.upstreamQuota(event.upstream)
        log.warn({ upstream: event.upstream, credential: event.credential }, 'the quota at the upstream is used up')
        break
      case 'queue-refused':
        metrics.queueRefused(event.upstream, event.why)
        break
      case 'rest':
        metrics.credentialRest(event.upstream, event.credential)
        log.warn(
          { upstream: event.upstream, credential: event.credential, status: event.status },
          'credential is left alone for a while',
        )
        break
    }
  }
  return { clock, random, resolve: resolveSecret, onEvent }
}
