import t from 'tap'
import { Fault, faults } from '../../../proxy/errors.ts'
import type { FaultCode } from '../../../proxy/errors.ts'
import { protocols } from '../../../proxy/protocol/protocols.ts'
import type { FaultView } from '../../../proxy/protocol/protocol.ts'

const found = protocols.get('gemini')
if (found === undefined) throw new Error('gemini is not registered')
const gemini = found

function resolve(method: string, path: string): string | undefined {
  const operation = gemini.resolve(method, path)
  return operation === undefined ? undefined : `${operation.name} ${operation.path}`
}

function modelOf(path: string): string | undefined {
  const reading = gemini.resolve('POST', path)?.readRequest({ contents: [] }, '{"contents":[]}')
  return reading?.ok === true ? reading.content.model : undefined
}

t.test('what clients make of a base URL is one path', async (t) => {
  const rows: [string, string][] = [
    ['/v1beta/models/m:generateContent', '/v1beta/models/m:generateContent'],
    ['/v1/models/m:generateContent', '/v1/models/m:generateContent'],
    ['/v1alpha/models/m:generateContent', '/v1alpha/models/m:generateContent'],
    ['/models/m:generateContent', '/v1beta/models/m:generateContent'],
    ['/v1/v1/models/m:generateContent', '/v1/models/m:generateContent'],
    ['/v1/v1beta/models/m:generateContent', '/v1beta/models/m:generateContent'],
    ['/v1beta/v1/models/m:generateContent', '/v1/models/m:generateContent'],
    ['//v1beta//models/m:generateContent', '/v1beta/models/m:generateContent'],
    ['/publishers/google/models/m:generateContent', '/v1beta1/publishers/google/models/m:generateContent'],
  ]
  for (const [sent, path] of rows) t.equal(resolve('POST', sent), `generateContent ${path}`, sent)
})

t.test('every operation', async (t) => {
  for (const verb of ['generateContent', 'streamGenerateContent', 'countTokens', 'embedContent', 'batchEmbedContents'])
    t.equal(resolve('POST', `/v1beta/models/m:${verb}`), `${verb} /v1beta/models/m:${verb}`)
  t.equal(resolve('GET', '/v1beta/models'), 'models.list /v1beta/models')
  t.equal(resolve('GET', '/models'), 'models.list /v1beta/models')
  t.equal(resolve('GET', '/v1/models/gemini-2.5-flash'), 'models.get /v1/models/gemini-2.5-flash')
  t.equal(resolve('GET', '/v1beta/tunedModels'), 'tunedModels.list /v1beta/tunedModels')
  t.equal(resolve('GET', '/v1beta/tunedModels/t-1'), 'tunedModels.get /v1beta/tunedModels/t-1')
  t.equal(resolve('GET', '/v1beta1/publishers/google/models'), 'models.list /v1beta1/publishers/google/models')
})

t.test('the model is what the path says', async (t) => {
  const place = 'projects/example.com:p-1/locations/us-central1'
  t.equal(modelOf('/v1beta/models/gemini-2.5-flash:generateContent'), 'gemini-2.5-flash')
  t.equal(modelOf('/v1/models/text-embedding@001:generateContent'), 'text-embedding@001')
  t.equal(modelOf('/v1beta/tunedModels/mine:generateContent'), 'tunedModels/mine')
  t.equal(modelOf(`/v1/${place}/publishers/google/models/gemini-2.5-pro:generateContent`), 'gemini-2.5-pro')
  t.equal(modelOf(`/v1/${place}/endpoints/123:generateContent`), 'endpoints/123')
})

t.test('everything else has no adapter', async (t) => {
  const refused: [string, string][] = [
    ['GET', '/v1beta/models/m:generateContent'],
    ['POST', '/v1beta/models/m'],
    ['POST', '/v1beta/models'],
    ['POST', '/v1beta/models/m:predict'],
    ['POST', '/v1beta/models/m:batchGenerateContent'],
    ['POST', '/v1beta/models/m:toString'],
    ['POST', '/v1beta/models/m:generateContent/'],
    ['POST', '/v1beta/models/m%3AgenerateContent'],
    ['POST', '/v1beta/models/../files:generateContent'],
    ['POST', '/v1beta/models/a/b:generateContent'],
    ['POST', '/v1beta/models/:generateContent'],
    ['POST', '/v1/v1/v1/models/m:generateContent'],
    ['POST', '/v2/models/m:generateContent'],
    ['POST', '/v1beta/corpora/c:query'],
    ['POST', '/v1beta/cachedContents'],
    ['POST', '/upload/v1beta/files'],
    ['POST', '/v1/publishers/anthropic/models/claude:rawPredict'],
    ['POST', '/v1/publishers/google/tunedModels/t:generateContent'],
    ['POST', '/v1/projects/p/locations/l/models/m:generateContent'],
    ['POST', '/v1/endpoints/1:generateContent'],
    ['GET', '/v1/projects/p/locations/l/endpoints/1'],
    ['DELETE', '/v1beta/tunedModels/t'],
    ['PATCH', '/v1beta/tunedModels/t'],
    ['GET', '/v1beta/files'],
    ['GET', '/'],
  ]
  for (const [method, path] of refused) t.equal(resolve(method, path), undefined, `${method} ${path}`)
})

t.test('a refusal on purpose says why', async (t) => {
  const place = 'projects/p/locations/us-central1'
  const rows: [string, RegExp | undefined][] = [
    ['/upload/v1beta/files', /in files/],
    ['/v1beta/files', /in files/],
    ['/v1beta/files/abc', /in files/],
    ['/v1beta/files:register', /in files/],
    ['/v1beta/files/abc:download', /in files/],
    ['/v1beta/cachedContents', /cached/],
    [`/v1beta1/${place}/cachedContents/1`, /cached/],
    ['/v1beta/batches/1:cancel', /batch/],
    ['/v1beta/models/m:batchGenerateContent', /batch/],
    ['/v1beta/models/m:asyncBatchEmbedContent', /batch/],
    [`/v1/${place}/batchPredictionJobs`, /batch/],
    ['/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent', /Live/],
    ['/v1alpha/auth_tokens', /session/],
    ['/v1beta/models/imagen-4:predict', /media/],
    [`/v1/${place}/publishers/anthropic/models/claude:rawPredict`, /media/],
    ['/upload/v1beta/fileSearchStores/s:uploadToFileSearchStore', /kept at the provider/],
    ['/v1beta/models/m:generateAnswer', undefined],
    ['/v1beta/models/files', undefined],
    ['', undefined],
  ]
  for (const [path, why] of rows) {
    t.equal(resolve('POST', path), undefined, path)
    const said = gemini.whyUnserved?.('POST', path)
    if (why === undefined) t.equal(said, undefined, path)
    else t.match(said, why, path)
  }
})

t.test('what an operation may be taken for', async (t) => {
  const view = (method: string, path: string) => {
    const operation = gemini.resolve(method, path)
    return [operation?.action, operation?.body, operation?.idempotent, operation?.openStream !== undefined]
  }
  t.same(view('POST', '/v1/models/m:generateContent'), ['model.call', 'json', false, true])
  t.same(view('POST', '/v1/models/m:streamGenerateContent'), ['model.call', 'json', false, true])
  t.same(view('POST', '/v1/models/m:countTokens'), ['model.call', 'json', true, false])
  t.same(view('POST', '/v1/models/m:embedContent'), ['model.call', 'json', true, false])
  t.same(view('GET', '/v1/models'), ['none', 'none', true, false])
})

t.test('a stream that is asked for as a list has no reader, so it is not served', async (t) => {
  const path = '/v1beta/models/m:streamGenerateContent'
  const unserved = (query: string) => gemini.resolve('POST', path, query)?.unserved !== undefined
  for (const query of ['alt=sse', 'key=k&alt=sse', '%24alt=sse', 'alt=sse&$alt=sse']) t.notOk(unserved(query), query)
  for (const query of [
    '',
    'alt',
    'alt=json',
    'alt=sse&alt=json',
    'alt=sse;alt=json',
    '$alt=json&alt=sse',
    'Alt=sse',
    '?alt=sse',
  ])
    t.ok(unserved(query), query)
  t.equal(gemini.resolve('POST', '/v1beta/models/m:generateContent', '')?.unserved, undefined)
})

t.test('a listing is read, for tuned models are somebody’s', async (t) => {
  const body = { tunedModels: [{ name: 'tunedModels/t', description: 'tuned on ada@example.org' }] }
  const reading = gemini.resolve('GET', '/v1beta/tunedModels')?.readAnswer(body, JSON.stringify(body))
  t.match(reading, { ok: true, content: { parts: [{ text: 'tunedModels/t' }, { text: /ada@example.org/ }] } })
  t.match(gemini.resolve('GET', '/v1beta/models')?.readRequest({}, '{}'), { ok: false })
})

function view(code: FaultCode, rule?: string): FaultView {
  const { status, kind, message, retry } = new Fault(code)
  return { code, kind, status, message, retry, requestId: 'gw-7', ...(rule === undefined ? undefined : { rule }) }
}

t.test('a refusal is a google.rpc.Status', async (t) => {
  const rows: [FaultCode, string, string][] = [
    ['denied', 'PERMISSION_DENIED', 'POLICY_DENIED'],
    ['content-blocked', 'PERMISSION_DENIED', 'POLICY_DENIED'],
    ['credentials-invalid', 'UNAUTHENTICATED', 'CREDENTIALS_INVALID'],
    ['rate-limited', 'RESOURCE_EXHAUSTED', 'RATE_LIMITED'],
    ['quota-exhausted', 'RESOURCE_EXHAUSTED', 'QUOTA_EXHAUSTED'],
    ['body-malformed', 'INVALID_ARGUMENT', 'BODY_MALFORMED'],
    ['body-too-large', 'INVALID_ARGUMENT', 'BODY_TOO_LARGE'],
    ['route-not-found', 'NOT_FOUND', 'ROUTE_NOT_FOUND'],
    ['breaker-open', 'UNAVAILABLE', 'BREAKER_OPEN'],
    ['upstream-unreachable', 'UNAVAILABLE', 'UPSTREAM_UNREACHABLE'],
    ['upstream-timeout', 'DEADLINE_EXCEEDED', 'UPSTREAM_TIMEOUT'],
    ['internal', 'INTERNAL', 'INTERNAL'],
  ]
  for (const [code, status, reason] of rows) {
    const refusal = gemini.refusal(view(code, 'r1'))
    t.equal(refusal.status, faults[code].status, code)
    t.equal(refusal.headers['content-type'], 'application/json')
    const type = 'type.googleapis.com/google.rpc.ErrorInfo'
    const details = [{ '@type': type, reason, domain: 'gatewright', metadata: { requestId: 'gw-7', rule: 'r1' } }]
    const error = { code: faults[code].status, message: faults[code].message, status, details }
    t.same(JSON.parse(refusal.body), { error }, code)
  }
  for (const code of Object.keys(faults) as FaultCode[]) t.notMatch(gemini.refusal(view(code)).body, /undefined/, code)
})

t.test('a failure in mid-stream is an event with the same error and no name', async (t) => {
  const event = gemini.streamError(view('answer-denied', 'r1'))
  t.match(event, /^data: \{"error":\{"code":403,.*\}\n\n$/)
  t.same(JSON.parse(event.slice(6)), JSON.parse(gemini.refusal(view('answer-denied', 'r1')).body))
})
