// Owns what is said of operations of the Gemini API and of Vertex AI that are refused on purpose. What is not here is just
// unknown.

/** Undefined where there is nothing to say but that there is no adapter. `rest` is the path below the version. */
export function whyUnserved(rest: string): string | undefined {
  if (rest.startsWith('/ws/')) return liveSays
  const below = rest
    .replace(/^\/upload(?:\/v1(?:alpha|beta1?)?)?(?=\/)/, '')
    .replace(/^\/projects\/[^/]+\/locations\/[^/]+/, '')
  const [family = '', ...more] = below.slice(1).split(/[/:]/)
  return byFamily.get(family) ?? byVerb.get(more.at(-1) ?? '')
}

const liveSays = 'Live sessions speak over WebSockets, which cannot be inspected here.'
const filesSay = 'What is in files cannot be inspected here, so none may be sent or fetched.'
const batchesSay = 'The requests of a batch cannot be judged one by one here; send them one by one.'
const cachedSays =
  'What is cached would be part of later requests, where it could not be inspected; send it with each of them.'
const keptSays = 'What this operation works on is kept at the provider, where it cannot be inspected.'
const predictionSays = 'Predictions take and give media of any form, which cannot be inspected here.'
const tokensSay = 'Such a token opens a session with the provider that would not go through here.'

const byFamily = new Map<string, string>([
  ['files', filesSay],
  ['generatedFiles', filesSay],
  ['cachedContents', cachedSays],
  ['batches', batchesSay],
  ['batchPredictionJobs', batchesSay],
  ['auth_tokens', tokensSay],
  ...['corpora', 'fileSearchStores', 'interactions', 'operations', 'ragCorpora', 'reasoningEngines', 'tuningJobs'].map(
    (family) => [family, keptSays] as const,
  ),
])

/** Of models, whatever they belong to. */
const byVerb = new Map<string, string>([
  ['batchGenerateContent', batchesSay],
  ['asyncBatchEmbedContent', batchesSay],
  ['bidiGenerateContent', liveSays],
  ...['predict', 'rawPredict', 'streamRawPredict', 'predictLongRunning', 'fetchPredictOperation'].map(
    (verb) => [verb, predictionSays] as const,
  ),
])
