// Owns the declaration of what becomes of each text in OpenAI's operations that know neither messages nor tools, field by
// field as the SDK's types have them (openai 7). Sound and vectors hold no field that is a text.
import { fieldsAt, joinFields, type Fields, type OperationCoverage } from './posture.ts'

const completion: Fields = {
  enforced: ['choices[index=0].text', 'choices[index=1].text', 'id', 'model', 'system_fingerprint'],
  opaque: {
    'choices[index=0,text=a].logprobs.tokens[]': 'logprobs',
    'choices[index=0,text=a].logprobs.top_logprobs[].@': 'logprobs',
    'choices[index=0,text=a].token_ids[]': 'tokens',
    'choices[index=0,text=a].prompt_token_ids[]': 'tokens',
  },
}

const completions: OperationCoverage = {
  call: 'POST /v1/completions',
  request: {
    enforced: ['prompt', 'prompt[]', 'suffix', 'stop', 'stop[]', 'user', 'model'],
    opaque: { 'prompt[]': 'tokens' },
  },
  answer: completion,
  stream: joinFields(completion, {
    enforced: ['choices[index=0].text +', 'choices[index=1].text +', 'error.message'],
  }),
}

const image: Fields = {
  enforced: ['revised_prompt', 'url', 'b64_json'],
  opaque: { url: 'image', b64_json: 'image' },
}

const batch: Fields = { enforced: ['metadata.*', 'errors.data[].message', 'input_file_id'] }
const file: Fields = { enforced: ['filename', 'status_details'] }

export const plainCoverage: readonly OperationCoverage[] = [
  completions,
  {
    call: 'POST /v1/embeddings',
    request: { enforced: ['input', 'input[]', 'user', 'model'], opaque: { 'input[]': 'tokens' } },
    answer: { enforced: ['model', 'data[index=0].embedding'], opaque: { 'data[index=0].embedding': 'vector' } },
  },
  {
    call: 'POST /v1/moderations',
    request: {
      enforced: ['input', 'input[]', 'input[type=text].text', 'input[type=image_url].image_url.url', 'model'],
      opaque: { 'input[type=image_url].image_url.url': 'image' },
    },
    answer: { enforced: ['id', 'model', 'results[].note'] },
  },
  {
    call: 'POST /v1/images/generations',
    request: { enforced: ['prompt', 'user', 'model'] },
    answer: fieldsAt('data[].', image),
    stream: {
      enforced: ['image_generation.partial_image: note', 'image_generation.completed: note', 'error: error.message'],
      opaque: {
        'image_generation.partial_image: b64_json': 'image',
        'image_generation.completed: b64_json': 'image',
      },
    },
  },
  { call: 'POST /v1/audio/speech', request: { enforced: ['input', 'instructions', 'voice', 'model'] } },
  { call: 'GET /v1/files', answer: fieldsAt('data[].', file) },
  { call: 'GET /v1/files/file-1', answer: file },
  { call: 'GET /v1/batches', answer: fieldsAt('data[].', batch) },
  { call: 'GET /v1/batches/batch_1', answer: batch },
  { call: 'POST /v1/batches/batch_1/cancel', answer: batch },
]
