import t from 'tap'
import { faults, type FaultCode } from '../../../proxy/errors.ts'
import { judgeAnswer, judgeBreak, judgeFailure, judgeOpening, type Progress } from '../../../proxy/upstream/classify.ts'

const silent = { retryAfterMs: undefined, shouldRetry: undefined }

t.test('the outcome table for answers', async (t) => {
  const rows: [number, string, string][] = [
    [200, 'success', 'never'],
    [204, 'success', 'never'],
    [302, 'success', 'never'],
    [304, 'success', 'never'],
    [400, 'success', 'never'],
    [403, 'success', 'never'],
    [404, 'success', 'never'],
    [408, 'neutral', 'answered'],
    [409, 'neutral', 'never'],
    [413, 'success', 'never'],
    [422, 'success', 'never'],
    [425, 'neutral', 'answered'],
    [500, 'failure', 'answered'],
    [501, 'success', 'never'],
    [502, 'failure', 'answered'],
    [503, 'failure', 'answered'],
    [504, 'failure', 'answered'],
    [505, 'success', 'never'],
    [507, 'failure', 'never'],
    [520, 'failure', 'answered'],
    [521, 'failure', 'answered'],
    [522, 'failure', 'answered'],
    [523, 'failure', 'answered'],
    [524, 'failure', 'answered'],
    [529, 'failure', 'answered'],
    [599, 'failure', 'never'],
  ]
  for (const [status, verdict, repeatable] of rows) {
    t.strictSame(judgeAnswer(status, silent), { verdict, repeatable }, String(status))
  }
})

t.test('who asks is refused, and another credential or upstream may be asked', async (t) => {
  t.strictSame(judgeAnswer(401, silent), { verdict: 'success', repeatable: 'never', elsewhere: true })
  t.match(judgeAnswer(402, silent), { verdict: 'success', repeatable: 'never', elsewhere: true, quota: true })
  t.match(judgeAnswer(429, silent), { verdict: 'neutral', repeatable: 'never', elsewhere: true, quota: true })
  t.equal(judgeAnswer(403, silent).elsewhere, undefined)
})

t.test('a stream that begins with an error is judged like a status', async (t) => {
  t.strictSame(judgeOpening('failed', silent), { verdict: 'failure', repeatable: 'answered' })
  t.strictSame(judgeOpening('limited', { ...silent, retryAfterMs: 5 }), {
    verdict: 'neutral',
    repeatable: 'answered',
    elsewhere: true,
    retryAfterMs: 5,
    cooldownMs: 5,
  })
  t.strictSame(judgeOpening('exhausted', { ...silent, retryAfterMs: 5 }), {
    verdict: 'neutral',
    repeatable: 'never',
    elsewhere: true,
    quota: true,
  })
  t.strictSame(judgeOpening('refused', silent), { verdict: 'failure', repeatable: 'never' })
  t.strictSame(judgeOpening('wrong', silent), { verdict: 'success', repeatable: 'never' })
})

t.test("the caller's own deadline says nothing about the upstream", async (t) => {
  const ours = { written: true, answering: false, reused: false, ours: true }
  t.strictSame(judgeFailure('upstream-timeout', ours, false), { verdict: 'neutral', repeatable: 'never' })
})

t.test('a time to come back is kept, and 429 and 503 make a cooldown of at most a minute', async (t) => {
  const soon = { ...silent, retryAfterMs: 2000 }
  const late = { ...silent, retryAfterMs: 999_999_000 }
  t.strictSame(judgeAnswer(429, soon), {
    verdict: 'neutral',
    repeatable: 'answered',
    elsewhere: true,
    retryAfterMs: 2000,
    cooldownMs: 2000,
  })
  t.strictSame(judgeAnswer(429, late), {
    verdict: 'neutral',
    repeatable: 'answered',
    elsewhere: true,
    retryAfterMs: 999_999_000,
    cooldownMs: 60_000,
  })
  t.match(judgeAnswer(503, soon), { verdict: 'failure', repeatable: 'answered', cooldownMs: 2000 })
  t.strictSame(judgeAnswer(529, soon), { verdict: 'failure', repeatable: 'answered', retryAfterMs: 2000 })
  t.strictSame(judgeAnswer(200, soon), { verdict: 'success', repeatable: 'never' })
})

t.test('the upstream has the last word on retries', async (t) => {
  t.equal(judgeAnswer(503, { ...silent, shouldRetry: false }).repeatable, 'never')
  t.equal(judgeAnswer(503, { ...silent, shouldRetry: false }).verdict, 'failure')
  t.equal(judgeAnswer(429, { retryAfterMs: 1, shouldRetry: false }).repeatable, 'never')
  t.equal(judgeAnswer(429, { ...silent, shouldRetry: true }).repeatable, 'answered', 'not a quota, then')
  t.equal(judgeAnswer(200, { ...silent, shouldRetry: true }).repeatable, 'never')
})

t.test('the outcome table for failures', async (t) => {
  const unsent: Progress = { written: false, answering: false, reused: false }
  const written: Progress = { written: true, answering: false, reused: false }
  const reused: Progress = { written: true, answering: false, reused: true }
  const answering: Progress = { written: true, answering: true, reused: true }
  const rows: [FaultCode, Progress, boolean, string, string, true?][] = [
    ['upstream-unreachable', unsent, false, 'failure', 'unsent', true],
    ['upstream-timeout', unsent, false, 'failure', 'unsent', true],
    ['upstream-unreachable', written, false, 'failure', 'idempotent'],
    ['upstream-unreachable', reused, false, 'neutral', 'race'],
    ['upstream-unreachable', reused, true, 'failure', 'race'],
    ['upstream-truncated', answering, false, 'failure', 'idempotent'],
    ['upstream-timeout', written, false, 'failure', 'idempotent'],
    ['upstream-invalid', answering, false, 'failure', 'never'],
  ]
  for (const [code, progress, raced, verdict, repeatable, unreached] of rows) {
    const expected = { verdict, repeatable, ...(unreached === undefined ? {} : { unreached }) }
    t.strictSame(judgeFailure(code, progress, raced), expected, `${code} ${JSON.stringify(progress)}`)
  }
})

t.test('only what the upstream did can count against it', async (t) => {
  const progress: Progress = { written: true, answering: false, reused: false }
  const counted = (Object.keys(faults) as FaultCode[]).filter(
    (code) => judgeFailure(code, progress, false).verdict !== 'neutral',
  )
  t.strictSame(counted, ['upstream-unreachable', 'upstream-timeout', 'upstream-invalid', 'upstream-truncated'])
  t.equal(judgeBreak(true), 'neutral')
  t.equal(judgeBreak(false), 'failure')
})
