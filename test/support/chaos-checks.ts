// What every run of the fault bench checks: how calls ended, and what the log says of them.
import type { Test } from 'tap'
import { verifyLog } from '../../proxy/audit/verify.ts'
import type { Fault } from '../faults/catalogue/fault.ts'
import { auditLines } from './audit-lines.ts'
import type { Called } from './chaos-calls.ts'
import { metric, type ProxyProcess } from './proxy-process.ts'

/** Denied calls are refused, or meet the fault on their way; the others end as the catalogue says. */
export function checkEndings(t: Test, { id, ends, also = [] }: Fault, made: readonly Called[]): void {
  const allowed = made.filter((called) => !called.mark.startsWith('forbidden'))
  const endings = new Set(allowed.map(({ ending }) => ending))
  const odd = allowed.filter(({ ending }) => ![...ends, ...also].includes(ending))
  t.same(odd, [], `${id}: every call ends as it should`)
  t.same(
    ends.filter((ending) => !endings.has(ending)),
    [],
    `${id}: and all of what should happen does`,
  )
  t.notOk(
    made.some(({ ending }) => ending === 'silent'),
    `${id}: nothing that was cut off looks whole`,
  )
}

export async function checkLog(t: Test, dir: string, made: readonly Called[]): Promise<void> {
  t.equal((await verifyLog(dir)).status, 'intact')
  const lines = auditLines(dir)
  const outcomes = lines.filter(({ kind }) => kind === 'outcome').map((line) => line['request'])
  const intents = new Set(lines.filter(({ kind }) => kind === 'intent').map((line) => line['request']))
  t.equal(new Set(outcomes).size, outcomes.length, 'no exchange has two outcomes')
  const ended = new Set(outcomes)
  const answered = made.filter(({ id }) => id !== undefined)
  t.same(
    answered.filter(({ id }) => !ended.has(id)),
    [],
    'every answer has its outcome',
  )
  t.same(
    answered.filter(({ id, status }) => status === 200 && !intents.has(id)),
    [],
    'every answer of an upstream was recorded before it was asked',
  )
}

export async function untilIdle({ adminUrl }: ProxyProcess): Promise<void> {
  while ((await metric(adminUrl, 'gatewright_inflight_requests')) !== 0);
}
