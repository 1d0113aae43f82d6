import t from 'tap'
import type { LimitState } from '../../../proxy/limits/limiter.ts'
import { withLimits } from '../../../proxy/pipeline/limit-headers.ts'

const nowMs = Date.parse('2026-11-21T10:00:00.500Z')
const requests: LimitState = { limit: 'a', quota: 60, windowMs: 60_000, remaining: 12, resetMs: 33_400 }
const tokens: LimitState = { ...requests, limit: 'b', unit: 'tokens', quota: 9000, remaining: 100, resetMs: 3_725_000 }

function own(headers: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string
    if (name in found) t.fail(`${name} stands twice`)
    found[name] = headers[at + 1] as string
  }
  return found
}

t.test('OpenAI’s own fields, the tighter of ours and the upstream’s', async (t) => {
  t.same(
    own(withLimits([], [requests, { ...requests, limit: 'c', quota: 5, remaining: 3, resetMs: 450 }], 'openai', nowMs)),
    {
      'RateLimit-Policy': '"a";q=60;w=60, "c";q=5;w=60',
      RateLimit: '"a";r=12;t=34, "c";r=3;t=1',
      'x-ratelimit-limit-requests': '5',
      'x-ratelimit-remaining-requests': '3',
      'x-ratelimit-reset-requests': '450ms',
    },
  )
  const upstream = (remaining: string): string[] => [
    'x-request-id',
    'r',
    'x-ratelimit-limit-tokens',
    '30000',
    'x-ratelimit-remaining-tokens',
    remaining,
    'x-ratelimit-reset-tokens',
    '6m0s',
  ]
  t.match(own(withLimits(upstream('99'), [tokens], 'openai', nowMs)), {
    'x-request-id': 'r',
    'x-ratelimit-remaining-tokens': '99',
    'x-ratelimit-reset-tokens': '6m0s',
  })
  for (const more of ['101', 'many'])
    t.match(own(withLimits(upstream(more), [tokens], 'openai', nowMs)), {
      'x-request-id': 'r',
      'x-ratelimit-limit-tokens': '9000',
      'x-ratelimit-remaining-tokens': '100',
      'x-ratelimit-reset-tokens': '1h2m5s',
    })
})

t.test('Anthropic’s own fields', async (t) => {
  const headers = ['anthropic-ratelimit-requests-remaining', '4', 'anthropic-ratelimit-input-tokens-remaining', '4000']
  const told = own(withLimits(headers, [requests, { ...tokens, unit: 'inputTokens' }], 'anthropic', nowMs))
  t.match(told, {
    'anthropic-ratelimit-requests-remaining': '4',
    'anthropic-ratelimit-input-tokens-limit': '9000',
    'anthropic-ratelimit-input-tokens-remaining': '100',
    'anthropic-ratelimit-input-tokens-reset': '2026-11-21T11:02:06Z',
    'RateLimit-Policy': '"a";q=60;w=60, "b:inputTokens";q=9000;qu="tokens";w=60',
  })
  t.equal(told['anthropic-ratelimit-requests-limit'], undefined)
})

t.test('other formats, and nothing to say', async (t) => {
  t.same(Object.keys(own(withLimits([], [requests], 'gemini', nowMs))), ['RateLimit-Policy', 'RateLimit'])
  t.same(withLimits(['a', 'b'], [], 'openai', nowMs), ['a', 'b'])
})
