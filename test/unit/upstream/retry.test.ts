import t from 'tap'
import type { UpstreamRequest } from '../../../proxy/upstream/answer.ts'
import type { Judgement, Repeatable } from '../../../proxy/upstream/classify.ts'
import { Retry } from '../../../proxy/upstream/retry.ts'
import type { RetrySettings } from '../../../proxy/upstream/settings.ts'
import { ManualClock } from '../../support/clock.ts'
import { get, post } from './harness.ts'

const model: RetrySettings = { attempts: 2, budget: 0.2, unsafe: false, repeatAnswered: true }
const tool: RetrySettings = { ...model, repeatAnswered: false }

function retry(settings: RetrySettings, random = 0): { retry: Retry; clock: ManualClock } {
  const clock = new ManualClock()
  return { retry: new Retry(settings, clock, () => random), clock }
}

function failed(repeatable: Repeatable, retryAfterMs?: number): Judgement {
  return { verdict: 'failure', repeatable, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

const streamed: UpstreamRequest = { ...post, body: (async function* () {})() }
const large: UpstreamRequest = { ...post, body: Buffer.alloc(1024 * 1024 + 1) }
const largest: UpstreamRequest = { ...post, body: Buffer.alloc(1024 * 1024) }

t.test('what may be repeated', async (t) => {
  const rows: [string, RetrySettings, UpstreamRequest, { [R in Repeatable]: boolean }][] = [
    ['model post', model, post, { never: false, unsent: true, race: true, answered: true, idempotent: false }],
    ['model get', model, get, { never: false, unsent: true, race: true, answered: true, idempotent: true }],
    ['tool post', tool, post, { never: false, unsent: true, race: false, answered: false, idempotent: false }],
    ['tool get', tool, get, { never: false, unsent: true, race: true, answered: true, idempotent: true }],
    [
      'unsafe tool post',
      { ...tool, unsafe: true },
      post,
      { never: false, unsent: true, race: true, answered: true, idempotent: true },
    ],
    ['stream', model, streamed, { never: false, unsent: true, race: false, answered: false, idempotent: false }],
    ['too large', model, large, { never: false, unsent: true, race: false, answered: false, idempotent: false }],
    [
      'just not too large',
      model,
      largest,
      { never: false, unsent: true, race: true, answered: true, idempotent: false },
    ],
    [
      'one attempt',
      { ...model, attempts: 1 },
      get,
      { never: false, unsent: false, race: false, answered: false, idempotent: false },
    ],
  ]
  for (const [name, settings, request, expected] of rows) {
    for (const repeatable of Object.keys(expected) as Repeatable[]) {
      const delayMs = retry(settings).retry.withdraw(request, failed(repeatable), 1, 60_000)
      t.equal(delayMs !== undefined, expected[repeatable], `${name}: ${repeatable}`)
    }
  }
})

t.test('attempts are counted', async (t) => {
  const three = { ...model, attempts: 3 }
  t.ok(retry(three).retry.withdraw(get, failed('answered'), 2, 60_000) !== undefined)
  t.equal(retry(three).retry.withdraw(get, failed('answered'), 3, 60_000), undefined)
})

t.test('the wait: full jitter over a doubling backoff, on top of Retry-After', async (t) => {
  const many = { ...model, attempts: 20 }
  t.equal(retry(many, 0).retry.withdraw(get, failed('answered'), 1, 60_000), 0)
  t.equal(retry(many, 0.5).retry.withdraw(get, failed('answered'), 1, 60_000), 125)
  t.equal(retry(many, 0.5).retry.withdraw(get, failed('answered'), 3, 60_000), 500)
  t.equal(retry(many, 0.5).retry.withdraw(get, failed('answered'), 12, 60_000), 4000, 'at most 8 s before jitter')
  t.equal(retry(many, 0.5).retry.withdraw(get, failed('answered', 3000), 1, 60_000), 3125)
  t.equal(retry(many, 0.5).retry.withdraw(get, failed('race'), 1, 60_000), 0, 'a dead socket needs no rest')
})

t.test('what is asked for beyond a minute or the deadline is relayed instead', async (t) => {
  t.equal(retry(model).retry.withdraw(get, failed('answered', 60_000), 1, 900_000), 60_000)
  t.equal(retry(model).retry.withdraw(get, failed('answered', 60_001), 1, 900_000), undefined)
  t.equal(retry(model).retry.withdraw(get, failed('answered', 5000), 1, 5000), undefined)
  t.equal(retry(model).retry.withdraw(get, failed('answered', 5000), 1, 5001), 5000)
})

t.test('retries are a fifth of the requests of ten seconds, or one a second', async (t) => {
  const { retry: budgeted, clock } = retry(model)
  for (let request = 0; request < 1000; request++) budgeted.deposit()
  let granted = 0
  for (let failure = 0; failure < 1000; failure++) {
    if (budgeted.withdraw(post, failed('answered'), 1, 60_000) !== undefined) granted++
  }
  t.equal(granted, 200)
  clock.advance(10_000)
  granted = 0
  for (let failure = 0; failure < 1000; failure++) {
    if (budgeted.withdraw(post, failed('answered'), 1, 60_000) !== undefined) granted++
  }
  t.equal(granted, 10, 'what was earned is gone after ten seconds')
})

t.test('a refused retry costs nothing, and no budget is no retry', async (t) => {
  const { retry: budgeted } = retry(model)
  for (let index = 0; index < 100; index++) budgeted.withdraw(post, failed('never'), 1, 60_000)
  t.equal(budgeted.withdraw(post, failed('answered'), 1, 60_000), 0)
  const none = retry({ ...model, budget: 0 }).retry
  for (let request = 0; request < 1000; request++) none.deposit()
  t.equal(none.withdraw(post, failed('unsent'), 1, 60_000), undefined)
})
