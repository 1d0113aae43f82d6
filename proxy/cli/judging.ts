// Owns how commands turn a written request into a judged one: a configuration, a runtime that only decides, and the
// defaults that a reader of a test file would expect.
import { compileConfig, type CompiledConfig } from '../config/compile.ts'
import { dryRuntime } from '../config/dry.ts'
import { loadConfig } from '../config/load.ts'
import { report } from '../config/report.ts'
import { judge, type Judged } from '../pipeline/judge.ts'
import type { Runtime } from '../pipeline/runtime.ts'
import type { CaseRequest, Circumstances } from '../policy/suite.ts'
import { CommandError } from './command-error.ts'

/** Ends the command with the problems when the configuration is not good. */
export function compileOrFail(paths: readonly string[], exitCode = 1): CompiledConfig {
  const loaded = loadConfig([...paths], process.env)
  if (!loaded.ok)
    throw new CommandError(`the configuration is refused\n${report(loaded.problems, 'text')}`.trimEnd(), exitCode)
  const compiled = compileConfig(loaded, Date.now())
  if (!compiled.ok)
    throw new CommandError(`the configuration is refused\n${report(compiled.problems, 'text')}`.trimEnd(), exitCode)
  return compiled.config
}

/** The path that a request of each format means when it names none. */
function usualPath(protocol: string, body: unknown): string {
  switch (protocol) {
    case 'openai':
      return '/v1/chat/completions'
    case 'anthropic':
      return '/v1/messages'
    case 'gemini':
      // The model stands in the path; a body that names it as well names the same.
      return `/v1beta/models/${modelIn(body)}:generateContent`
    case 'ollama':
      return '/api/chat'
    default:
      return '/'
  }
}

function modelIn(body: unknown): string {
  const model = typeof body === 'object' && body !== null && 'model' in body ? body.model : undefined
  return typeof model === 'string' ? model.replace(/^models\//, '') : ''
}

export function judgeRequest(
  config: CompiledConfig,
  request: CaseRequest,
  circumstances: Circumstances,
): Promise<Judged> {
  const runtime: Runtime = dryRuntime(config, () => circumstances.timeMs)
  const route = routeFor(runtime, request)
  const rest = request.path ?? usualPath(route.protocol.name, request.body)
  const [path = '', query = ''] = `${route.path}${rest}`.split('?', 2)
  const body = request.body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(request.body))
  const method = request.method ?? (body === undefined ? 'GET' : 'POST')
  const headers = Object.entries({
    ...circumstances.headers,
    ...(body === undefined ? undefined : { 'content-type': 'application/json' }),
    ...request.headers,
  }).flat()
  const head = { method, path, query, headers, ip: circumstances.client.ip }
  return judge(head, body, circumstances.principal, runtime)
}

function routeFor(runtime: Runtime, request: CaseRequest): Runtime['routes'][number] {
  const fitting = runtime.routes.filter(
    (route) =>
      (request.route === undefined || route.id === request.route) &&
      (request.upstream === undefined || route.upstream.id === request.upstream),
  )
  const [first] = fitting
  if (first === undefined) throw new CommandError(noRoute(runtime.routes, request), 1)
  if (fitting.length > 1 && request.route === undefined && request.upstream === undefined) {
    throw new CommandError(`say which route or upstream: ${fitting.map(({ id }) => id).join(', ')}`, 1)
  }
  return first
}

function noRoute(routes: Runtime['routes'], { route, upstream }: CaseRequest): string {
  const wanted = [
    ...(route === undefined ? [] : [`is "${route}"`]),
    ...(upstream === undefined ? [] : [`leads to "${upstream}"`]),
  ]
  const known = routes.map(({ id, upstream: to }) => `${id} to ${to.id}`)
  return `no route ${wanted.join(' and ')}; there ${known.length === 0 ? 'is none' : `are ${known.join(', ')}`}`
}
