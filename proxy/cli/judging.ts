// Owns how commands turn a written request into a judged one: a configuration, a runtime that only decides, and the
// defaults that a reader of a test file would expect.
import { compileConfig, type CompiledConfig } from '../config/compile.ts'
import { dryRuntime } from '../config/dry.ts'
import { loadConfig } from '../config/load.ts'
import { report } from '../config/report.ts'
import { Fault } from '../errors.ts'
import { judge, refusedBy, type Judged } from '../pipeline/judge.ts'
import type { Runtime } from '../pipeline/runtime.ts'
import type { Subject } from '../policy/query.ts'
import type { CaseRequest, Circumstances } from '../policy/suite.ts'
import { splitTarget } from '../server/envelope.ts'
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

/** What rules see of the principal that is configured under an id. */
export function principalIn({ document }: CompiledConfig, id: string): Subject | undefined {
  const option = document.principals?.find((one) => one.id === id)
  if (option === undefined) return undefined
  const { roles = [], org, team } = option
  return { id, roles, ...(org === undefined ? undefined : { org }), ...(team === undefined ? undefined : { team }) }
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

/** `failure`: one sentence, where what is written is no request. */
export async function judgeRequest(
  config: CompiledConfig,
  request: CaseRequest,
  circumstances: Circumstances,
): Promise<Judged | { readonly failure: string }> {
  const runtime: Runtime = dryRuntime(config, () => circumstances.timeMs)
  const written = targetOf(runtime.routes, request)
  if ('failure' in written) return written
  const { urlBytesMax, publicNames } = config.server
  const target = splitTarget(written.target, { targetBytesMax: urlBytesMax, publicNames: new Set(publicNames) })
  if (target instanceof Fault) return refusedBy(target)
  const body = request.body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(request.body))
  const method = request.method ?? (body === undefined ? 'GET' : 'POST')
  const headers = Object.entries({
    ...circumstances.headers,
    ...(body === undefined ? undefined : { 'content-type': 'application/json' }),
    ...request.headers,
  }).flat()
  const head = { method, ...target, headers, ip: circumstances.client.ip }
  return judge(head, body, circumstances.principal, runtime)
}

/** The whole target, as a client would send it: `path` itself, but where a route or upstream is named it stands below that. */
function targetOf(routes: Runtime['routes'], request: CaseRequest): { target: string } | { failure: string } {
  const { route: id, upstream, path } = request
  const isPlaced = id !== undefined || upstream !== undefined
  if (!isPlaced && path !== undefined) return { target: path }
  const fitting = routes.filter(
    (route) => (id === undefined || route.id === id) && (upstream === undefined || route.upstream.id === upstream),
  )
  const [route] = fitting
  if (route === undefined) return { failure: noRoute(routes, request) }
  if (fitting.length > 1 && !isPlaced)
    return { failure: `say which route or upstream: ${fitting.map((one) => one.id).join(', ')}` }
  const below = path ?? usualPath(route.protocol.name, request.body)
  if (!/^(?:[/?]|$)/.test(below)) return { failure: `the path below a route begins with "/": ${below}` }
  return { target: `${route.path}${below}` }
}

function noRoute(routes: Runtime['routes'], { route, upstream }: CaseRequest): string {
  const wanted = [
    ...(route === undefined ? [] : [`is "${route}"`]),
    ...(upstream === undefined ? [] : [`leads to "${upstream}"`]),
  ]
  const known = routes.map(({ id, upstream: to }) => `${id} to ${to.id}`)
  return `no route ${wanted.join(' and ')}; there ${known.length === 0 ? 'is none' : `are ${known.join(', ')}`}`
}
