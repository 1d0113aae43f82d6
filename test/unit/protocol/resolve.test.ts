import t from 'tap'
import { protocols } from '../../../proxy/protocol/protocols.ts'

function resolve(protocol: string, method: string, path: string): string | undefined {
  const operation = protocols.get(protocol)?.resolve(method, path)
  return operation === undefined ? undefined : `${operation.name} ${operation.path}`
}

t.test('what clients make of a base URL is one path', async (t) => {
  for (const path of [
    '/v1/chat/completions',
    '/chat/completions',
    '/v1/v1/chat/completions',
    '//v1//chat/completions',
  ]) {
    t.equal(resolve('openai', 'POST', path), 'chat.completions /v1/chat/completions', path)
  }
  for (const path of ['/v1/messages', '/messages', '/v1/v1/messages']) {
    t.equal(resolve('anthropic', 'POST', path), 'messages /v1/messages', path)
    t.equal(resolve('anthropic', 'POST', `${path}/count_tokens`), 'messages.count_tokens /v1/messages/count_tokens')
  }
  for (const protocol of ['openai', 'anthropic']) {
    for (const path of ['/v1/models', '/models', '/v1/v1/models'])
      t.equal(resolve(protocol, 'GET', path), 'models.list /v1/models')
    t.equal(resolve(protocol, 'GET', '/models/gpt-4o'), 'models.get /v1/models/gpt-4o')
    t.equal(resolve(protocol, 'GET', '/v1/models/acme/llama-3.1:70b'), 'models.get /v1/models/acme/llama-3.1:70b')
  }
})

t.test('paths of Azure are those of OpenAI behind a prefix, with a version or a deployment or neither', async (t) => {
  const rows: [string, string, string | undefined][] = [
    ['POST', '/openai/v1/responses', 'responses /openai/v1/responses'],
    ['POST', '/openai/responses', 'responses /openai/responses'],
    ['POST', '/openai/responses/compact', 'responses.compact /openai/responses/compact'],
    ['GET', '/openai/responses/resp_1', 'responses.get /openai/responses/resp_1'],
    ['DELETE', '/openai/responses/resp_1', 'responses.delete /openai/responses/resp_1'],
    ['GET', '/openai/models', 'models.list /openai/models'],
    ['GET', '/openai/files', 'files.list /openai/files'],
    ['POST', '/openai/batches/b1/cancel', 'batches.cancel /openai/batches/b1/cancel'],
    ['POST', '/openai/deployments/d/embeddings', 'embeddings /openai/deployments/d/embeddings'],
    ['POST', '/openai/v1/embeddings', 'embeddings /openai/v1/embeddings'],
    ['POST', '/openai/embeddings', undefined],
    ['POST', '/openai/deployments/d/responses', undefined],
    ['POST', '/openai', undefined],
  ]
  for (const [method, path, expected] of rows) t.equal(resolve('openai', method, path), expected, `${method} ${path}`)
  t.match(protocols.get('openai')?.whyUnserved?.('POST', '/openai/batches'), /one by one/)
})

t.test('what is kept goes by ids of every vendor', async (t) => {
  for (const id of ['resp_1', 'resp_bGl0ZQ==', 'resp_bGl0ZQ%3D%3d', 'gen-1.a', 'resp_a:1', 'r~1']) {
    const path = `/v1/responses/${id}`
    t.equal(resolve('openai', 'GET', path), `responses.get ${path}`)
    t.equal(resolve('openai', 'POST', `${path}/cancel`), `responses.cancel ${path}/cancel`)
    t.equal(resolve('openai', 'GET', `/v1/files/${id}`), `files.get /v1/files/${id}`)
  }
  for (const id of ['', '..', '.a', '=', 'a%2Fb', 'a%2e', 'a b', 'a;b', 'a/b', 'a%3', 'é'])
    t.equal(resolve('openai', 'GET', `/v1/responses/${id}`), undefined, id)
})

t.test('everything else has no adapter', async (t) => {
  const refused: [string, string, string][] = [
    ['openai', 'GET', '/v1/chat/completions'],
    ['openai', 'post', '/v1/chat/completions'],
    ['openai', 'POST', '/v1/chat/completions/'],
    ['openai', 'POST', '/v1/v1/v1/chat/completions'],
    ['openai', 'PUT', '/v1/responses'],
    ['openai', 'POST', '/V1/chat/completions'],
    ['openai', 'DELETE', '/v1/models/gpt-4o'],
    ['openai', 'GET', '/v1/models/'],
    ['openai', 'GET', '/v1/models/..'],
    ['openai', 'GET', '/v1/models/../files'],
    ['openai', 'GET', '/v1/models/a/b/c'],
    ['openai', 'GET', '/v1/models/a%2fb'],
    ['openai', 'POST', '/v1/messages'],
    ['openai', 'GET', '/'],
    ['anthropic', 'POST', '/v1/chat/completions'],
    ['anthropic', 'POST', '/v1/messages/batches'],
    ['anthropic', 'HEAD', '/'],
    ['anthropic', 'GET', '/v1/messages'],
  ]
  for (const [protocol, method, path] of refused)
    t.equal(resolve(protocol, method, path), undefined, `${method} ${path}`)
})

t.test('what an operation may be taken for', async (t) => {
  const view = (protocol: string, method: string, path: string) => {
    const operation = protocols.get(protocol)?.resolve(method, path)
    return [operation?.action, operation?.body, operation?.idempotent, operation?.openStream !== undefined]
  }
  t.same(view('openai', 'POST', '/v1/chat/completions'), ['model.call', 'json', false, true])
  t.same(view('openai', 'GET', '/v1/models'), ['none', 'none', true, false])
  t.same(view('anthropic', 'POST', '/v1/messages'), ['model.call', 'json', false, true])
  t.same(view('anthropic', 'POST', '/v1/messages/count_tokens'), ['model.call', 'json', true, false])
  for (const method of ['GET', 'HEAD', 'OPTIONS']) t.same(view('http', method, '/x'), ['tool.call', 'any', true, true])
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'get', 'PURGE'])
    t.same(view('http', method, '/x'), ['tool.call', 'any', false, true])
  t.equal(resolve('http', 'PATCH', '//a/../v1'), 'http //a/../v1')
})

t.test('listings are read without looking into them', async (t) => {
  const listing = protocols.get('openai')?.resolve('GET', '/v1/models')
  t.match(listing?.readAnswer({ data: [{ id: 'gpt-4o' }] }, ''), { ok: true, content: { parts: [], uninspected: [] } })
  t.match(listing?.readRequest({}, '{}'), { ok: false })
})
