import * as fc from 'fast-check'
import t from 'tap'
import { parseJsonText } from '../../../proxy/lib/json.ts'
import { protocols } from '../../../proxy/protocol/protocols.ts'
import { foldName } from '../../../proxy/protocol/shape.ts'

const messages = '"model":"m","max_tokens":1,"messages":[]'
const requests: [string, string, string, string[]][] = [
  ['openai', '/v1/chat/completions', messages, ['tools', 'model', 'messages', 'functions', 'stream', 'n']],
  ['openai', '/v1/completions', '"model":"m","prompt":"p"', ['model', 'prompt', 'max_tokens']],
  ['openai', '/v1/responses', '"model":"m","input":"p"', ['input', 'instructions', 'tools', 'model']],
  ['openai', '/v1/embeddings', '"model":"m","input":"p"', ['model', 'input']],
  ['anthropic', '/v1/messages', messages, ['tools', 'system', 'model']],
  ['ollama', '/api/chat', '"model":"m","messages":[]', ['tools', 'model']],
]

for (const [protocol, path, rest, names] of requests) {
  t.test(`${path}: a member that is a known one to whoever ignores case`, async (t) => {
    const operation = protocols.get(protocol)?.resolve('POST', path, '')
    const read = (members: string): boolean => {
      const text = `{${members}}`
      const parsed = parseJsonText(text, { depthMax: 64, keysMax: 100 })
      if (operation === undefined) throw new Error(`${path} is not served`)
      // Where both stand in the text, no reader is asked.
      return parsed.ok && operation.readRequest(parsed.value, text).ok
    }
    t.ok(read(rest))
    t.ok(read(`${rest},"seed":1,"metadata":{"Tools":"x"}`))
    for (const name of names) {
      t.notOk(read(`${rest},"${name.toUpperCase()}":[]`), name.toUpperCase())
      if (name.includes('s')) t.notOk(read(`${rest},"${name.replace('s', '\u017f')}":[]`), `${name} with a long s`)
    }
  })
}

t.test('names fold as in Go', async (t) => {
  t.equal(foldName('To\u212aen\u017f'), 'tokens')
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z_]{1,12}$/),
      fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
      (name, up) => {
        const written = name.replaceAll(/./g, (letter, at: number) => (up[at] === true ? letter.toUpperCase() : letter))
        return foldName(written) === name
      },
    ),
  )
})
