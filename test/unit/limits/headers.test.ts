import t from 'tap'
import { rateLimitHeaders, retryAfterHeaders } from '../../../proxy/limits/headers.ts'

const state = { limit: 'per-key', quota: 60, windowMs: 60_000, remaining: 12, resetMs: 33_400 }

t.test('RateLimit and RateLimit-Policy', async (t) => {
  t.same(rateLimitHeaders([]), [])
  t.same(rateLimitHeaders([state]), ['RateLimit-Policy', '"per-key";q=60;w=60', 'RateLimit', '"per-key";r=12;t=34'])
  t.same(rateLimitHeaders([state, { ...state, limit: 'b', windowMs: 500, remaining: 0, resetMs: 0.5 }]), [
    'RateLimit-Policy',
    '"per-key";q=60;w=60, "b";q=60;w=1',
    'RateLimit',
    '"per-key";r=12;t=34, "b";r=0;t=1',
  ])
  const hostile = rateLimitHeaders([{ ...state, limit: 'a"\\\r\nb', quota: 1e20, remaining: -1 }])
  t.same(hostile, ['RateLimit-Policy', '"a\\"\\\\??b";q=999999999999999;w=60', 'RateLimit', '"a\\"\\\\??b";r=0;t=34'])
})

t.test('Retry-After is whole seconds between one and sixty', async (t) => {
  const values = (ms: number): string[] => retryAfterHeaders(ms).filter((_, index) => index % 2 === 1)
  t.same(retryAfterHeaders(33_400.2), ['Retry-After', '34', 'retry-after-ms', '33401'])
  t.same(values(0), ['1', '1'])
  t.same(values(-5), ['1', '1'])
  t.same(values(1000), ['1', '1000'])
  t.same(values(86_400_000), ['60', '60000'])
  t.same(values(Number.POSITIVE_INFINITY), ['60', '60000'])
})
