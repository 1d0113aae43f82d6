import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { coverage } from '../../../proxy/protocol/coverage.ts'
import type { ProtocolName } from '../../../proxy/protocol/protocol.ts'
import { protocols } from '../../../proxy/protocol/protocols.ts'
import { coverageTable, writtenTable } from '../../support/coverage-table.ts'
import { operationOf } from '../../support/planted-exchange.ts'

const root = join(import.meta.dirname, '../../..')

t.test('the README is what the adapters declare', async (t) => {
  t.ok(coverageTable() === writtenTable(), 'node test/support/coverage-table.ts writes it')
})

t.test('every declared call is served, and every side of it that carries a body is declared', async (t) => {
  for (const [name, protocol] of protocols) {
    for (const call of coverage[name as ProtocolName]) {
      const operation = operationOf(protocol, call)
      t.ok(operation, `${name} ${call.call}`)
      if (operation === undefined) continue
      const talks = operation.body !== 'none' || 'openSocket' in operation
      t.equal(call.request !== undefined, talks, `${name} ${call.call} request`)
      if (operation.openStream !== undefined) t.ok(call.stream, `${name} ${call.call} stream`)
    }
  }
})

t.test('every operation that is served of what the SDKs and the adapters name is declared', async (t) => {
  const paths = namedPaths()
  t.ok(paths.size > 100)
  for (const [name, protocol] of protocols) {
    const declared = new Set(coverage[name as ProtocolName].map((call) => operationOf(protocol, call)?.name))
    const missing = new Set<string>()
    for (const path of paths) {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const served = protocol.resolve(method, path)?.name
        if (served !== undefined && !declared.has(served)) missing.add(`${name} ${method} ${path}: ${served}`)
      }
      const found = protocol.resolveSocket?.(path, '')
      if (found?.ok === true && !declared.has(found.operation.name)) missing.add(`${name} socket ${path}`)
    }
    t.same([...missing], [])
  }
})

/** Whatever looks like a path in the SDKs' sources and in our own, with something in place of what is filled in. */
function namedPaths(): Set<string> {
  const sources = [
    ...['openai', '@anthropic-ai/sdk'].map((sdk) => join(root, 'node_modules', sdk, 'resources')),
    join(root, 'node_modules/ollama/dist'),
    join(root, 'proxy/protocol'),
  ]
  const paths = new Set(['/', '/issues'])
  for (const folder of sources) {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!/\.(mjs|ts)$/.test(name) || name.endsWith('.d.ts') || name.endsWith('coverage.ts')) continue
      const source = readFileSync(join(folder, name), 'utf8')
      for (const [, path = ''] of source.matchAll(/['"`](\/[\w/:.${}-]*)/g)) paths.add(filled(path))
    }
  }
  for (const model of ['models/m', 'tunedModels/m', 'publishers/google/models/m'])
    for (const verb of geminiVerbs) paths.add(`/v1beta/${model}:${verb}`)
  return paths
}

function filled(path: string): string {
  return path.replaceAll(/\$\{[^}]*\}?/g, 'x1')
}

const geminiVerbs = [
  'generateContent',
  'streamGenerateContent',
  'countTokens',
  'computeTokens',
  'embedContent',
  'batchEmbedContents',
  'batchGenerateContent',
  'generateAnswer',
  'predict',
  'predictLongRunning',
]
