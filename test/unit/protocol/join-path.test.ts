import t from 'tap'
import { protocols } from '../../../proxy/protocol/protocols.ts'

/** Protocol, path of the upstream's url, path of the operation, and what is asked of the upstream. */
const cases: readonly (readonly [string, string, string, string])[] = [
  ['openai', '/openai', '/v1/chat/completions', '/openai/v1/chat/completions'],
  ['openai', '/openai/v1', '/v1/chat/completions', '/openai/v1/chat/completions'],
  ['openai', '/v1beta/openai', '/v1/chat/completions', '/v1beta/openai/chat/completions'],
  ['openai', '/v1beta/openai', '/v1/models/gemini-2.5-flash', '/v1beta/openai/models/gemini-2.5-flash'],
  ['openai', '/api/paas/v4', '/v1/chat/completions', '/api/paas/v4/chat/completions'],
  [
    'openai',
    '/v1/projects/p/endpoints/openapi',
    '/v1/chat/completions',
    '/v1/projects/p/endpoints/openapi/chat/completions',
  ],
  ['openai', '/vendor', '/v1/models', '/vendor/v1/models'],
  ['openai', '/v1', '/openai/deployments/d/chat/completions', '/v1/openai/deployments/d/chat/completions'],
  ['openai', '/openai', '/openai/v1/responses', '/openai/v1/responses'],
  ['openai', '/openai', '/openai/deployments/d/chat/completions', '/openai/deployments/d/chat/completions'],
  ['openai', '/openai/v1', '/openai/v1/responses', '/openai/v1/responses'],
  ['anthropic', '/v1', '/v1/messages', '/v1/messages'],
  ['anthropic', '/v1/gateway/anthropic', '/v1/messages', '/v1/gateway/anthropic/v1/messages'],
  ['gemini', '/v1beta', '/v1beta/models/m:generateContent', '/v1beta/models/m:generateContent'],
  ['gemini', '/v1beta', '/v1/models/m:generateContent', '/v1beta/models/m:generateContent'],
  ['gemini', '/proxy/v1', '/v1alpha/models', '/proxy/v1/models'],
  ['gemini', '/v1/gateway/google', '/v1beta/models', '/v1/gateway/google/v1beta/models'],
  [
    'gemini',
    '/v1',
    '/v1beta1/projects/p/locations/l/models/m:generateContent',
    '/v1/projects/p/locations/l/models/m:generateContent',
  ],
  ['ollama', '/api', '/api/chat', '/api/chat'],
  ['ollama', '/ollama', '/api/chat', '/ollama/api/chat'],
]

for (const [name, base, path, asked] of cases) {
  t.test(`${name} at ${base}: ${path}`, async (t) => {
    t.equal(protocols.get(name)?.joinPath?.(base, path), asked)
  })
}

t.test('a path of a tool is its own, whatever it begins with', async (t) => {
  t.equal(protocols.get('http')?.joinPath, undefined)
})
