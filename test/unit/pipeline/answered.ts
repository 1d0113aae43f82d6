// Makes exchanges that have just been answered, for tests of what happens on the way back: a real route, policy,
// redaction and vault, no socket.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileConfig } from '../../../proxy/config/compile.ts'
import { dryRuntime } from '../../../proxy/config/dry.ts'
import { loadConfig } from '../../../proxy/config/load.ts'
import { openVault } from '../../../proxy/detect/vault.ts'
import { grow, openExchange, type Answered } from '../../../proxy/pipeline/exchange.ts'
import { AnswerRedaction } from '../../../proxy/pipeline/filters/answer-redaction.ts'
import type { Runtime } from '../../../proxy/pipeline/runtime.ts'
import { grant } from '../../../proxy/policy/permit.ts'

export type Way = 'openai' | 'anthropic' | 'gemini' | 'ollama' | 'http'

export type Back = {
  readonly runtime: Runtime
  /** A new exchange; `given` are values that went out as tokens in its request. */
  readonly answered: (way: Way, given?: readonly Given[], status?: number) => Answering
}

export type Given = { readonly entity: string; readonly value: string }
export type Answering = {
  readonly x: Answered
  readonly redaction: AnswerRedaction
  readonly tokens: readonly string[]
}

const requests = {
  openai: { method: 'POST', path: '/v1/chat/completions' },
  anthropic: { method: 'POST', path: '/v1/messages' },
  gemini: { method: 'POST', path: '/v1beta/models/gemini-x:streamGenerateContent' },
  ollama: { method: 'POST', path: '/api/chat' },
  http: { method: 'GET', path: '/x' },
} as const

/** `extra` is YAML: rules, redaction, tools. */
export function openBack(extra: string): Back {
  const runtime = runtimeOf(extra)
  return {
    runtime,
    answered(way, given = [], status = 200) {
      const { method, path } = requests[way]
      const route = runtime.routes.find(({ id }) => id === way)
      const operation = route?.protocol.resolve(method, path)
      if (route === undefined || operation === undefined) throw new Error(`no route ${way}`)
      const decision = { effect: 'allow', reason: 'test', code: 'test', matched: [], unevaluable: [] } as const
      const permit = grant([decision])
      if (permit === undefined) throw new Error('no permit')
      const redacts = route.request.plan !== undefined || route.answer.plan !== undefined
      const vault = redacts ? openVault(runtime.audit.tokenKey, 'agent') : undefined
      const tokens = given.map(({ entity, value }) => vault?.tokenFor(entity, value) ?? value)
      const head = { method, path, query: '', headers: [], ip: '127.0.0.1' }
      const x: Answered = grow(openExchange('req_test', head, 0), {
        route,
        operation,
        principal: { id: 'agent', roles: [] },
        identifiedVia: 'test',
        keyId: undefined,
        headers: [],
        query: '',
        admissions: [],
        limitStates: [],
        body: { form: 'none' as const },
        content: undefined,
        asked: undefined,
        inquiry: undefined,
        findings: undefined,
        targetFindings: [],
        headerFindings: [],
        shownPath: undefined,
        findingCounts: undefined,
        actions: [],
        decisions: [decision],
        withheld: [],
        withheldModels: [],
        permit,
        outgoing: { path, headers: [], body: undefined },
        vault,
        answer: {
          status,
          headers: [],
          contentLength: undefined,
          body: chunks([]),
          settle: () => undefined,
          attempts: [],
        },
      })
      return { x, redaction: new AnswerRedaction(x, runtime), tokens }
    },
  }
}

/** A body that arrives in these pieces. */
export async function* chunks(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield piece
}

function runtimeOf(extra: string): Runtime {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-test-'))
  try {
    const file = join(folder, 'gatewright.yaml')
    writeFileSync(file, `${frame}\n${extra}\n`)
    const loaded = loadConfig([file], {})
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
    const compiled = compileConfig(loaded, 0)
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems))
    return dryRuntime(compiled.config, () => 0)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const frame = `
apiVersion: gatewright/v1
upstreams:
  openai: { protocol: openai, url: 'http://127.0.0.1:1' }
  anthropic: { protocol: anthropic, url: 'http://127.0.0.1:1' }
  gemini: { protocol: gemini, url: 'http://127.0.0.1:1' }
  ollama: { protocol: ollama, url: 'http://127.0.0.1:1' }
  http: { protocol: http, url: 'http://127.0.0.1:1' }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: anthropic, path: /anthropic, upstream: anthropic }
  - { id: gemini, path: /gemini, upstream: gemini }
  - { id: ollama, path: /ollama, upstream: ollama }
  - { id: http, path: /http, upstream: http }
principals:
  - { id: agent, from: [127.0.0.0/8] }
anonymous: agent
defaultEffect: allow
`
