// What the tests of upstream share: opening one on a scripted server with a clock that stands still.
import type { Test } from 'tap'
import { Fault, type FaultCode } from '../../../proxy/errors.ts'
import type { UpstreamEvent, UpstreamRequest } from '../../../proxy/upstream/answer.ts'
import type { BreakerSettings } from '../../../proxy/upstream/breaker.ts'
import type { UpstreamOptions } from '../../../proxy/upstream/options.ts'
import { openUpstream } from '../../../proxy/upstream/open-upstream.ts'
import type { Upstream, UpstreamDeps } from '../../../proxy/upstream/upstream.ts'
import { ManualClock } from '../../support/clock.ts'
import { scriptedUpstream, type Script, type ScriptedUpstream } from '../../support/scripted-upstream.ts'

export const post: UpstreamRequest = {
  method: 'POST',
  path: '/v1/chat/completions',
  headers: ['content-type', 'application/json'],
  body: Buffer.from('{"model":"m"}'),
  idempotent: false,
}

export const get: UpstreamRequest = {
  method: 'GET',
  path: '/v1/models',
  headers: [],
  body: undefined,
  idempotent: true,
}

/** What a breaker has that nobody says anything of. */
export const breakerDefaults: BreakerSettings = {
  consecutive: 5,
  ratio: 0.5,
  minimum: 20,
  windowMs: 10_000,
  openMs: 5000,
  openMaxMs: 60_000,
}

export const secret = 'sk-upstream-secret-0123456789'

export type Opened = { readonly upstream: Upstream; readonly clock: ManualClock; readonly events: UpstreamEvent[] }

export type Stage = Opened & { readonly server: ScriptedUpstream }

/** An upstream on a scripted server; both end with the test. */
export async function stage(
  t: Test,
  scripts: Script[],
  options: Partial<UpstreamOptions> = {},
  deps: Partial<UpstreamDeps> = {},
): Promise<Stage> {
  const server = await scriptedUpstream(...scripts)
  const opened = open(server.url, options, deps)
  t.teardown(async () => {
    await server.close()
    await opened.upstream.close()
  })
  return { server, ...opened }
}

/** A whole exchange that ends well. */
export async function exchange(
  { upstream }: Opened,
  request = post,
): Promise<{ status: number; body: string; attempts: number }> {
  const received = await upstream.send(request, never())
  const body = await text(received.body)
  received.settle('complete')
  return { status: received.status, body, attempts: received.attempts.length }
}

/** Until an attempt was found wanting and the wait before the next has begun. */
export async function untilRetry({ events }: Opened): Promise<void> {
  while (!events.some(({ type }) => type === 'retry')) await turns()
}

/** Some turns of the event loop: the HTTP client frees a connection one turn after the answer's end. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
}

/** `random` is zero: no jitter, no backoff beyond what was asked for. */
export function open(url: string, options: Partial<UpstreamOptions> = {}, deps: Partial<UpstreamDeps> = {}): Opened {
  const clock = new ManualClock()
  const events: UpstreamEvent[] = []
  const upstream = openUpstream(
    'main',
    { protocol: 'openai', url, ...options },
    { clock, random: () => 0, resolve: () => secret, onEvent: (event) => events.push(event), ...deps },
  )
  return { upstream, clock, events }
}

export function never(): AbortSignal {
  return new AbortController().signal
}

export async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** The Fault that a promise is rejected with. */
export async function faultOf(t: Test, promise: Promise<unknown>, code: FaultCode): Promise<Fault> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  t.ok(error instanceof Fault, `a fault was expected, not ${String(error)}`)
  t.equal((error as Fault).code, code)
  return error as Fault
}
