// Somebody sets the clock, forwards and back: what lasts for a while lasts as long all the same, what depends on the
// calendar follows it, and the log stays sound.
import t, { type Test } from 'tap'
import { verifyLog } from '../../proxy/audit/verify.ts'
import { auditLines } from '../support/audit-lines.ts'
import { ManualClock } from '../support/clock.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { untilStatus } from '../support/proxy-process.ts'
import { answer, scriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts'

const hourMs = 3_600_000
const jumps = [hourMs, -2 * hourMs, 48 * hourMs, -100 * 24 * hourMs]

type Stage = {
  readonly gateway: TestGateway
  readonly upstream: ScriptedUpstream
  readonly clock: ManualClock
  readonly ask: () => Promise<number>
  /** Time passes, and what the log had to write meanwhile is written. */
  readonly pass: (ms: number) => Promise<void>
}

async function stage(t: Test, more = ''): Promise<Stage> {
  const clock = new ManualClock('2026-11-21T12:00:00.000Z')
  const upstream = (await scriptedUpstream()).always(answer(200, 'ok'))
  const gateway = await startGateway(
    `upstreams: { tool: { protocol: http, url: "${upstream.url}", retry: { attempts: 1 }, breaker: { consecutive: 2 } } }
routes: [{ id: tool, path: /tool, upstream: tool }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
${more}`,
    { clock, random: () => 0 },
  )
  t.teardown(async () => {
    await upstream.close()
    await gateway.close()
  })
  const ask = async (): Promise<number> => {
    const reply = await fetch(`${gateway.url}/tool/x`)
    await reply.arrayBuffer()
    return reply.status
  }
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await untilStatus(`${gateway.adminUrl}/readyz`, 200)
  }
  return { gateway, upstream, clock, ask, pass }
}

for (const way of ['window: first', 'window: sliding', 'burst: 2'])
  t.test(`a limit of a minute is one of a minute: ${way}`, async (t) => {
    const { clock, ask, pass } = await stage(t, `limits: [{ id: few, by: [principal], requests: 2/m, ${way} }]`)
    t.same([await ask(), await ask(), await ask()], [200, 200, 429])
    for (const byMs of jumps) {
      clock.jump(byMs)
      t.equal(await ask(), 429, `the clock was set by ${byMs / hourMs} h`)
    }
    await pass(66_000)
    t.equal(await ask(), 200)
  })

t.test('a limit of a day follows the calendar, and no day counts twice', async (t) => {
  const { clock, ask } = await stage(t, 'limits: [{ id: few, by: [principal], requests: 2/d }]')
  t.same([await ask(), await ask(), await ask()], [200, 200, 429])
  clock.jump(-hourMs)
  t.equal(await ask(), 429, 'an hour back is the same day')
  clock.jump(24 * hourMs)
  t.same([await ask(), await ask(), await ask()], [200, 200, 429])
})

t.test('an open breaker is open as long as it says', async (t) => {
  const { upstream, clock, ask, pass } = await stage(t)
  upstream.next(answer(500, ''), answer(500, ''))
  t.same([await ask(), await ask(), await ask()], [500, 500, 503])
  for (const byMs of jumps) {
    clock.jump(byMs)
    t.equal(await ask(), 503, `the clock was set by ${byMs / hourMs} h`)
  }
  t.equal(upstream.requests.length, 2)
  await pass(5_000)
  t.equal(await ask(), 200)
})

t.test('an upstream that asks for half a minute gets half a minute', async (t) => {
  const { upstream, clock, ask, pass } = await stage(t)
  upstream.next(answer(429, '', { 'retry-after': '30' }))
  t.same([await ask(), await ask()], [429, 429])
  for (const byMs of jumps) {
    clock.jump(byMs)
    t.equal(await ask(), 429, `the clock was set by ${byMs / hourMs} h`)
  }
  t.equal(upstream.requests.length, 1)
  await pass(30_000)
  t.equal(await ask(), 200)
})

t.test('the log is sound, says the time that it was told, and names what runs backwards', async (t) => {
  const { gateway, clock, ask } = await stage(t)
  for (const byMs of [0, ...jumps]) {
    clock.jump(byMs)
    t.equal(await ask(), 200)
  }
  await gateway.gateway.close()
  const report = await verifyLog(gateway.auditDir)
  t.equal(report.status, 'intact')
  t.equal(report.logs.flatMap(({ warnings }) => warnings).length, 2, 'times that run backwards are warnings')
  const hours = auditLines(gateway.auditDir)
    .filter(({ kind }) => kind === 'outcome')
    .map((line) => String(line['t']).slice(0, 13))
  t.same(hours, ['2026-11-21T12', '2026-11-21T13', '2026-11-21T11', '2026-11-23T11', '2026-08-15T11'])
})
