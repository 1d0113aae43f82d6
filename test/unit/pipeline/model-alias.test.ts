// A model that is called otherwise at the upstream is called so wherever a request names it, in every format.
import t from 'tap'
import { applyEdits } from '../../../proxy/lib/edit.ts'
import type { Json } from '../../../proxy/lib/json.ts'
import { protocols } from '../../../proxy/protocol/protocols.ts'
import type { ProtocolName } from '../../../proxy/protocol/protocol.ts'
import { aliasedPath, aliasEdits } from '../../../proxy/pipeline/model-alias.ts'
import type { Permitted } from '../../../proxy/pipeline/exchange.ts'

const contents = [{ parts: [{ text: 'models/old' }] }]
const owner = '/v1/projects/p/locations/eu'

const rows: readonly (readonly [ProtocolName, string, Json, string, string, Json])[] = [
  ['openai', '/v1/embeddings', { input: 'old', model: 'old' }, 'new', '/v1/embeddings', { input: 'old', model: 'new' }],
  [
    'openai',
    '/openai/deployments/old/chat/completions',
    { messages: [] },
    'new one',
    '/openai/deployments/new%20one/chat/completions',
    { messages: [] },
  ],
  [
    'gemini',
    '/v1beta/models/old:generateContent',
    { contents, model: 'models/old' },
    'new',
    '/v1beta/models/new:generateContent',
    { contents, model: 'models/new' },
  ],
  [
    'gemini',
    '/v1/models/old:batchEmbedContents',
    { requests: [{ model: 'models/old', content: contents[0] as Json }, { content: contents[0] as Json }] },
    'models/new',
    '/v1/models/new:batchEmbedContents',
    { requests: [{ model: 'models/new', content: contents[0] as Json }, { content: contents[0] as Json }] },
  ],
  [
    'gemini',
    '/v1beta/models/old:countTokens',
    { generate_content_request: { model: 'models/old', contents } },
    'tunedModels/new',
    '/v1beta/tunedModels/new:countTokens',
    { generate_content_request: { model: 'tunedModels/new', contents } },
  ],
  [
    'gemini',
    '/v1beta/tunedModels/mine:generateContent',
    { contents },
    'new',
    '/v1beta/models/new:generateContent',
    { contents },
  ],
  [
    'gemini',
    `${owner}/publishers/google/models/old:generateContent`,
    { contents },
    'endpoints/7',
    `${owner}/endpoints/7:generateContent`,
    { contents },
  ],
  [
    'gemini',
    `${owner}/endpoints/mine:generateContent`,
    { contents },
    'new',
    `${owner}/publishers/google/models/new:generateContent`,
    { contents },
  ],
  [
    'gemini',
    `${owner}/publishers/google/models/old:generateContent`,
    { contents },
    'projects/q/locations/us/endpoints/7',
    '/v1/projects/q/locations/us/endpoints/7:generateContent',
    { contents },
  ],
  ['ollama', '/api/show', { name: 'old' }, 'new', '/api/show', { name: 'new' }],
  ['ollama', '/api/show', { model: 'old', name: 'old' }, 'new', '/api/show', { model: 'new', name: 'new' }],
  ['ollama', '/api/generate', { prompt: 'old', model: 'old' }, 'new', '/api/generate', { prompt: 'old', model: 'new' }],
]

t.test('a request says the other name wherever it says one', async (t) => {
  for (const [name, path, value, alias, expectedPath, expected] of rows) {
    const operation = protocols.get(name)?.resolve('POST', path)
    if (operation === undefined) throw new Error(`${path} is not served`)
    const text = JSON.stringify(value)
    const reading = operation.readRequest(value, text)
    if (!reading.ok) throw new Error(reading.message)
    const aliases = new Map([[reading.content.model ?? '', alias]])
    const x = { operation, content: reading.content, body: { form: 'json', value }, route: { aliases } }
    const edits = aliasEdits(x as unknown as Permitted)
    t.same(JSON.parse(applyEdits(text, edits)), expected, `${name} ${path}`)
    t.equal(aliasedPath(x as unknown as Permitted, operation.path), expectedPath)
  }
})
