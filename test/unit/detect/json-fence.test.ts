import t from 'tap'
import { writerFor } from '../../../proxy/detect/json-fence.ts'
import { openVault } from '../../../proxy/detect/vault.ts'
import { openWindow } from '../../../proxy/detect/window.ts'

const vault = openVault(Buffer.alloc(32, 5), 'p')
const value = 'two\n"lines"'
const token = vault.tokenFor('generic-secret', value)
const escaped = JSON.stringify(value).slice(1, -1)

function streamed(text: string, size: number): string {
  const window = openWindow({ vault })
  let output = ''
  for (let at = 0; at < text.length; at += size) output += window.push(text.slice(at, at + size))
  return output + window.end()
}

void t.test('a value is escaped where the text shows JSON, whole and in pieces', async (t) => {
  for (const [text, isJson] of [
    [`See:\n\n\`\`\`json\n{"key": "@"}\n\`\`\`\n`, true],
    [`\`\`\`\n\n  {"key": "@"}\n\`\`\``, true],
    [`~~~~ jsonc title="x"\n// @\n~~~\n{"key": "@"}`, true],
    [`- one\n  \`\`\`JSON\r\n  ["@"]\r\n  \`\`\`\r\n`, true],
    [`\`\`\`python\n{"key": "@"}\n\`\`\`\n`, false],
    [`\`\`\`\nkey = @\n[x]\n\`\`\`\n`, false],
    [`\`\`\`json\n{}\n\`\`\`\n"@" and \`@\``, false],
    [`\`\`\`yaml\nkey: "@"\n\`\`\`\n`, false],
    [`a \`\`\`json {"key": "@"}`, false],
    ['"@"', false],
  ] as const) {
    const sent = text.replaceAll('@', token)
    const expected = text.replaceAll('@', () => (isJson ? escaped : value))
    t.equal(vault.restore(sent, 'response.text', 0, writerFor(sent)), expected, text)
    for (const size of [1, 2, 7, 1000]) t.equal(streamed(sent, size), expected, `${text} in pieces of ${size}`)
  }
})

void t.test('a block ends where its fence does', async (t) => {
  const text = `\`\`\`json\n["@"]\n\`\`\`\n@\n\`\`\`\`json\n\`\`\`\n@\n\`\`\`\`\n@`.replaceAll('@', token)
  const expected = `\`\`\`json\n["${escaped}"]\n\`\`\`\n${value}\n\`\`\`\`json\n\`\`\`\n${escaped}\n\`\`\`\`\n${value}`
  t.equal(vault.restore(text, 'response.text', 0, writerFor(text)), expected)
  t.equal(streamed(text, 3), expected)
})

void t.test('a key that was found in JSON stays as it was written there', async (t) => {
  const body = ['MIIEowIBAAKCAQEA', 'y8Dbv8prpJ0kKhlG'].join('\\n')
  const pem = `-----BEGIN PRIVATE KEY-----\\n${body}\\n-----END PRIVATE KEY-----`
  for (const key of [pem, pem.replaceAll('\\n', '\n')]) {
    const text = `\`\`\`json\n{"key": "${vault.tokenFor('private-key', key)}"}\n\`\`\``
    const [, json = ''] = streamed(text, 5).split('\n')
    t.same(JSON.parse(json), { key: pem.replaceAll('\\n', '\n') })
  }
})
