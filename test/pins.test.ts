// Names that other people's programs, dashboards and configurations hold on to. Each stands here a second time, so that
// renaming one is noticed: a new name is added to its list, a changed one breaks its users.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { apiSections, type ApiReply, type ApiRequest } from '../proxy/admin/api.ts'
import { AdminListener } from '../proxy/admin/listener.ts'
import { auditCommand } from '../proxy/cli/audit.ts'
import { checkCommand } from '../proxy/cli/check.ts'
import { demoCommand } from '../proxy/cli/demo.ts'
import { explainCommand } from '../proxy/cli/explain.ts'
import { keysCommand } from '../proxy/cli/keys.ts'
import { scanCommand } from '../proxy/cli/scan.ts'
import { schemaCommand } from '../proxy/cli/schema.ts'
import { serveCommand } from '../proxy/cli/serve.ts'
import { testCommand } from '../proxy/cli/test.ts'
import { toolsCommand } from '../proxy/cli/tools.ts'
import { usageCommand } from '../proxy/cli/usage.ts'
import { configSchema } from '../proxy/config/schema.ts'
import { entityGroups } from '../proxy/detect/entities.ts'
import { faults } from '../proxy/errors.ts'
import { openMetrics } from '../proxy/pipeline/metrics.ts'
import { actionAttributes, exchangeAttributes } from '../proxy/policy/actions.ts'
import { gatewright, root } from './support/command.ts'

t.test('fault codes and their status', async (t) => {
  const pinned = words(`
    400 request-malformed target-invalid header-invalid upgrade-refused body-malformed body-too-deep
      version-unsupported header-mismatch
    401 credentials-missing credentials-invalid source-refused
    403 origin-refused operation-unsupported price-unknown denied approval-unserved content-blocked answer-denied
    404 route-not-found session-unknown
    405 method-unsupported
    408 headers-timeout body-timeout
    413 body-too-large
    415 encoding-unsupported media-type-unsupported
    422 key-reused
    429 rate-limited concurrency-limited quota-exhausted
    431 headers-too-large
    499 client-aborted client-stalled
    500 internal
    502 upstream-refused-address upstream-unreachable upstream-invalid answer-too-large upstream-truncated
    503 overloaded shutting-down store-unavailable audit-unavailable breaker-open detector-unavailable
    504 upstream-timeout`)
  let status = ''
  const expected = pinned.flatMap((word) => {
    if (!/^\d+$/.test(word)) return [`${word} ${status}`]
    status = word
    return []
  })
  const actual = Object.entries(faults).map(([code, fault]) => `${code} ${fault.status}`)
  t.same(actual.sort(), expected.sort())
})

t.test('metrics and their labels', async (t) => {
  const pinned = words(`
    requests_total{route,decision,status} request_duration_seconds{route} overhead_seconds{route}
    inflight_requests{} slow_requests_total{route} connections_refused_total{}
    policy_decisions_total{rule,effect,mode} redactions_total{entity,direction} rate_limited_total{limit} limit_overruns_total{limit}
    tokens_total{type} cost_total{} uninspected_total{what} fail_open_total{what} store_errors_total{what}
    upstream_requests_total{upstream,outcome} upstream_duration_seconds{upstream}
    upstream_concurrency_limit{upstream} queue_refused_total{upstream,why} shed_total{priority,signal}
    upstream_time_to_first_byte_seconds{upstream} breaker_state{upstream} breaker_openings_total{upstream,part} retries_total{upstream}
    credential_rests_total{upstream,credential} upstream_quota_exhausted_total{upstream}
    upstream_credential_refused_total{upstream} upstream_implausible_usage_total{upstream}
    audit_records_total{kind} audit_failures_total{} audit_size{} audit_checkpoint_age_seconds{}
    config_reload_success{} config_reloads_total{result} config_info{hash} build_info{version,node}`)
  const metrics = openMetrics().registry.getMetricsAsArray() as unknown as { name: string; labelNames: string[] }[]
  const actual = metrics.map(({ name, labelNames }) => `${name}{${labelNames.join(',')}}`)
  t.same(actual.sort(), pinned.map((name) => `gatewright_${name}`).sort())
})

t.test('paths of the admin listener', async (t) => {
  const pinned = words(
    `/livez /healthz /health /health/live /readyz /ready /health/ready /startupz /health/stats /metrics`,
  )
  const pinnedApi = words('breakers usage')
  const source = readFileSync(join(root, 'proxy/admin/listener.ts'), 'utf8')
  t.same([...source.matchAll(/^ {2}\['(\/[^']*)'/gm)].map(([, path = '']) => path).sort(), [...pinned].sort())

  const health = { started: () => true, unready: () => [], stats: () => ({}), refresh: () => undefined }
  t.same([...apiSections].sort(), pinnedApi)
  const found = ({ segments }: ApiRequest): ApiReply => ({ status: 200, body: segments.join('/') })
  const admin = new AdminListener(health, openMetrics().registry, { breakers: found, usage: found })
  const { port } = await admin.listen('127.0.0.1', 0)
  t.teardown(() => admin.close())
  for (const path of pinned) t.equal((await fetch(`http://127.0.0.1:${port}${path}`)).status, 200, path)
  for (const section of pinnedApi) t.equal((await fetch(`http://127.0.0.1:${port}/v1/${section}`)).status, 200, section)
  for (const path of ['/', '/v1/', '/v1/other', '/usage'])
    t.equal((await fetch(`http://127.0.0.1:${port}${path}`)).status, 404, path)
})

t.test('keys of the configuration', async (t) => {
  const pinned: Readonly<Record<string, string>> = {
    apiVersion: '',
    server: `listen admin publicNames cors.{origins} limits.{body,headerBytes,headerCount,jsonDepth,connections,url,bodyRate}
      timeouts.{headers,body,keepAlive,drain,clientWrite} overload.{eventLoopDelay,inflight}`,
    upstreams: `protocol url credential.{bearer,header,value} credentials.{id,bearer,header,value} hedge.{after} models
      streamUsage
      timeouts.{connect,firstByte,idle,total}
      breaker.{mode,consecutive,ratio,minimum,window,open,openMax}
      retry.{attempts,budget,unsafe,idempotent,idempotencyKey} egress connections
      concurrency.{max,adaptive,queue,queueTimeout} pinTools.{manifest} ifEnv unlessEnv`,
    routes: `id path upstream upstreams.{upstream,weight} fallback panic models idempotency denyStatus posture websocket
      priority`,
    principals: 'id org team roles keys.{sha256,expires} from priority',
    anonymous: '',
    tools: 'name tags upstream',
    defaultEffect: '',
    mode: '',
    rules: `id effect actions models tools tags upstreams routes methods paths principals.{ids,orgs,teams,roles}
      findings from between.{from,to,tz,days} when mode reason`,
    policyHeaders: '',
    detectors: `id group allow words caseSensitive pattern context contextBefore validator url protocol entities language
      scoreThreshold timeout batch onError onStream credential.{bearer,header,value}
      breaker.{mode,consecutive,ratio,minimum,window,open,openMax} egress connections`,
    redaction: 'id direction upstreams routes detect action mode in numbers keys allow restore restoreTo format',
    limits: `id by requests tokens inputTokens outputTokens cost bytes toolCalls window timezone burst concurrency
      assumedTokens maxTokens onNoMaximum onUnknownPrice mode onStoreError principals orgs teams roles routes upstreams models tools
      actions`,
    prices: 'model input output cacheRead cacheWrite',
    store: `replicas redis.{url,tls,username,password,timeout,prefix} redis.sentinels.{name,nodes,password}
      redis.cluster.nodes`,
    vault: 'ttl entries store key.{fromFile}',
    audit: 'dir writer durability onFailure key.{fromFile} payloads segmentSize segmentAge',
    demo: 'listen',
    log: 'level slow',
  }
  const sections = configSchema.properties as Readonly<Record<string, Schema>>
  t.same(Object.keys(sections).sort(), Object.keys(pinned).sort())
  for (const [section, keys] of Object.entries(pinned)) {
    const actual = [...keysOf(sections[section] ?? {})]
    t.same(actual.sort(), words(keys).flatMap(expand).sort(), section)
  }
})

t.test('what rules can look at, and what detectors find', async (t) => {
  t.same(exchangeAttributes, words('principal route upstream client headers time'))
  t.same(actionAttributes, {
    'model.call': words('model operation stream maxTokens messages tools findings'),
    'tool.call': words('tool via args tags method path findings'),
    'tool.offer': words('tool via tags description findings'),
    'resource.read': words('uri name findings'),
    'prompt.get': words('uri name findings'),
  })
  // More than stand well in a program: a line for each group.
  const pinned = readFileSync(join(root, 'test/fixtures/entities.txt'), 'utf8').trimEnd().split('\n')
  t.same(
    [...new Set(entityGroups.values())].sort(),
    pinned.map((line) => line.slice(0, line.indexOf(' '))),
    'groups',
  )
  for (const [group = '', ...names] of pinned.map((line) => line.split(' '))) {
    const actual = [...entityGroups].filter(([, of]) => of === group).map(([entity]) => entity)
    t.same(actual.sort(), names, group)
  }
})

t.test('commands and their options', async (t) => {
  const pinned: Readonly<Record<string, string>> = {
    serve: '--config',
    check: '--format --merge --strict --secrets --no-secrets',
    test: '--require-coverage --output',
    explain: '--config --request --output',
    audit: '',
    'audit verify': '--key --since --output',
    'audit tail': '--lines --follow --output',
    'audit export': '--format',
    'audit prove': '--output',
    scan: '--detect --config --jsonl --redact --output',
    keys: '',
    'keys generate': '--output',
    tools: '',
    'tools pin': '--config --upstream --manifest --output',
    usage: '--by --from --to --config --output',
    schema: '--output',
    demo: '',
  }
  const made = [
    serveCommand(),
    checkCommand(),
    testCommand(),
    explainCommand(),
    auditCommand(),
    scanCommand(),
    keysCommand(),
    toolsCommand(),
    usageCommand(),
    schemaCommand(),
    demoCommand(),
  ]
  const actual: Record<string, string[]> = {}
  const note = (name: string, command: (typeof made)[number]): void => {
    actual[name] = command.options.map((option) => option.long ?? option.flags)
    for (const child of command.commands) note(`${name} ${child.name()}`, child)
  }
  for (const command of made) note(command.name(), command)
  t.same(actual, Object.fromEntries(Object.entries(pinned).map(([name, options]) => [name, words(options)])))

  const { code, stdout } = await gatewright(['--help'])
  const listed = [...stdout.matchAll(/^ {2}([a-z]+)( \[| <| {2,})/gm)].map(([, name]) => name)
  t.same([code, ...listed], [0, ...made.map((command) => command.name()), 'help'])
})

t.test('response headers', async (t) => {
  const pinned = words(
    `x-gatewright-request-id x-gatewright-decision x-gatewright-rule x-gatewright-redactions x-gatewright-open
     x-gatewright-uninspected x-gatewright-restored x-gatewright-attempts`,
  )
  const sources = readdirSync(join(root, 'proxy'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )
  const used = sources.flatMap(
    (name) => readFileSync(join(root, 'proxy', name), 'utf8').match(/\bx-gatewright-[a-z][a-z-]*/g) ?? [],
  )
  t.same([...new Set(used)].sort(), [...pinned].sort())
})

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
}

/**
 * `timeouts.connect`. The names of upstreams and the places in lists are left out, and so are keys that only hold others.
 * Whether a secret comes from a file or a variable is one thing for all of them, so it is left out, too.
 */
function keysOf(schema: Schema, at = ''): Set<string> {
  const inner = [schema.items, schema.additionalProperties, ...(schema.oneOf ?? [])].filter(
    (one) => typeof one === 'object',
  )
  const keys = new Set(inner.flatMap((one) => [...keysOf(one, at)]))
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const below = [...keysOf(child, `${at}${name}.`)].filter(
      (key) => !/\.(fromEnv|fromFile)$/.test(key) || key === 'key.fromFile',
    )
    for (const key of below.length === 0 ? [`${at}${name}`] : below) keys.add(key)
  }
  return keys
}

/** `limits.{body,url}` → `limits.body`, `limits.url`. */
function expand(word: string): string[] {
  const [, head = '', inner] = /^(.*\.)\{(.*)\}$/.exec(word) ?? []
  return inner === undefined ? [word] : inner.split(',').map((one) => `${head}${one}`)
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
