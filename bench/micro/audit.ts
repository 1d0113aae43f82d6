// Owns the cases of the audit log: a record durable by itself, and records that share one commit.
import { join } from 'node:path'
import { openKeyFile } from '../../proxy/audit/key.ts'
import { openLog } from '../../proxy/audit/log.ts'
import { systemClock } from '../../proxy/lib/clock.ts'
import type { Case } from './timing.ts'

const groupSize = 64

/** About what the outcome of a chat says. */
const fields = {
  request: 'req_01JD0000000000000000000000',
  route: 'openai',
  upstream: 'openai',
  principal: 'bench-agent',
  status: 200,
  decision: { effect: 'allow', rules: ['approved-models', 'small-questions'], mode: 'enforce' },
  findings: { email: 1 },
  redactions: ['email ×1 at /messages/3/content'],
  timings: { total: 12, upstream: 9 },
}

/** `dir` is an empty folder, on the disk that is to be measured. */
export async function auditCases(dir: string): Promise<{ cases: Case[]; close: () => Promise<void> }> {
  const key = await openKeyFile(join(dir, 'audit.key'))
  const log = await openLog({ dir: join(dir, 'audit'), key, durability: 'strict', clock: systemClock })
  const cases: Case[] = [
    { name: 'commit, one record', run: () => log.commit('outcome', fields) },
    {
      name: `commit, one of ${groupSize} records at once`,
      operations: groupSize,
      run: () => Promise.all(Array.from({ length: groupSize }, () => log.commit('outcome', fields))),
    },
  ]
  return { cases, close: () => log.close() }
}
